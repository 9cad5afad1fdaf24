/** The side bar, and one layout with everything: notebook, comparison, latest run. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { Context, Verbs } from './context';
import { Ids } from './ids';

export function layoutVerbs(context: Context, shell: JupyterFrontEnd.IShell): Verbs {
  const { sidebar, panes } = context;
  return {
    [Ids.runs]: {
      label: 'Show Runs',
      caption: 'The side bar with the runs of all stores',
      execute: (args) => {
        const { run } = args;
        // Somebody who closed the side bar is not to get it with each click on a badge.
        if (typeof run === 'string') sidebar.choice.focus(run);
        else shell.activateById(sidebar.id);
      },
    },
    [Ids.layout]: {
      label: 'Open nbtrack Layout',
      caption:
        'The runs at the side, the comparison and the latest run beside the notebook',
      execute: () => {
        shell.activateById(sidebar.id);
        const { query } = sidebar.feed.asked;
        panes.openCompare({ query }, { mode: 'split-right' });
        const latest = sidebar.feed.rows[0];
        if (latest) panes.openRun(latest.id, 'split-bottom');
      },
    },
  };
}
