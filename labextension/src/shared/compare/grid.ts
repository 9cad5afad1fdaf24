/**
 * The table: only the rows in view are in the page, however many there are.
 *
 * A circle selects a run for the curves, a star is kept in the store, a click on a head
 * sorts. It shows what the model says and tells what was clicked, nothing else.
 */

import { h, setText } from '../dom';
import { number } from '../format';
import { sparkline } from '../spark';
import { cellText, headText, shortText } from './cells';
import { meanOf, type CompareModel, type Row } from './model';
import type { Column } from './wire';

export const ROW_PX = 24;
const VIEW_PX = 432; // the style sheet allows no more; as yet without rows it is less
const AROUND = 8; // rows kept above and below the view
const SAMPLE = 200; // runs whose texts say how wide a column is
const CHAR_PX = 6.9; // about the width of a digit

/** What can be clicked. */
export interface GridActions {
  sort(column: string): void;
  hide(column: string): void;
  group(column: string): void;
  select(run: string): void;
  star(run: string, on: boolean): void;
  pin(run: string): void;
  baseline(run: string): void;
  toggleGroup(group: string): void;
  /** Rows came into view whose small curves are not known. */
  wantSparks(runs: string[]): void;
}

export class Grid {
  readonly element = h('div', { class: 'nbt-grid', tabindex: '0' });
  private readonly head = h('tr');
  private readonly above = h('tr', { class: 'nbt-gap', 'aria-hidden': 'true' });
  private readonly below = h('tr', { class: 'nbt-gap', 'aria-hidden': 'true' });
  private readonly body = h('tbody');
  private readonly cols = h('colgroup');
  private readonly table = h('table', { class: 'nbt-rows' });
  private rows: Row[] = [];
  private columns: Column[] = [];
  private window: [number, number] = [0, 0];
  private across: [number, number] = [0, 0];
  private edges: number[] = []; // where each column ends
  private colours = new Map<string, string>();
  private readonly sparks = new Map<string, Float64Array | null>();
  private sparkMetric = '';
  private headShape = '';
  private widthShape = '';
  private measured: unknown = null; // the table of the widths
  private drawn: [unknown, string] = [null, ''];

  constructor(
    private readonly model: CompareModel,
    private readonly actions: GridActions,
  ) {
    this.table.append(this.cols, h('thead', {}, this.head), this.body);
    this.element.append(this.table);
    this.element.addEventListener('scroll', () => this.scrolled());
  }

  /** Draw what the model says now. */
  update(colours: Map<string, string>): void {
    const looks = this.model.looks() + JSON.stringify([...colours]);
    // What the kernel says after a click is mostly what is shown already.
    if (this.drawn[0] === this.model.table && this.drawn[1] === looks) return;
    this.drawn = [this.model.table, looks];
    this.colours = colours;
    this.rows = this.model.rows();
    this.columns = this.model.shown();
    if (this.sparkMetric !== this.model.metric) {
      this.sparkMetric = this.model.metric;
      this.sparks.clear();
    }
    this.table.setAttribute('aria-rowcount', String(this.rows.length + 1));
    this.drawHead();
    this.setWidths();
    this.draw();
  }

  /** Made anew only where it differs: who sorts with the keyboard stays on the button. */
  private drawHead(): void {
    const { state, metric } = this.model;
    const names = this.columns.map(({ name }) => name);
    const of = [state?.sort, state?.group, state?.baseline, metric];
    const shape = JSON.stringify([names, this.model.table.ids.length, ...of]);
    if (shape === this.headShape) return;
    this.headShape = shape;
    keepFocus(this.head, () => this.head.replaceChildren(...this.heads()));
  }

