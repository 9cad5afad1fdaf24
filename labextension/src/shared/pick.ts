/** The card of a clicked point: the checkpoint before it and the line that loads it. */

import { copyButton } from './copy';
import { h, setText } from './dom';
import { number } from './format';
import { loadLine, type Pick } from './marks';
import type { CheckpointMeta } from './wire';

export class PickCard {
  readonly element = h('div', { class: 'nbt-pick', hidden: '', role: 'status' });
  private readonly point = h('span', { class: 'nbt-muted' });
  private readonly found = h('b');
  private readonly facts = h('span', { class: 'nbt-muted' });
  private readonly code = h('code', { class: 'nbt-load' });
  private readonly copy = copyButton(this.code);
  private readonly close = h('button', { type: 'button', class: 'nbt-close' }, '×');

  constructor() {
    this.close.setAttribute('aria-label', 'Close');
    this.element.append(this.point, this.found, this.facts, this.code, this.copy);
    this.element.append(this.close);
    this.close.addEventListener('click', () => (this.element.hidden = true));
  }

  /** `hasOlder`: there are checkpoints that the panel does not have. */
  show(runId: string, { metric, step, value, mark }: Pick, hasOlder: boolean): void {
    setText(this.point, `${metric} ${number(value)} @ step ${number(step)} →`);
    setText(this.found, mark ? `${mark.name}:v${mark.version}` : '');
    setText(this.facts, mark ? factsOf(mark) : none(hasOlder));
    const isThere = mark !== null && mark.gone === null;
    setText(this.code, isThere ? loadLine(runId, mark) : '');
    this.code.hidden = this.copy.hidden = !isThere;
    this.element.hidden = false;
  }
}

function none(hasOlder: boolean): string {
  return hasOlder
    ? 'older checkpoints are in %artifacts'
    : 'no checkpoint was saved up to here';
}

function factsOf(mark: CheckpointMeta): string {
  const metrics = Object.entries(mark.metrics);
  const parts = [`@ step ${mark.step}`];
  parts.push(...metrics.map(([name, value]) => `${name} ${number(value)}`));
  if (mark.gone) parts.push(`${mark.gone}: its file is not kept any more`);
  return parts.join(' · ');
}
