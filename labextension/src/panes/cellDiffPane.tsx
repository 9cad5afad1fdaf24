/** How a cell of the open notebook differs from what a run was made with. */

import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';
import type { CellDiff } from '../api/rows';
import { runsIcon } from '../icon';
import { Lines } from './diffView';

export class CellDiffPane extends ReactWidget {
  constructor(
    private readonly name: string,
    private readonly diff: CellDiff,
  ) {
    super();
    this.addClass('nbt-diff-pane');
    this.title.icon = runsIcon;
    this.title.label = `cell since ${name}`;
    this.title.closable = true;
  }

  protected override render(): React.JSX.Element {
    return (
      <article className="nbt-diff" aria-label="Difference of two cells">
        <h3>Left: the cell that made {this.name}. Right: the cell as it is now.</h3>
        {this.diff.same ? <p>They are the same.</p> : <Lines lines={this.diff.lines} />}
      </article>
    );
  }
}
