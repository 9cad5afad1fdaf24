/** The controls above the table: the query, what is shown, how curves are drawn. */

import { copyButton } from '../copy';
import { h, setText } from '../dom';
import type { CompareModel } from './model';
import type { State } from './wire';

const X_OF_ALL = ['step', 'time', 'relative'];

export interface BarActions {
  change(part: Partial<State>): void;
  refresh(): void;
}

export class Bar {
  readonly element = h('div', { class: 'nbt-bar' });
  readonly curveBar = h('div', { class: 'nbt-bar' });
  readonly foot = h('div', { class: 'nbt-line' });
  private readonly query = h('input', {
    class: 'nbt-query',
    type: 'search',
    spellcheck: 'false',
    // Letters are text here, not shortcuts of the notebook.
    'data-lm-suppress-shortcuts': 'true',
    placeholder: 'loss < .3 and params.opt == "adam"',
    'aria-label': 'Query: which runs',
  });
  private readonly error = h('div', { class: 'nbt-error', role: 'alert' });
  private readonly count = h('span', { class: 'nbt-muted' });
  private readonly columns = h('details', { class: 'nbt-columns' });
  private readonly columnList = h('div', { class: 'nbt-column-list' });
  private readonly columnHead = h('summary', {}, 'columns');
  private readonly allParams = checkbox('all params');
  private readonly metric = h('select', { 'aria-label': 'Metric of the curves' });
  private readonly x = h('select', { 'aria-label': 'x axis of the curves' });
  private readonly smooth = h('input', {
    type: 'range',
    min: '0',
    max: '0.99',
    step: '0.01',
    'aria-label': 'Smoothing',
  });
  private readonly smoothValue = h('span', { class: 'nbt-muted' });
  private readonly logX = checkbox('log x');
  private readonly logY = checkbox('log y');
  private readonly clip = checkbox('no outliers');
  private readonly bands = checkbox('group means');
  private readonly code = h('code', { class: 'nbt-load' });

  private asked = '';

  constructor(
    private readonly model: CompareModel,
    private readonly actions: BarActions,
  ) {
    const refresh = h('button', { type: 'button', class: 'nbt-copy' }, 'Refresh');
    refresh.addEventListener('click', () => actions.refresh());
    this.columns.append(this.columnHead, this.columnList);
    this.element.append(this.query, this.count, this.columns);
    this.element.append(this.allParams.label, refresh, this.error);
    this.curveBar.append(
      labelled('metric', this.metric),
      labelled('x', this.x),
      labelled('smooth', this.smooth, this.smoothValue),
      this.logX.label,
      this.logY.label,
      this.clip.label,
      this.bands.label,
    );
    this.foot.append(this.code, copyButton(this.code));
    this.listen();
  }

  update(axes: readonly string[]): void {
    const state = this.model.state;
    if (!state) return;
    if (document.activeElement !== this.query) this.query.value = state.query;
    const { ids, n_all } = this.model.table;
    const all = n_all === 1 ? '1 run' : `${n_all} runs`;
    setText(this.count, ids.length === n_all ? all : `${ids.length} of ${all}`);
    this.allParams.box.checked = state.all_params;
    this.logX.box.checked = state.log_x;
    this.logY.box.checked = state.log_y;
    this.clip.box.checked = state.clip;
    this.bands.box.checked = state.bands;
    this.bands.label.hidden = state.group === '';
    this.smooth.value = String(state.smooth);
    setText(this.smoothValue, state.smooth ? state.smooth.toFixed(2) : 'off');
    const metrics = this.metrics();
    choose(this.metric, metrics, this.model.metric);
    const others = metrics.filter((name) => name !== this.model.metric);
    choose(this.x, [...X_OF_ALL, ...axes, ...others], state.x);
    this.listColumns(state);
    setText(this.code, this.model.line);
  }

  showError(text: string): void {
    setText(this.error, text);
    this.error.hidden = text === '';
  }

  private metrics(): string[] {
    const columns = this.model.table.columns.filter(({ kind }) => kind === 'metric');
    return columns.map(({ name }) => name.slice(name.indexOf('.') + 1));
  }

  private listColumns(state: State): void {
    const shown = new Set(this.model.shown().map(({ name }) => name));
    setText(
      this.columnHead,
      `columns (${shown.size} of ${this.model.table.columns.length})`,
    );
    if (!this.columns.open) return;
    const boxes = this.model.table.columns.map((column) => {
      const { box, label } = checkbox(column.name);
      box.checked = shown.has(column.name);
      box.addEventListener('change', () =>
        this.showColumn(state, column.name, box.checked),
      );
      return label;
    });
    this.columnList.replaceChildren(...boxes);
  }

  /** Hidden ones are named while the rest follows the rule; else all are named. */
  private showColumn(state: State, name: string, on: boolean): void {
    const shown = this.model.shown().map((column) => column.name);
    const hidden = state.hidden.filter((other) => other !== name);
    if (!on && !state.columns.length)
      this.actions.change({ hidden: [...hidden, name] });
    else if (on && state.hidden.includes(name)) this.actions.change({ hidden });
    else {
      const columns = on ? [...shown, name] : shown.filter((other) => other !== name);
      this.actions.change({ columns });
    }
  }

  private listen(): void {
    const { change } = this.actions;
    this.error.hidden = true;
    this.query.addEventListener('change', () => this.ask());
    this.query.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') this.ask();
    });
    this.columns.addEventListener('toggle', () => {
      if (this.model.state) this.listColumns(this.model.state);
    });
    const boxes = [
      [this.allParams, 'all_params'],
      [this.logX, 'log_x'],
      [this.logY, 'log_y'],
      [this.clip, 'clip'],
      [this.bands, 'bands'],
    ] as const;
    for (const [{ box }, name] of boxes)
      box.addEventListener('change', () => change({ [name]: box.checked }));
    this.metric.addEventListener('change', () => change({ metric: this.metric.value }));
    this.x.addEventListener('change', () => change({ x: this.x.value }));
    this.smooth.addEventListener('input', () =>
      setText(this.smoothValue, Number(this.smooth.value).toFixed(2)),
    );
    this.smooth.addEventListener('change', () =>
      change({ smooth: Number(this.smooth.value) }),
    );
  }

  /** Enter and leaving the box ask; what was asked is not asked again. */
  private ask(): void {
    const query = this.query.value.trim();
    const is = this.model.state;
    if (query === this.asked && query === is?.query) return;
    this.asked = query;
    this.actions.change({ query, runs: [] });
  }
}

function checkbox(text: string): { box: HTMLInputElement; label: HTMLElement } {
  const box = h('input', { type: 'checkbox' });
  return { box, label: h('label', { class: 'nbt-check' }, box, text) };
}

function labelled(text: string, ...parts: HTMLElement[]): HTMLElement {
  return h('label', { class: 'nbt-check' }, text, ...parts);
}

/** Fill a select only where its choices differ: an open one stays open. */
function choose(select: HTMLSelectElement, names: string[], chosen: string): void {
  const known = [...select.options].map((option) => option.value);
  const wanted = [...new Set([...names, ...(chosen ? [chosen] : [])])];
  if (known.join('\n') !== wanted.join('\n'))
    select.replaceChildren(...wanted.map((name) => h('option', { value: name }, name)));
  select.value = chosen;
}
