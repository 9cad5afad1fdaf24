/** The JupyterLab extension: panels found again, cells put back, badges, the side bar. */

import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin,
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { IStateDB } from '@jupyterlab/statedb';
import type { Widget } from '@lumino/widgets';
import { AlertFeed } from './alerts/feed';
import { showToasts } from './alerts/toasts';
import { Api } from './api/client';
import { addCommands } from './commands/all';
import { Ids } from './commands/ids';
import { Reattach } from './live/reattach';
import { Badges } from './notebook/badges';
import { CellInsertion } from './notebook/insertion';
import { Panes } from './panes/panes';
import { RunsSidebar, type SideState } from './sidebar/sidebar';
import { ensureStyle } from './style';

const STATE = 'nbtrack:sidebar';

const panels: JupyterFrontEndPlugin<void> = {
  id: 'nbtrack:panels',
  description: 'Puts the live panels of running runs back under their cells.',
  autoStart: true,
  requires: [INotebookTracker],
  activate: (app: JupyterFrontEnd, tracker: INotebookTracker) => {
    ensureStyle();
    const api = apiOf(app);
    forEach(tracker, (panel) => new Reattach(api, panel));
  },
};

const cells: JupyterFrontEndPlugin<void> = {
  id: 'nbtrack:cells',
  description: 'Puts the cells of a slice below the cell that asks for them.',
  autoStart: true,
  requires: [INotebookTracker],
  activate: (_: JupyterFrontEnd, tracker: INotebookTracker) => {
    forEach(tracker, (panel) => new CellInsertion(panel));
  },
};

const badges: JupyterFrontEndPlugin<void> = {
  id: 'nbtrack:badges',
  description: 'Shows the latest run of a tracked cell below it.',
  autoStart: true,
  requires: [INotebookTracker],
  activate: (app: JupyterFrontEnd, tracker: INotebookTracker) => {
    ensureStyle();
    const api = apiOf(app);
    forEach(tracker, (panel) => new Badges(api, panel, app.commands));
  },
};

const runs: JupyterFrontEndPlugin<void> = {
  id: 'nbtrack:runs',
  description: 'The runs in the side bar, their pages, and what can be done with them.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ILabShell, ILayoutRestorer, ICommandPalette, IStateDB],
  activate: (
    app: JupyterFrontEnd,
    notebooks: INotebookTracker,
    lab: ILabShell | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    states: IStateDB | null,
  ) => {
    ensureStyle();
    const { commands, shell } = app;
    const api = apiOf(app);
    const panes = new Panes(api, commands, shell, lab ? 'main' : 'down');
    const save = (state: SideState): void => void states?.save(STATE, { ...state });
    const make = (dragged: string[]): Widget => panes.madeFor(dragged);
    const busy = (): boolean => isBusy(notebooks);
    const alerts = alertsOf(app, api, busy);
    const sidebar = new RunsSidebar(api, commands, make, save, alerts, busy);
    addCommands(app, { commands, api, sidebar, panes, notebooks }, palette);
    shell.add(sidebar, 'left', { rank: 650, type: 'nbtrack' });
    if (restorer) {
      restorer.add(sidebar, sidebar.id);
      panes.restoreBy(restorer);
    }
    void states?.fetch(STATE).then((state) => {
      if (state) sidebar.restore(state as unknown as SideState);
    });
    lookWhenSomethingHappened(app, notebooks, () => {
      sidebar.feed.look();
      alerts.look();
    });
  },
};

/** Alerts are toasts; who opens the page of a run has seen its own. */
function alertsOf(
  { commands }: JupyterFrontEnd,
  api: Api,
  isBusy: () => boolean,
): AlertFeed {
  const feed = new AlertFeed(api, isBusy);
  const open = (run: string): void => void commands.execute(Ids.open, { run });
  feed.raised.connect((_, alerts) => showToasts(alerts, open));
  commands.commandExecuted.connect((_, { id, args }) => {
    const run = (args as { run?: unknown }).run;
    if (id === Ids.open && typeof run === 'string') void feed.see(run);
  });
  return feed;
}

/** A store is born in a cell: what may have made one is a reason to look. */
function lookWhenSomethingHappened(
  { serviceManager }: JupyterFrontEnd,
  notebooks: INotebookTracker,
  look: () => void,
): void {
  serviceManager.sessions.runningChanged.connect(look);
  forEach(notebooks, (panel) => panel.sessionContext.statusChanged.connect(look));
}

function isBusy(notebooks: INotebookTracker): boolean {
  const running = notebooks.find(
    ({ sessionContext }) => sessionContext.session?.kernel?.status === 'busy',
  );
  return running !== undefined;
}

function forEach(
  tracker: INotebookTracker,
  does: (panel: NotebookPanel) => void,
): void {
  tracker.forEach(does);
  tracker.widgetAdded.connect((_, panel) => does(panel));
}

function apiOf(app: JupyterFrontEnd): Api {
  return new Api(app.serviceManager.serverSettings);
}

/** How long the start of the page waits for us, told to the browser's profiler. */
function timed(plugin: JupyterFrontEndPlugin<void>): JupyterFrontEndPlugin<void> {
  const activate: typeof plugin.activate = (...given) => {
    const start = performance.now();
    const activated = plugin.activate(...given);
    performance.measure(plugin.id, { start });
    return activated;
  };
  return { ...plugin, activate };
}

export default [panels, cells, badges, runs].map(timed);
