/** Panes of the main area: opened once each, and put back after a reload. */

import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import type { CommandRegistry } from '@lumino/commands';
import { SplitPanel, type DockLayout, type Widget } from '@lumino/widgets';
import type { Api } from '../api/client';
import type { CellDiff } from '../api/rows';
import { Ids } from '../commands/ids';
import type { State } from '../shared/compare/wire';
import { CellDiffPane } from './cellDiffPane';
import { ComparePane } from './comparePane';
import { RunPane } from './runPane';

type Mode = DockLayout.InsertMode;

export class Panes {
  private readonly runs = new WidgetTracker<MainAreaWidget<RunPane>>({
    namespace: 'nbtrack-run',
  });
  private readonly compares = new WidgetTracker<MainAreaWidget<ComparePane>>({
    namespace: 'nbtrack-compare',
  });
  private nCompares = 0;

  constructor(
    private readonly api: Api,
    private readonly commands: CommandRegistry,
    private readonly shell: JupyterFrontEnd.IShell,
    /** Notebook 7 has one document in its main area, and a place below it. */
    private readonly area: 'main' | 'down',
  ) {}

  restoreBy(restorer: ILayoutRestorer): void {
    void restorer.restore(this.runs, {
      command: Ids.open,
      args: ({ content }) => ({ run: content.run }),
      name: ({ content }) => content.run,
    });
    void restorer.restore(this.compares, {
      command: Ids.compare,
      args: ({ content, id }) => ({ state: { ...content.state } as never, id }),
      name: ({ id }) => id,
    });
  }

  openRun(run: string, mode?: Mode): MainAreaWidget<RunPane> {
    const there = this.runs.find(({ content }) => content.run === run);
    const pane = there ?? this.wrapped(new RunPane(this.api, this.commands, run));
    if (!there) {
      pane.id = `nbtrack-run-${run}`;
      void this.runs.add(pane);
    }
    this.show(pane, mode);
    return pane;
  }

  openCompare(
    state: Partial<State>,
    how: { isDiff?: boolean; id?: string; mode?: Mode } = {},
  ): MainAreaWidget<ComparePane> {
    const pane = this.wrapped(new ComparePane(this.api, state, how.isDiff));
    pane.id = how.id ?? `nbtrack-compare-${Date.now()}-${(this.nCompares += 1)}`;
    pane.content.stateChanged.connect(() => void this.compares.save(pane));
    void this.compares.add(pane);
    this.show(pane, how.mode);
    return pane;
  }

  openCellDiff(name: string, diff: CellDiff): void {
    const pane = this.wrapped(new CellDiffPane(name, diff));
    pane.id = `nbtrack-cell-diff-${Date.now()}`;
    this.show(pane, 'split-right');
  }

  /** A run was edited: pages that show it read it again. */
  reload(run: string): void {
    void this.runs.find(({ content }) => content.run === run)?.content.load();
  }

  private wrapped<T extends Widget>(content: T): MainAreaWidget<T> {
    const pane = new MainAreaWidget({ content });
    pane.toolbar.hide();
    return pane;
  }

  private show(pane: Widget, mode?: Mode): void {
    if (!pane.isAttached) this.shell.add(pane, this.area, mode ? { mode } : {});
    this.shell.activateById(pane.id);
    if (this.area === 'down') halved(pane);
  }
}

/** Notebook 7 gives the place below its document no height at first. */
function halved(pane: Widget): void {
  for (let at = pane.parent; at; at = at.parent)
    if (at instanceof SplitPanel && at.orientation === 'vertical')
      return at.setRelativeSizes([1, 1]);
}
