/** What can be done with runs: open, compare, star, tag, note, rename, trash, stop. */

import { InputDialog, Notification } from '@jupyterlab/apputils';
import { SELECTED_MAX } from '../panes/panes';
import type { State } from '../shared/compare/wire';
import { edit, hasRuns, runsOf, type Args, type Context, type Verbs } from './context';
import { exportRun } from './exports';
import { Ids } from './ids';
import { askForProof } from './proving';

export function runVerbs(context: Context): Verbs {
  return { ...shows(context), ...marks(context), ...ends(context) };
}

function shows(context: Context): Verbs {
  const { panes } = context;
  const isEnabled = hasRuns(context);
  return {
    [Ids.open]: {
      label: 'Open Run',
      caption: 'The page of the run: curves, params, code, files, log',
      isEnabled,
      execute: (args) => {
        for (const run of runsOf(context, args)) panes.openRun(run);
      },
    },
    [Ids.compare]: {
      label: 'Compare Runs',
      caption: 'The selected runs side by side; without a selection all of them',
      execute: (args) =>
        panes.openCompare(stateOf(context, args), {
          ...(typeof args['id'] === 'string' ? { id: args['id'] } : {}),
          isDiff: args['diff'] === true,
        }),
    },
    [Ids.script]: {
      label: 'Export Run as Script',
      caption: 'A Python file with the code that made the result, and no more',
      isEnabled,
      execute: async (args) => {
        for (const run of runsOf(context, args))
          await exportRun(context.api, 'script', run);
      },
    },
    [Ids.bundle]: {
      label: 'Export Bundle…',
      caption: 'One file with all that gives the result again elsewhere, and the proof',
      isEnabled,
      execute: (args) => bundle(context, runsOf(context, args)),
    },
  };
}

async function bundle(context: Context, runs: readonly string[]): Promise<void> {
  if (runs.length === 0) return;
  const { api, panes } = context;
  const details = await Promise.all(runs.map((run) => api.run(run)));
  const kind = await askForProof(details.map(({ name }) => name));
  if (!kind) return;
  for (const run of runs) {
    await exportRun(api, kind, run);
    panes.reload(run); // its page says what was proven
  }
}

/** A state that is given, the one run beside all of its experiment, or the selected. */
function stateOf(context: Context, args: Args): Partial<State> {
  if (args['state']) return args['state'] as unknown as Partial<State>;
  const runs = runsOf(context, args);
  if (runs.length > 1) return { runs, selected: runs.slice(0, SELECTED_MAX) };
  return { query: context.sidebar.feed.asked.query, selected: runs };
}

function marks(context: Context): Verbs {
  const isEnabled = hasRuns(context);
  return {
    [Ids.star]: {
      label: 'Star Run',
      caption: 'Star the run, or remove the star',
      isEnabled,
      execute: (args) => {
        const runs = runsOf(context, args);
        const isOn = runs.every((run) => context.sidebar.rowOf(run)?.starred);
        return edit(context, runs, {
          starred: (args['on'] as boolean | undefined) ?? !isOn,
        });
      },
    },
    [Ids.tag]: {
      label: 'Tag Run…',
      caption: 'Add tags to the run, or take some away',
      isEnabled,
      execute: (args) => tag(context, runsOf(context, args)),
    },
    [Ids.note]: {
      label: 'Edit Notes of Run…',
      caption: 'What was tried, and what came of it',
      isEnabled,
      execute: (args) => note(context, runsOf(context, args)[0], args['text']),
    },
    [Ids.rename]: {
      label: 'Rename Run…',
      caption: 'Another name; the id stays',
      isEnabled,
      execute: (args) => rename(context, runsOf(context, args)[0]),
    },
  };
}

function ends(context: Context): Verbs {
  const isEnabled = hasRuns(context);
  return {
    [Ids.trash]: {
      label: 'Move Run to Trash',
      caption: 'It is kept, and can be restored from the trash',
      isEnabled,
      execute: (args) => trash(context, runsOf(context, args)),
    },
    [Ids.restore]: {
      label: 'Restore Run from Trash',
      caption: 'Back among the others',
      isEnabled,
      execute: (args) => edit(context, runsOf(context, args), { trashed: false }),
    },
    [Ids.stop]: {
      label: 'Stop Run',
      caption: 'It ends at its next step, and what it has is kept',
      isEnabled: (args) =>
        typeof args['run'] === 'string' ||
        runsOf(context, args).some((run) => isRunning(context, run)),
      execute: async (args) => {
        for (const run of runsOf(context, args)) await context.api.stop(run);
      },
    },
  };
}

function isRunning({ sidebar }: Context, run: string): boolean {
  return sidebar.rowOf(run)?.status === 'running';
}

async function tag(context: Context, runs: readonly string[]): Promise<void> {
  const [first] = runs;
  if (!first) return;
  const { tags } = await context.api.run(first);
  const { value } = await InputDialog.getText({
    title: runs.length > 1 ? `Tag ${runs.length} runs` : 'Tag the run',
    label: 'Tags, with commas between them; -name takes one away',
    placeholder: tags.length ? `now: ${tags.join(', ')}` : 'base, paper',
  });
  const words = (value ?? '').split(',').map((word) => word.trim()).filter(Boolean); // prettier-ignore
  if (words.length === 0) return;
  await edit(context, runs, {
    add_tags: words.filter((word) => !word.startsWith('-')),
    remove_tags: words.filter((word) => word.startsWith('-')).map((w) => w.slice(1)),
  });
}

async function note(
  context: Context,
  run: string | undefined,
  given: unknown,
): Promise<void> {
  if (!run) return;
  const { notes } = await context.api.run(run);
  const text =
    typeof given === 'string'
      ? given
      : (await InputDialog.getText({ title: 'Notes of the run', text: notes })).value;
  if (text !== null && text !== notes) await edit(context, [run], { notes: text });
}

async function rename(context: Context, run: string | undefined): Promise<void> {
  if (!run) return;
  const { name } = await context.api.run(run);
  const answer = await InputDialog.getText({
    title: 'Rename the run',
    text: name,
    selectionRange: name.length,
  });
  const value = answer.value?.trim();
  if (value && value !== name) await edit(context, [run], { name: value });
}

/** At once and without asking: it can be undone. */
async function trash(context: Context, runs: readonly string[]): Promise<void> {
  await edit(context, runs, { trashed: true });
  context.sidebar.choice.set([]);
  const what = runs.length > 1 ? `${runs.length} runs are` : 'The run is';
  Notification.info(`${what} in the trash.`, {
    autoClose: 8000,
    actions: [
      { label: 'Undo', callback: () => void edit(context, runs, { trashed: false }) },
    ],
  });
}
