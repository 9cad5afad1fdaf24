/** Cells of an open notebook: found by their id, shown, and put below another one. */

import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';

const FLASH_MS = 1600;
const TRACK = /^\s*%%(track|nbtrack)\b.*\n?/;

/** Bring a cell into view and mark it for a moment; null where it is not there. */
export async function revealed(panel: NotebookPanel, id: string): Promise<Cell | null> {
  const notebook = panel.content;
  const at = notebook.widgets.findIndex((cell) => cell.model.id === id);
  const cell = notebook.widgets[at];
  if (!cell) return null;
  notebook.activeCellIndex = at;
  await notebook.scrollToItem(at, 'center');
  notebook.deselectAll();
  cell.addClass('nbt-flash');
  setTimeout(() => cell.removeClass('nbt-flash'), FLASH_MS);
  return cell;
}

/** New code cells below the active one; the last of them becomes active. */
export function insertBelow(panel: NotebookPanel, sources: readonly string[]): void {
  const notebook = panel.content;
  const shared = notebook.model?.sharedModel;
  if (!shared) return;
  const at = notebook.activeCellIndex + 1;
  const cells = sources.map((source) => ({ cell_type: 'code' as const, source }));
  // One step for Undo.
  shared.transact(() => shared.insertCells(at, cells));
  notebook.activeCellIndex = at + cells.length - 1;
  void notebook.scrollToItem(notebook.activeCellIndex, 'smart');
}

/** The cell as it is without its `%%track` line. */
export function withoutTrack(source: string): string {
  return source.replace(TRACK, '');
}