  /** A sort leaves them: to measure texts and lay out anew takes longer than to sort. */
  private setWidths(): void {
    const { state, metric, table } = this.model;
    const names = this.columns.map(({ name }) => name);
    const of = [names, metric !== '', Boolean(state?.baseline)];
    const shape = JSON.stringify(of);
    if (shape === this.widthShape && table === this.measured) return;
    [this.widthShape, this.measured] = [shape, table];
    const widths = this.widths();
    let total = 0;
    const edges = widths.map((width) => (total += width));
    this.edges = edges.slice(widths.length - this.columns.length);
    this.table.style.width = `${total}px`;
    this.cols.replaceChildren(
      ...widths.map((width) => h('col', { style: `width: ${width}px` })),
    );
  }

  /** Given, not found out by the page: laying out is what takes the time of a sort. */
  private widths(): number[] {
    const longest = (texts: string[], least: number): number =>
      texts.reduce((most, text) => Math.max(most, Math.min(text.length, 28)), least);
    const sample = this.model.table.names.slice(0, SAMPLE);
    const px = (chars: number): number => Math.ceil(chars * CHAR_PX) + 18;
    const own = this.columns.map((column) => {
      const texts = sample.map((_, run) => cellText(column, run));
      const more = column.steps ? 6 : 0;
      const delta = this.model.state?.baseline && column.kind === 'metric' ? 9 : 0;
      return px(Math.max(headChars(column), longest(texts, 0) + more + delta));
    });
    const spark = this.model.metric ? [px(13)] : [];
    const names = Math.ceil(1.2 * px(longest(sample, 8))); // they are bold
    return [92, names, ...spark, ...own];
  }

  /** Small curves came; null for those that have none. */
  setSparks(asked: readonly string[], curves: Map<string, Float64Array>): void {
    for (const run of asked) this.sparks.set(run, curves.get(run) ?? null);
    for (const row of this.body.querySelectorAll<HTMLElement>('tr[data-run]'))
      this.fillSpark(row.querySelector('.nbt-spark'), row.dataset['run'] ?? '');
  }

  private scrolled(): void {
    const [begin, end] = this.inView();
    const [from, to] = this.window;
    const across = this.columnsInView().join() !== this.across.join();
    if (begin < from || end > to || across) this.draw();
  }

  /** The columns of which something can be seen; all where the page lays nothing out. */
  private columnsInView(): [number, number] {
    const left = this.element.scrollLeft;
    const right = left + (this.element.clientWidth || Infinity);
    const first = this.edges.findIndex((edge) => edge > left);
    const last = this.edges.findIndex((edge) => edge >= right);
    const n = this.columns.length;
    return [first < 0 ? 0 : first, last < 0 ? n : Math.min(last + 1, n)];
  }

  private inView(): [number, number] {
    const top = Math.floor(this.element.scrollTop / ROW_PX);
    const n = Math.ceil(VIEW_PX / ROW_PX);
    return [Math.max(0, top), Math.min(this.rows.length, top + n)];
  }

  private draw(): void {
    const [begin, end] = this.inView();
    const from = Math.max(0, begin - AROUND);
    const to = Math.min(this.rows.length, end + AROUND);
    this.window = [from, to];
    this.across = this.columnsInView();
    this.above.style.height = `${from * ROW_PX}px`;
    this.below.style.height = `${(this.rows.length - to) * ROW_PX}px`;
    const shown = this.rows.slice(from, to).map((row, i) => this.row(row, from + i));
    keepFocus(this.body, () =>
      this.body.replaceChildren(this.above, ...shown, this.below),
    );
    this.askForSparks(this.rows.slice(from, to));
  }

  private askForSparks(rows: readonly Row[]): void {
    if (!this.model.metric) return;
    const missing = rows.flatMap((row) => {
      const id = 'run' in row ? this.model.table.ids[row.run] : undefined;
      return id !== undefined && !this.sparks.has(id) ? [id] : [];
    });
    // Asked for once: what never comes stays empty.
    for (const id of missing) this.sparks.set(id, null);
    if (missing.length) this.actions.wantSparks(missing);
  }

