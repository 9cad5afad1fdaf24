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

interface How {
  isDiff?: boolean;
  /** As it was before a reload. */
  id?: string;
}

export const SELECTED_MAX = 7; // curves that can be told apart

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

  openRun(run: string, mode?: Mode): void {
    this.show(this.runPane(run), mode);
  }

  /** What is put where somebody drops these runs: one's page, or a comparison. */
  madeFor(runs: string[]): Widget {
    const [run] = runs;
    if (run && runs.length === 1) return this.runPane(run);
    return this.comparePane({ runs, selected: runs.slice(0, SELECTED_MAX) });
  }

  openCompare(state: Partial<State>, how: How & { mode?: Mode } = {}): void {
    this.show(this.comparePane(state, how), how.mode);
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

  private runPane(run: string): MainAreaWidget<RunPane> {
    const there = this.runs.find(({ content }) => content.run === run);
    if (there) return there;
    const pane = this.wrapped(new RunPane(this.api, this.commands, run));
    pane.id = `nbtrack-run-${run}`;
    void this.runs.add(pane);
    return pane;
  }

  private comparePane(
    state: Partial<State>,
    { isDiff = false, id }: How = {},
  ): MainAreaWidget<ComparePane> {
    const pane = this.wrapped(new ComparePane(this.api, state, isDiff));
    pane.id = id ?? `nbtrack-compare-${Date.now()}-${(this.nCompares += 1)}`;
    pane.content.stateChanged.connect(() => void this.compares.save(pane));
    void this.compares.add(pane);
    return pane;
  }

  private wrapped<T extends Widget>(content: T): MainAreaWidget<T> {
    const pane = new MainAreaWidget({ content });
    pane.toolbar.hide();
    return pane;
  }

  private show(pane: Widget, mode?: Mode): void {
    if (!pane.parent) this.shell.add(pane, this.area, mode ? { mode } : {});
    // Before 7.3 it has no such place, and only warns.
    if (!pane.parent) this.shell.add(pane, 'right');
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
