/** The JupyterLab extension: panels found again, cells put back, and the side bar. */

import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin,
} from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { Api } from './api';
import { CellInsertion } from './cells';
import { Reattach } from './reattach';
import { RunsSidebar } from './sidebar';
import { ensureStyle } from './style';

const panels: JupyterFrontEndPlugin<void> = {
  id: 'nbtrack:panels',
  description: 'Puts the live panels of running runs back under their cells.',
  autoStart: true,
  requires: [INotebookTracker],
  activate: (app: JupyterFrontEnd, tracker: INotebookTracker) => {
    ensureStyle();
    const api = new Api(app.serviceManager.serverSettings);
    tracker.forEach((panel) => new Reattach(api, panel));
    tracker.widgetAdded.connect((_, panel) => new Reattach(api, panel));
  },
};

const cells: JupyterFrontEndPlugin<void> = {
  id: 'nbtrack:cells',
  description: 'Puts the cells of a slice below the cell that asks for them.',
  autoStart: true,
  requires: [INotebookTracker],
  activate: (_: JupyterFrontEnd, tracker: INotebookTracker) => {
    tracker.forEach((panel) => new CellInsertion(panel));
    tracker.widgetAdded.connect((_, panel) => new CellInsertion(panel));
  },
};

const runs: JupyterFrontEndPlugin<void> = {
  id: 'nbtrack:runs',
  description: 'Lists the latest runs of the running notebooks in the side bar.',
  autoStart: true,
  optional: [ILayoutRestorer],
  activate: (app: JupyterFrontEnd, restorer: ILayoutRestorer | null) => {
    ensureStyle();
    const sidebar = new RunsSidebar(new Api(app.serviceManager.serverSettings));
    restorer?.add(sidebar, sidebar.id);
    app.shell.add(sidebar, 'left', { rank: 650, type: 'nbtrack' });
  },
};

export default [panels, cells, runs];
