/** Between runs and the cells of the open notebook, both ways. */

import { Notification } from '@jupyterlab/apputils';
import { NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import type { RunDetail } from '../api/rows';
import { insertBelow, revealed, withoutTrack } from '../notebook/places';
import { hasRuns, runsOf, type Context, type Verbs } from './context';
import { Ids } from './ids';

export function cellVerbs(context: Context): Verbs {
  const isEnabled = hasRuns(context);
  const first = (args: Parameters<typeof isEnabled>[0]): string =>
    runsOf(context, args)[0] ?? '';
  return {
    [Ids.toCell]: {
      label: 'Go to Cell of Run',
      caption: 'The cell that made the run, in its notebook',
      isEnabled,
      execute: (args) => goToCell(context, first(args)),
    },
    [Ids.insertParams]: {
      label: "Insert Run's Params Below",
      caption: 'A cell that sets the params of the run, below the active one',
      isEnabled,
      execute: (args) => insertParams(context, first(args)),
    },
    [Ids.insertCells]: {
      label: "Insert Run's Cells Below",
      caption: 'The cells that the result depends on, below the active one',
      isEnabled,
      execute: (args) => insertCells(context, first(args)),
    },
    [Ids.sweep]: {
      label: 'Start a Sweep from the Active Cell',
      caption: 'A launcher below the cell: tick what to vary, then start',
      isEnabled: () => context.notebooks.activeCell?.model.type === 'code',
      execute: () => sweep(context),
    },
  };
}

async function goToCell(context: Context, run: string): Promise<void> {
  const row = await context.api.run(run);
  const panel = await opened(context, row);
  if (!panel) return;
  const cell = await revealed(panel, row.cell_id ?? '');
  if (!cell) {
    Notification.warning(`The cell of ${row.name} is no longer in the notebook.`, {
      actions: [
        {
          label: 'Insert its cells',
          callback: () => void context.commands.execute(Ids.insertCells, { run }),
        },
      ],
    });
    return;
  }
  await tellChange(context, row, cell.model.sharedModel.getSource());
}

/** The notebook of a run; where it was not open, it is now. */
async function opened(
  { commands, notebooks }: Context,
  row: RunDetail,
): Promise<NotebookPanel | null> {
  const path = row.notebook_path;
  const there = notebooks.find(({ context }) => context.path === path);
  if (path === null)
    throw new Error(`The notebook of ${row.name} is not below the folder shown here.`);
  const panel: unknown = await commands.execute('docmanager:open', { path });
  const found = there ?? (panel as NotebookPanel | undefined);
  // Notebook 7 opens another page for another notebook.
  if (!found?.context) return null;
  await found.context.ready;
  await found.revealed;
  return found;
}

/** The run's number may no longer be that of the cell as it stands. */
async function tellChange(
  { api, panes }: Context,
  row: RunDetail,
  source: string,
): Promise<void> {
  if (row.source === null) return;
  const diff = await api.cellDiff(row.id, source);
  if (diff.same) return;
  Notification.info(`The cell has changed since ${row.name}.`, {
    autoClose: 8000,
    actions: [
      { label: 'Show difference', callback: () => panes.openCellDiff(row.name, diff) },
    ],
  });
}

async function insertParams(context: Context, run: string): Promise<void> {
  const { name, params_code } = await context.api.run(run);
  if (!params_code) throw new Error(`${name} has no params that a cell could set.`);
  insertBelow(notebookOf(context), [`# params of ${name}\n${params_code.trimEnd()}`]);
}

async function insertCells(context: Context, run: string): Promise<void> {
  const panel = notebookOf(context);
  const { cells, note } = await context.api.restoredCells(run);
  if (cells.length === 0) throw new Error(note || 'No cell of this run was kept.');
  insertBelow(panel, cells);
  if (note) Notification.info(note, { autoClose: 8000 });
}

/** `%%sweep` without a space shows the launcher for the cell below it. */
async function sweep(context: Context): Promise<void> {
  const panel = notebookOf(context);
  const source = panel.content.activeCell?.model.sharedModel.getSource() ?? '';
  if (!source.trim()) throw new Error('The active cell is empty.');
  insertBelow(panel, [`%%sweep\n${withoutTrack(source)}`]);
  await NotebookActions.run(panel.content, panel.sessionContext);
}

function notebookOf({ notebooks }: Context): NotebookPanel {
  const panel = notebooks.currentWidget;
  if (!panel)
    throw new Error('Open a notebook first: the cells go below its active one.');
  return panel;
}
