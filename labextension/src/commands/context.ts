/** What the commands work with, and how they say that something could not be done. */

import { Notification } from '@jupyterlab/apputils';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { wordsOf, type Api } from '../api/client';
import type { RunChange } from '../api/rows';
import type { Panes } from '../panes/panes';
import type { RunsSidebar } from '../sidebar/sidebar';

export type Args = ReadonlyPartialJSONObject;

export interface Context {
  commands: CommandRegistry;
  api: Api;
  sidebar: RunsSidebar;
  panes: Panes;
  notebooks: INotebookTracker;
}

export interface Verb {
  label: string;
  caption: string;
  isEnabled?: (args: Args) => boolean;
  execute: (args: Args) => unknown;
}

export type Verbs = Record<string, Verb>;

/** The runs that are meant: those that are named, else those of the side bar. */
export function runsOf(context: Context, args: Args): string[] {
  return typeof args['run'] === 'string' ? [args['run']] : context.sidebar.runs;
}

export function hasRuns(context: Context): (args: Args) => boolean {
  return (args) => runsOf(context, args).length > 0;
}

/** Change runs, and have all that shows them read it again. */
export async function edit(
  { api, sidebar, panes }: Context,
  runs: readonly string[],
  change: RunChange,
): Promise<void> {
  for (const run of runs) {
    await api.edit(run, change);
    panes.reload(run);
  }
  sidebar.feed.forget();
  sidebar.feed.look();
}

/** A command that fails says so in the page, and not only in its log. */
export async function telling(work: () => unknown): Promise<void> {
  try {
    await work();
  } catch (reason) {
    Notification.error(wordsOf(reason));
  }
}
