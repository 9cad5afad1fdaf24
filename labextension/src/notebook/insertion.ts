/**
 * Puts cells below the running one when a kernel asks for it: `%restore`.
 *
 * The kernel opens a comm and says hello with the id of its cell; the page whose notebook
 * has that cell answers, and is then sent texts. They become code cells and nothing else:
 * they are never run, and of a message that is not as agreed nothing is taken.
 */

import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';

export const TARGET = 'nbtrack.cells'; // as in nbtrack/notebook/cell_insertion.py
const CELLS_MAX = 500;
const CHARS_MAX = 2_000_000;

/** The texts of a message that asks for cells; null for any other message. */
export function textsOf(message: unknown): string[] | null {
  const { type, cells } = (message ?? {}) as { type?: unknown; cells?: unknown };
  if (type !== 'insert' || !Array.isArray(cells)) return null;
  if (cells.length === 0 || cells.length > CELLS_MAX) return null;
  if (!cells.every((text): text is string => typeof text === 'string')) return null;
  const size = cells.reduce((sum, text) => sum + text.length, 0);
  return size <= CHARS_MAX ? cells : null;
}

/** The id of the cell that asks; null where the message names none. */
export function cellOf(message: unknown): string | null {
  const { type, cell } = (message ?? {}) as { type?: unknown; cell?: unknown };
  return type === 'hello' && typeof cell === 'string' ? cell : null;
}

export class CellInsertion {
  private kernel: Kernel.IKernelConnection | null = null;

  constructor(private readonly panel: NotebookPanel) {
    panel.sessionContext.kernelChanged.connect(this.listen, this);
    panel.disposed.connect(() => this.forget());
    this.listen();
  }

  private listen(): void {
    this.forget();
    this.kernel = this.panel.sessionContext.session?.kernel ?? null;
    this.kernel?.registerCommTarget(TARGET, this.opened);
  }

  private forget(): void {
    if (this.kernel && !this.kernel.isDisposed)
      this.kernel.removeCommTarget(TARGET, this.opened);
    this.kernel = null;
  }

  private readonly opened = (
    comm: Kernel.IComm,
    opening: { content: object },
  ): void => {
    const { data } = opening.content as { data?: unknown };
    const cell = cellOf(data);
    const place = cell === null ? -1 : this.placeOf(cell);
    if (place < 0) {
      comm.close();
      return;
    }
    comm.onMsg = (message) => {
      const texts = textsOf(message.content.data);
      if (texts === null || cell === null) return;
      const n = this.insert(texts, cell);
      comm.send({ type: 'done', n });
      comm.onMsg = () => undefined; // once
    };
    comm.send({ type: 'ready' });
  };

  private placeOf(cell: string): number {
    return this.panel.content.widgets.findIndex((one) => one.model.id === cell);
  }

  private insert(texts: string[], below: string): number {
    const notebook = this.panel.content.model?.sharedModel;
    const place = this.placeOf(below);
    if (!notebook || place < 0) return 0;
    const cells = texts.map((source) => ({ cell_type: 'code' as const, source }));
    // One step for Undo.
    notebook.transact(() => notebook.insertCells(place + 1, cells));
    return cells.length;
  }
}