  private heads(): HTMLElement[] {
    const own = [
      h('th', { scope: 'col', class: 'nbt-marks' }),
      this.headCell('name', 'run', null),
    ];
    const spark = this.model.metric
      ? [h('th', { scope: 'col', class: 'nbt-left' }, shortText(this.model.metric))]
      : [];
    const columns = this.columns.map((column) =>
      this.headCell(column.name, headText(column), column),
    );
    return [...own, ...spark, ...columns];
  }

  private headCell(name: string, text: string, column: Column | null): HTMLElement {
    const sort = this.model.state?.sort ?? '';
    const isBy = sort.replace(/^-/, '') === name;
    const mark = !isBy ? '' : sort.startsWith('-') ? ' ▼' : ' ▲';
    const button = h(
      'button',
      {
        type: 'button',
        class: 'nbt-sort',
        title: headTitle(name, column),
        'data-key': name,
      },
      text + mark,
    );
    button.addEventListener('click', () => this.actions.sort(name));
    const cell = h('th', { scope: 'col', title: name }, button);
    if (isBy)
      cell.setAttribute('aria-sort', sort.startsWith('-') ? 'descending' : 'ascending');
    if (!column || !column.numeric) cell.classList.add('nbt-left');
    if (column) cell.append(...this.columnButtons(column));
    return cell;
  }

  private columnButtons(column: Column): HTMLElement[] {
    const hide = iconButton('×', `Hide ${column.name}`, '');
    hide.addEventListener('click', () => this.actions.hide(column.name));
    if (column.kind === 'metric') return [hide];
    const group = iconButton('≡', `Group by ${column.name}`, '');
    const isBy = this.model.state?.group === column.name;
    group.setAttribute('aria-pressed', String(isBy));
    group.addEventListener('click', () => this.actions.group(isBy ? '' : column.name));
    return [group, hide];
  }

  private row(row: Row, at: number): HTMLElement {
    const made = 'run' in row ? this.runRow(row.run) : this.groupRow(row);
    made.setAttribute('aria-rowindex', String(at + 2));
    return made;
  }

  private groupRow(row: { group: string; runs: number[]; open: boolean }): HTMLElement {
    const button = h(
      'button',
      { type: 'button', class: 'nbt-sort', 'aria-expanded': String(row.open) },
      `${row.open ? '▾' : '▸'} ${shortText(row.group)} (${row.runs.length})`,
    );
    button.addEventListener('click', () => this.actions.toggleGroup(row.group));
    const spark = this.model.metric ? [h('td')] : [];
    const means = this.cells((column) => {
      const mean = column.kind === 'metric' ? meanOf(column, row.runs) : null;
      return h('td', {}, mean === null ? '' : `⌀ ${number(mean)}`);
    });
    const name = h('th', { scope: 'row', class: 'nbt-left' }, button);
    return h('tr', { class: 'nbt-group' }, h('td'), name, ...spark, ...means);
  }

  /** Cells of the columns in view; one wide empty cell stands for those beside it. */
  private cells(make: (column: Column) => HTMLElement): HTMLElement[] {
    const [begin, end] = this.across;
    const gap = (n: number): HTMLElement[] =>
      n > 0 ? [h('td', { colspan: String(n) })] : [];
    const shown = this.columns.slice(begin, end).map(make);
    return [...gap(begin), ...shown, ...gap(this.columns.length - end)];
  }

  private runRow(run: number): HTMLElement {
    const { table, state } = this.model;
    const id = table.ids[run] ?? '';
    const isBase = state?.baseline === id;
    const row = h(
      'tr',
      { 'data-run': id },
      h('td', { class: 'nbt-marks' }, ...this.rowMarks(run, id)),
      h(
        'th',
        { scope: 'row', class: 'nbt-left', title: table.names[run] ?? '' },
        shortText(table.names[run] ?? ''),
      ),
      ...(this.model.metric ? [this.sparkCell(id)] : []),
      ...this.cells((column) => this.cell(column, run)),
    );
    if (isBase) row.classList.add('nbt-base');
    else if (state?.pinned.includes(id)) row.classList.add('nbt-pinned');
    return row;
  }

