/** The small table: the last five values of each metric, and what must be said of it. */

import { h, setText } from './dom';
import { count, number } from './format';
import type { PanelModel, Series } from './model';
import type { MetricMeta } from './wire';

const LAST = 5;
const ROWS_MAX = 16;

export class LastValues {
  readonly element = h('div', { class: 'nbt-table-scroll' });
  private readonly body = h('tbody');
  private readonly rows = new Map<string, HTMLTableRowElement>();
  private readonly more = h('div', { class: 'nbt-muted' });

  constructor(private readonly model: PanelModel) {
    const head = [
      'metric',
      ...Array<string>(LAST - 1).fill(''),
      'last',
      'best',
      'points',
    ];
    this.element.append(
      h(
        'table',
        { class: 'nbt-table' },
        h('caption', { class: 'nbt-sr' }, `The last ${LAST} values of each metric`),
        h(
          'thead',
          {},
          h('tr', {}, ...head.map((text) => h('th', { scope: 'col' }, text))),
        ),
        this.body,
      ),
      this.more,
    );
  }

  update(): void {
    const all = this.model.families().flatMap((family) => family.metrics);
    const shown = all.slice(0, ROWS_MAX);
    const rows = shown.map((meta) => this.row(meta));
    const isSame = rows.every((row, i) => this.body.children[i] === row);
    if (!isSame || this.body.children.length !== rows.length)
      this.body.replaceChildren(...rows);
    const hidden = all.length - shown.length;
    setText(this.more, hidden ? `and ${hidden} more metrics` : '');
    this.element.hidden = all.length === 0;
  }

  private row(meta: MetricMeta): HTMLTableRowElement {
    const row = this.rows.get(meta.name) ?? newRow(meta.name);
    this.rows.set(meta.name, row);
    cellTexts(meta, this.model.series.get(meta.name)).forEach((text, i) => {
      const cell = row.cells[i + 1];
      if (cell) setText(cell, text);
    });
    return row;
  }
}

/** What is said of a metric besides its numbers: thinned 1:20, NaN@120. */
export function remarks(meta: MetricMeta): string {
  const parts: string[] = [];
  if (meta.thinned > 1) parts.push(`thinned 1:${count(meta.thinned)}`);
  if (meta.first_nan_step !== null) parts.push(`NaN@${meta.first_nan_step}`);
  return parts.join(' · ');
}

function cellTexts(meta: MetricMeta, series: Series | undefined): string[] {
  const values = [...(series?.value.view().slice(-LAST) ?? [])].map(number);
  const last = [...Array<string>(LAST - values.length).fill(''), ...values];
  const best = meta.goal ? `${number(meta.best)} @ ${number(meta.best_step)}` : '';
  return [...last, best, count(meta.n), remarks(meta)];
}

function newRow(name: string): HTMLTableRowElement {
  const cells = Array.from({ length: LAST + 3 }, () => h('td'));
  cells[LAST - 1]?.classList.add('nbt-last');
  cells.at(-1)?.classList.add('nbt-note');
  return h('tr', {}, h('th', { scope: 'row', title: name }, name), ...cells);
}
