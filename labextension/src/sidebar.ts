/** The side bar: the latest runs of the running notebooks, live while it is open. */

import { Poll } from '@lumino/polling';
import { Widget } from '@lumino/widgets';
import type { Api, RunList, RunRow } from './api';
import { runsIcon } from './icon';
import { h } from './shared/dom';
import { number } from './shared/format';

const EVERY_MS = 1000;
const LIMIT = '100';

export class RunsSidebar extends Widget {
  private readonly list = h('ul', { class: 'nbt-runs', 'aria-label': 'Latest runs' });
  private readonly note = h('p', { class: 'nbt-runs-note', role: 'status' });
  private readonly poll: Poll;
  private shown = '';

  constructor(private readonly api: Api) {
    super();
    this.id = 'nbtrack-runs';
    this.title.caption = 'nbtrack: experiment runs';
    this.title.icon = runsIcon;
    this.addClass('nbt-sidebar');
    this.poll = new Poll({
      name: 'nbtrack:runs',
      auto: false,
      factory: () => this.refresh(),
      frequency: { interval: EVERY_MS, backoff: true, max: 30 * EVERY_MS },
      standby: () => (this.isVisible ? 'when-hidden' : true),
    });
    this.node.append(this.head(), this.note, this.list);
  }

  override dispose(): void {
    this.poll.dispose();
    super.dispose();
  }

  protected override onAfterShow(): void {
    void this.poll.refresh();
  }

  private head(): HTMLElement {
    const button = h(
      'button',
      { type: 'button', title: 'Ask the stores again' },
      'Refresh',
    );
    button.addEventListener('click', () => void this.poll.refresh());
    return h('header', { class: 'nbt-runs-head' }, h('h2', {}, 'Runs'), button);
  }

  private async refresh(): Promise<void> {
    try {
      this.display(await this.api.runs({ limit: LIMIT }));
    } catch (reason) {
      this.note.textContent = `The server did not answer: ${String(reason)}`;
      throw reason;
    }
  }

  private display(list: RunList): void {
    const text = JSON.stringify(list);
    if (text === this.shown) return;
    this.shown = text;
    this.note.textContent = noteOf(list);
    this.list.replaceChildren(...list.runs.map(rowOf));
  }
}

function noteOf({ runs, problems }: RunList): string {
  const troubles = problems.map((one) => `${one.store}: ${one.message}`);
  if (runs.length === 0)
    troubles.push('No runs yet. Put %%track on a cell of an open notebook and run it.');
  return troubles.join('\n');
}

function rowOf(run: RunRow): HTMLElement {
  const best = run.best ? `${run.best.name} ${number(run.best.best)}` : '';
  return h(
    'li',
    { title: `${run.name} · ${run.status} · ${run.started_at}` },
    h('span', { class: 'nbt-dot', 'data-status': run.status }),
    h('span', { class: 'nbt-run-name' }, run.name),
    h('span', { class: 'nbt-sr' }, run.status),
    h('span', { class: 'nbt-run-best' }, best),
  );
}
