/** The live panel of a running run, below the output of its cell. */

import type { CodeCell } from '@jupyterlab/cells';
import { Widget, type PanelLayout } from '@lumino/widgets';
import type { Api } from '../api/client';
import { outputsOf, putStaticOutput } from './outputs';
import { PolledSource } from './polled';
import { mountPanel } from '../shared/panel';
import type { Disposable } from '../shared/wire';

const STALE_CLASS = 'nbt-stale-output';

/** Takes itself down when the run has ended, and leaves the picture in the cell. */
export class MountedPanel extends Widget {
  private readonly source: PolledSource;
  private readonly panel: Disposable;
  private isLeaving = false;

  constructor(
    private readonly api: Api,
    private readonly cell: CodeCell,
    private readonly run: string,
  ) {
    super();
    this.addClass('nbt-mounted');
    this.source = new PolledSource(
      api,
      run,
      () => this.isVisible,
      () => this.leave(),
    );
    this.panel = mountPanel(this.node, this.source, { stop: () => void this.stop() });
    void cell.ready.then(() => this.putUnder(cell));
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.panel.dispose();
    this.source.dispose();
    super.dispose();
  }

  /** The run has ended: put its picture into the cell, then go. */
  leave(): void {
    if (this.isLeaving) return;
    this.isLeaving = true;
    void putStaticOutput(this.api, this.cell, this.run).finally(() => this.dispose());
  }

  private async stop(): Promise<void> {
    await this.api.stop(this.run);
    this.source.resync();
  }

  private putUnder(cell: CodeCell): void {
    if (this.isDisposed || cell.isDisposed) return;
    const layout = cell.layout as PanelLayout;
    // Last is the cell's footer. Inside the output area every child stands for one
    // output of the model, so the panel stands beside it.
    layout.insertWidget(layout.widgets.length - 1, this);
    this.hideStaleOutputs();
  }

  /** The widget that the reload left without its kernel side only says so: hide it. */
  private hideStaleOutputs(): void {
    for (const index of outputsOf(this.cell, this.run))
      this.cell.outputArea.widgets[index]?.addClass(STALE_CLASS);
  }
}