  private rowMarks(run: number, id: string): HTMLElement[] {
    const state = this.model.state;
    const colour = this.colours.get(id);
    const circle = iconButton('●', 'Draw its curve', id);
    circle.setAttribute('aria-pressed', String(colour !== undefined));
    circle.style.color = colour ?? '';
    circle.addEventListener('click', () => this.actions.select(id));
    const isStarred = this.model.isStarred(run);
    const star = iconButton(isStarred ? '★' : '☆', 'Star it', id);
    star.setAttribute('aria-pressed', String(isStarred));
    star.addEventListener('click', () => this.actions.star(id, !isStarred));
    const pin = iconButton('⊤', 'Keep it on top', id);
    pin.setAttribute('aria-pressed', String(state?.pinned.includes(id) ?? false));
    pin.addEventListener('click', () => this.actions.pin(id));
    const base = iconButton('Δ', 'Show the others against it', id);
    base.setAttribute('aria-pressed', String(state?.baseline === id));
    base.addEventListener('click', () => this.actions.baseline(id));
    return [circle, star, pin, base];
  }

  private cell(column: Column, run: number): HTMLElement {
    const text = cellText(column, run);
    const cell = h('td', {}, shortText(text));
    if (text.length > 28) cell.title = text;
    if (!column.numeric) cell.classList.add('nbt-left');
    const marks = this.model.marks(column);
    if (marks.best.has(run)) cell.classList.add('nbt-is-best');
    else if (marks.worst.has(run)) cell.classList.add('nbt-is-worst');
    const step = column.steps?.[run];
    if (step != null && text) cell.append(h('small', {}, ` @${step}`));
    const delta = this.model.delta(column, run);
    if (delta !== null) cell.append(deltaMark(delta, column));
    return cell;
  }

  private sparkCell(id: string): HTMLElement {
    const cell = h('td', { class: 'nbt-left nbt-spark' });
    this.fillSpark(cell, id);
    return cell;
  }

  private fillSpark(cell: Element | null, id: string): void {
    const values = this.sparks.get(id);
    if (values?.length) cell?.replaceChildren(sparkline(values, this.colours.get(id)));
  }
}

/** Draw, and leave the keyboard on the button that stands for the one it was on. */
function keepFocus(root: HTMLElement, draw: () => void): void {
  const before = document.activeElement;
  const key = before instanceof HTMLElement ? before.dataset['key'] : undefined;
  const isHere = before !== null && root.contains(before);
  draw();
  if (!isHere || key === undefined) return;
  const buttons = [...root.querySelectorAll<HTMLElement>('[data-key]')];
  buttons.find((one) => one.dataset['key'] === key)?.focus({ preventScroll: true });
}

function iconButton(text: string, title: string, of: string): HTMLButtonElement {
  const attributes = { type: 'button', class: 'nbt-icon', title, 'aria-label': title };
  return h('button', { ...attributes, 'data-key': `${title} ${of}` }, text);
}

/** Heads are bold, and have room for a mark or a button. */
function headChars(column: Column): number {
  return Math.ceil(1.2 * headText(column).length) + 4;
}

function headTitle(name: string, column: Column | null): string {
  if (column?.goal) return `${name}: best first (${column.goal}), worst first, as is`;
  return `${name}: sort up, down, as is`;
}

function deltaMark(delta: number, column: Column): HTMLElement {
  const mark = h('small', { class: 'nbt-delta' });
  setText(mark, ` ${delta > 0 ? '+' : ''}${number(delta)}`);
  if (column.goal) mark.dataset['good'] = String(delta < 0 === (column.goal === 'min'));
  return mark;
}
