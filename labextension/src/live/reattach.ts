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
import type { Api } from '../api/client';
import type { RunRow } from '../api/rows';
import { MountedPanel } from './mounted';
import { outputsOf, putStaticOutput, stalePanels } from './outputs';

const EVERY_MS = 3000; // how soon a run that started later in a queue is found
const LATEST = '50';

export class Reattach {
  private readonly mounted = new Map<string, MountedPanel>();
  private readonly poll: Poll;
  private mendedFor: string | null = null;

  constructor(
    private readonly api: Api,
    private readonly panel: NotebookPanel,
  ) {
    this.poll = new Poll({
      name: `nbtrack:notebook-${panel.id}`,
      factory: () => this.look(),
      frequency: { interval: EVERY_MS, backoff: true, max: 10 * EVERY_MS },
      standby: () => (panel.isVisible && this.isOfInterest ? 'when-hidden' : true),
    });
    panel.sessionContext.kernelChanged.connect(this.refresh, this);
    panel.disposed.connect(() => this.dispose());
  }

  private get kernel(): string | null {
    return this.panel.sessionContext.session?.kernel?.id ?? null;
  }

  /** Only a kernel that is not idle can have a run that this page does not know of. */
  private get isOfInterest(): boolean {
    const isIdle = this.panel.sessionContext.session?.kernel?.status === 'idle';
    return !isIdle || this.mounted.size > 0 || this.mendedFor !== this.kernel;
  }

  private refresh(): void {
    void this.poll.refresh();
  }

  private dispose(): void {
    this.poll.dispose();
    for (const mounted of this.mounted.values()) mounted.dispose();
  }

  private async look(): Promise<void> {
    const kernel = this.kernel;
    if (kernel === null || !this.panel.context.isReady) return;
    const { runs } = await this.api.runs({ kernel, limit: LATEST });
    if (this.panel.isDisposed) return;
    const running = runs.filter((run) => run.status === 'running');
    for (const run of running) this.mount(run);
    this.takeDown(new Set(running.map((run) => run.id)));
    if (this.mendedFor === kernel) return;
    this.mendedFor = kernel;
    await this.mend(runs);
  }

  private mount(run: RunRow): void {
    const cell = this.cellOf(run);
    if (!cell || this.mounted.has(run.id) || isExecutedHere(cell)) return;
    const mounted = new MountedPanel(this.api, cell, run.id);
    this.mounted.set(run.id, mounted);
    mounted.disposed.connect(() => this.mounted.delete(run.id));
  }

  /** Also those that nobody sees: the saved notebook is to have their picture. */
  private takeDown(running: Set<string>): void {
    for (const [id, mounted] of this.mounted) if (!running.has(id)) mounted.leave();
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
      await putStaticOutput(this.api, cell, run);
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
  // Typed as always there; they are not before the cell is drawn and executed.
  const area = cell.outputArea as
    { future?: { isDisposed: boolean } | null } | undefined;
  return area?.future != null && !area.future.isDisposed;
}

function newestPerCell(runs: RunRow[]): RunRow[] {
  const seen = new Set<string | null>();
  return runs.filter((run) => !seen.has(run.cell_id) && seen.add(run.cell_id));
}
