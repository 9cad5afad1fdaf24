/** The live panel of a running run, below the output of its cell. */

import type { CodeCell } from '@jupyterlab/cells';
import { Widget, type PanelLayout } from '@lumino/widgets';
import type { Api, RunRow } from './api';
import { outputsOf, putStaticOutput } from './outputs';
import { PolledSource } from './polled';
import { mountPanel } from './shared/panel';
import type { Disposable } from './shared/wire';

const STALE_CLASS = 'nbt-stale-output';

/** Takes itself down when the run has ended, and leaves the picture in the cell. */
export class MountedPanel extends Widget {
  private readonly source: PolledSource;
  private readonly panel: Disposable;

  constructor(
    private readonly api: Api,
    private readonly cell: CodeCell,
    private readonly run: RunRow,
  ) {
    super();
    this.addClass('nbt-mounted');
    this.source = new PolledSource(
      api,
      run.id,
      () => this.isVisible,
      () => void this.leave(),
    );
    this.panel = mountPanel(this.node, this.source, { stop: () => void this.stop() });
    this.putUnder(cell);
    this.hideStaleOutputs();
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.panel.dispose();
    this.source.dispose();
    super.dispose();
  }

  private async stop(): Promise<void> {
    await this.api.stop(this.run.id);
    this.source.resync();
  }

  private putUnder(cell: CodeCell): void {
    const layout = cell.layout as PanelLayout;
    // Last is the cell's footer. Inside the output area every child stands for one
    // output of the model, so the panel stands beside it.
    layout.insertWidget(layout.widgets.length - 1, this);
  }

  /** The widget that the reload left without its kernel side only says so: hide it. */
  private hideStaleOutputs(): void {
    for (const index of outputsOf(this.cell, this.run.id))
      this.cell.outputArea.widgets[index]?.addClass(STALE_CLASS);
  }

  private async leave(): Promise<void> {
    try {
      if (!this.cell.isDisposed)
        await putStaticOutput(this.api, this.cell, this.run.id);
    } finally {
      this.dispose();
    }
  }
}
