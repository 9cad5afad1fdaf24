/** Every command: registered once, in the palette and in the menu of a run. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import { cellVerbs } from './cells';
import { telling, type Context } from './context';
import { Ids } from './ids';
import { layoutVerbs } from './layout';
import { modelVerbs } from './models';
import { runVerbs } from './runs';

const CATEGORY = 'nbtrack';
const RUN = '.nbt-sidebar .nbt-run';
const IN_MENU = [
  [Ids.open, Ids.compare, Ids.toCell],
  [Ids.star, Ids.tag, Ids.note, Ids.rename],
  [Ids.insertParams, Ids.insertCells, Ids.script, Ids.bundle],
  [Ids.stop, Ids.trash, Ids.restore],
];

export function addCommands(
  app: JupyterFrontEnd,
  context: Context,
  palette: ICommandPalette | null,
): void {
  const verbs = {
    ...runVerbs(context),
    ...cellVerbs(context),
    ...modelVerbs(context),
    ...layoutVerbs(context, app.shell),
  };
  for (const [command, { label, caption, isEnabled, execute }] of Object.entries(
    verbs,
  )) {
    app.commands.addCommand(command, {
      label,
      caption,
      isEnabled: isEnabled ?? (() => true),
      execute: async (args) => telling(() => execute(args)),
    });
    palette?.addItem({ command, category: CATEGORY });
  }
  addMenu(app);
}

function addMenu({ contextMenu }: JupyterFrontEnd): void {
  IN_MENU.forEach((group, i) => {
    const rank = i * 10;
    if (i > 0) contextMenu.addItem({ type: 'separator', selector: RUN, rank });
    for (const command of group)
      contextMenu.addItem({ command, selector: RUN, rank: rank + 1 });
  });
}
