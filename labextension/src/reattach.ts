/**
 * Finds the running runs of an open notebook again, after the page was loaded anew.
 *
 * A busy kernel answers no page that came later, and the running cell's output may not
 * have been saved. So the server is asked, and for a run whose cell this page is not
 * executing itself a panel is put below the cell.
 */

import type { Cell, CodeCell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { Poll } from '@lumino/polling';
import { ApiError, type Api, type RunRow } from './api';
import { MountedPanel } from './mounted';
import { outputsOf, putStaticOutput, stalePanels } from './outputs';

const EVERY_MS = 3000; // how soon a run that started later in a queue is found
const LATEST = '50';

export class Reattach {
  private readonly mounted = new Map<string, MountedPanel>();
  private readonly poll: Poll;
  private looked = '';

  constructor(
    private readonly api: Api,
    private readonly panel: NotebookPanel,
  ) {
    this.poll = new Poll({
      name: `nbtrack:notebook-${panel.id}`,
      auto: false,
      factory: () => this.look(),
      frequency: { interval: EVERY_MS, backoff: true, max: 10 * EVERY_MS },
      // Only a busy kernel can have a run that this page does not know of.
      standby: () => (panel.isVisible && this.isBusy ? 'when-hidden' : true),
    });
    panel.sessionContext.kernelChanged.connect(this.refresh, this);
    panel.sessionContext.statusChanged.connect(this.noticed, this);
    panel.disposed.connect(() => this.dispose());
    void this.begin();
  }

  private async begin(): Promise<void> {
    await Promise.all([this.panel.revealed, this.panel.sessionContext.ready]);
    if (!this.panel.isDisposed) this.refresh();
  }

  private get kernel(): string | null {
    return this.panel.sessionContext.session?.kernel?.id ?? null;
  }

  private get isBusy(): boolean {
    return this.panel.sessionContext.session?.kernel?.status === 'busy';
  }

  private refresh(): void {
    void this.poll.refresh();
  }

  private noticed(): void {
    // Waking the poll is enough: it looks after its interval, and while busy.
    if (this.isBusy && this.poll.state.phase === 'standby') void this.poll.start();
  }

  private dispose(): void {
    this.poll.dispose();
    for (const mounted of this.mounted.values()) mounted.dispose();
  }

  private async look(): Promise<void> {
    const kernel = this.kernel;
    if (kernel === null) return;
    const { runs } = await this.api.runs({ kernel, limit: LATEST });
    if (this.panel.isDisposed) return;
    for (const run of runs.filter((one) => one.status === 'running'))
      await this.mount(run);
    if (this.looked === kernel) return;
    this.looked = kernel;
    await this.mend(runs);
  }

  private async mount(run: RunRow): Promise<void> {
    const cell = this.cellOf(run);
    if (!cell || this.mounted.has(run.id)) return;
    await cell.ready;
    if (cell.isDisposed || this.mounted.has(run.id) || isExecutedHere(cell)) return;
    const mounted = new MountedPanel(this.api, cell, run);
    this.mounted.set(run.id, mounted);
    mounted.disposed.connect(() => this.mounted.delete(run.id));
  }

  /** Once per page: pictures of runs that ended while no page was there to get them. */
  private async mend(runs: RunRow[]): Promise<void> {
    const saved = this.panel.context.contentsModel?.last_modified ?? '';
    for (const run of newestPerCell(runs)) {
      const cell = this.cellOf(run);
      if (!cell || run.status === 'running' || isExecutedHere(cell)) continue;
      const isUnsaved = Date.parse(run.ended_at ?? '') > Date.parse(saved);
      if (isUnsaved && outputsOf(cell, run.id).length === 0)
        await putStaticOutput(this.api, cell, run.id);
    }
    for (const cell of this.panel.content.widgets.filter(isCode))
      await this.unfreeze(cell);
  }

  /** A live panel that was saved mid-run shows an error for ever: put the picture. */
  private async unfreeze(cell: CodeCell): Promise<void> {
    for (const run of stalePanels(cell)) {
      if (this.mounted.has(run) || isExecutedHere(cell)) continue;
      try {
        await putStaticOutput(this.api, cell, run);
      } catch (reason) {
        // The run may be in a store of another machine: what was saved stays as it is.
        if (!(reason instanceof ApiError)) throw reason;
      }
    }
  }

  private cellOf(run: RunRow): CodeCell | undefined {
    return this.panel.content.widgets
      .filter(isCode)
      .find((cell) => cell.model.id === run.cell_id);
  }
}

function isCode(cell: Cell): cell is CodeCell {
  return cell.model.type === 'code';
}

/** Whether this page sent the cell to the kernel and still hears its output. */
function isExecutedHere(cell: CodeCell): boolean {
  // Typed as always there; it is not before the first execution.
  const future = cell.outputArea.future as { isDisposed: boolean } | null | undefined;
  return future != null && !future.isDisposed;
}

function newestPerCell(runs: RunRow[]): RunRow[] {
  const seen = new Set<string | null>();
  return runs.filter((run) => !seen.has(run.cell_id) && seen.add(run.cell_id));
}
