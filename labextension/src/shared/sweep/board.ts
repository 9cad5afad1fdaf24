/** The leaderboard: trials best first, and a way from each of them into a cell. */

import { h, setText } from '../dom';
import { count, number } from '../format';
import type { SweepState, Trial } from './wire';

const FIRST = 25; // rows; a click shows all that the page has

export class Board {
  readonly element = h('div', { class: 'nbt-board' });
  private readonly head = h('tr');
  private readonly body = h('tbody');
  private readonly more = h('button', { type: 'button', class: 'nbt-copy nbt-more' });
  private readonly rest = h('span', { class: 'nbt-muted' });
  private readonly rows = new Map<number, [string, HTMLTableRowElement]>();
  private names = '';
  private showsAll = false;
  private sweep: SweepState | null = null;

  constructor(private readonly promote: (number: number) => void) {
    const caption = h('caption', { class: 'nbt-sr' }, 'Trials, the best first');
    const table = h('table', { class: 'nbt-trials' }, caption, h('thead', {}, this.head), this.body); // prettier-ignore
    this.element.append(h('div', { class: 'nbt-trials-scroll' }, table));
    this.element.append(h('div', { class: 'nbt-rest' }, this.more, this.rest));
    this.more.addEventListener('click', () => {
      this.showsAll = !this.showsAll;
      if (this.sweep) this.update(this.sweep);
    });
  }

  update(sweep: SweepState): void {
    this.sweep = sweep;
    const names = JSON.stringify([sweep.name, sweep.metric, sweep.names]);
    if (names !== this.names) {
      this.names = names;
      this.rows.clear();
      const heads = ['', '#', sweep.metric, ...sweep.names, 'time', 'status', ''];
      this.head.replaceChildren(...heads.map((text) => h('th', { scope: 'col', title: text }, text))); // prettier-ignore
    }
    const shown = this.showsAll ? sweep.rows : sweep.rows.slice(0, FIRST);
    const rows = shown.map((trial, i) => this.rowOf(trial, i, sweep));
    this.place(rows);
    this.element.hidden = sweep.rows.length === 0;
    this.more.hidden = sweep.rows.length <= FIRST;
    setText(this.more, this.showsAll ? 'fewer' : `all ${count(sweep.rows.length)}`);
    setText(this.rest, sweep.n_more ? `and ${count(sweep.n_more)} more` : '');
  }

  /** Rows move seldom: those that stay are not touched, so that focus stays too. */
  private place(rows: HTMLTableRowElement[]): void {
    rows.forEach((row, i) => {
      const there = this.body.children[i] ?? null;
      if (there !== row) this.body.insertBefore(row, there);
    });
    while (this.body.children.length > rows.length)
      this.body.lastElementChild?.remove();
  }

  private rowOf(trial: Trial, place: number, sweep: SweepState): HTMLTableRowElement {
    const rank = trial[1] === 'finished' ? String(place + 1) : '';
    const key = JSON.stringify([trial, rank, sweep.has_kernel]);
    const known = this.rows.get(trial[0]);
    if (known?.[0] === key) return known[1];
    const row = this.newRow(trial, rank, sweep.has_kernel);
    this.rows.set(trial[0], [key, row]);
    return row;
  }

  private newRow(
    [at, status, value, values, seconds, run, error]: Trial,
    rank: string,
    canPromote: boolean,
  ): HTMLTableRowElement {
    const cells = values.map((text) => h('td', { title: text }, text));
    const took = seconds === null ? '' : `${seconds.toPrecision(3)} s`;
    const state = h('td', { class: 'nbt-left' }, dot(status), status);
    if (error) state.append(h('span', { class: 'nbt-why', title: error }, ` ${error}`));
    const row = h(
      'tr',
      { 'data-trial': String(at), 'data-status': status },
      h('td', { class: 'nbt-muted' }, rank),
      h('th', { scope: 'row' }, `#${at}`),
      h('td', { class: rank === '1' ? 'nbt-is-best' : '' }, value === null ? '' : number(value)), // prettier-ignore
      ...cells,
      h('td', { class: 'nbt-muted' }, took),
      state,
      h('td', {}, ...(canPromote && run !== null ? [this.button(at)] : [])),
    );
    return row;
  }

  private button(at: number): HTMLElement {
    const label = `Put trial ${at} below as a tracked cell`;
    const props = { type: 'button', class: 'nbt-promote', 'aria-label': label, title: label }; // prettier-ignore
    const button = h('button', props, '→ %%track');
    button.addEventListener('click', () => this.promote(at));
    return button;
  }
}

function dot(status: string): HTMLElement {
  return h('span', { class: 'nbt-dot', 'data-status': status, 'aria-hidden': 'true' });
}
