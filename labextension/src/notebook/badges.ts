/**
 * A badge below each tracked cell: its latest run with its best value, and how the runs went.
 *
 * The server is asked when a notebook is opened, and a moment after a cell began or ended.
 * Where a run goes on beside an idle kernel, its end is late: it is asked a few times more.
 */

import type { CodeCell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';
import type { CommandRegistry } from '@lumino/commands';
import { Widget, type PanelLayout } from '@lumino/widgets';
import type { Api } from '../api/client';
import type { CellRuns } from '../api/rows';
import { Ids } from '../commands/ids';
import { h, setText } from '../shared/dom';
import { number } from '../shared/format';
import { sparkline } from '../shared/spark';

const SETTLED_MS = 700; // after the cell's end the run's last commit is there, mostly
const TRIES_MAX = 6; // the last is 45 s after the first: on a busy machine it may be late
const CELLS_MAX = 500; // asked for at once

export class Badges {
  private readonly shown = new Map<string, Badge>();
  private waiting = 0;

  constructor(
    private readonly api: Api,
    private readonly panel: NotebookPanel,
    private readonly commands: CommandRegistry,
  ) {
    panel.sessionContext.statusChanged.connect(this.onStatus, this);
    panel.disposed.connect(() => clearTimeout(this.waiting));
    void panel.context.ready.then(() => this.look());
  }

  private onStatus(_: unknown, status: Kernel.Status): void {
    if (status !== 'idle' && status !== 'busy') return;
    clearTimeout(this.waiting);
    this.lookLater(0);
  }

  private lookLater(nth: number): void {
    const wait = SETTLED_MS * 2 ** nth;
    this.waiting = window.setTimeout(() => void this.look(nth), wait);
  }

  private async look(nth = 0): Promise<void> {
    if (this.panel.isDisposed) return;
    const cells = new Map(codeCells(this.panel).map((cell) => [cell.model.id, cell]));
    const ids = [...cells.keys()].slice(0, CELLS_MAX);
    if (ids.length === 0) return;
    const found = await this.api.cells(ids).catch(() => ({}));
    if (this.panel.isDisposed) return;
    for (const [id, runs] of Object.entries<CellRuns>(found)) {
      const cell = cells.get(id);
      if (cell) this.put(cell, runs);
    }
    this.lookAgain(Object.values<CellRuns>(found), nth + 1);
  }

  /** Where the kernel rests and yet a run goes on, its end is about to be written. */
  private lookAgain(all: CellRuns[], nth: number): void {
    const isResting = this.panel.sessionContext.session?.kernel?.status === 'idle';
    if (!isResting || nth >= TRIES_MAX) return;
    if (!all.some(({ run }) => run.status === 'running')) return;
    clearTimeout(this.waiting);
    this.lookLater(nth);
  }

  private put(cell: CodeCell, runs: CellRuns): void {
    const there = this.shown.get(cell.model.id);
    if (there && !there.isDisposed) return there.tell(runs);
    const badge = new Badge(this.commands);
    badge.tell(runs);
    this.shown.set(cell.model.id, badge);
    void cell.ready.then(() => badge.putUnder(cell));
  }
}

/** One badge; of a run that goes on it tells no value, which would be an old one soon. */
export class Badge extends Widget {
  private readonly button = h('button', { type: 'button', class: 'nbt-badge' });
  private run = '';

  constructor(commands: CommandRegistry) {
    super();
    this.addClass('nbt-badge-line');
    this.node.append(this.button);
    this.button.addEventListener('click', () => {
      void commands.execute(Ids.runs, { run: this.run });
      void commands.execute(Ids.open, { run: this.run });
    });
  }

  tell({ run, n_runs, best, spark }: CellRuns): void {
    this.run = run.id;
    const isRunning = run.status === 'running';
    const value = isRunning ? ' · running' : bestOf(run);
    const dot = h('span', { class: 'nbt-dot', 'data-status': run.status });
    const text = h('span');
    setText(text, `${run.name}${value}`);
    const curve = Float64Array.from(spark, (one) => one ?? NaN);
    this.button.replaceChildren(dot, text);
    if (curve.length > 1 && !isRunning) this.button.append(sparkline(curve, undefined));
    const all = best ? `, best of all ${best.name} ${number(best.best)}` : '';
    const how = n_runs > 1 ? `; ${n_runs} runs of this cell${all}` : '';
    const what = isRunning ? '' : value;
    this.button.title = `Latest run ${run.name} (${run.status})${what}${how}`;
  }

  /** Between the cell's text and its output. */
  putUnder(cell: CodeCell): void {
    if (this.isDisposed || cell.isDisposed) return;
    const layout = cell.layout as PanelLayout;
    const input = layout.widgets.findIndex((part) =>
      part.hasClass('jp-Cell-inputWrapper'),
    );
    layout.insertWidget(input + 1, this);
  }
}

function bestOf(run: CellRuns['run']): string {
  return run.best ? ` · ${run.best.name} ${number(run.best.best)}` : '';
}

function codeCells(panel: NotebookPanel): CodeCell[] {
  return panel.content.widgets.filter(
    (cell): cell is CodeCell => cell.model.type === 'code',
  );
}
