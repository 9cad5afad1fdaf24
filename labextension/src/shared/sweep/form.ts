/** The form: a row for each value of the cell, how to search, what it will take. */

import { h, setText } from '../dom';
import type { Field, FormState, Row, Told } from './wire';

const ASK_AFTER_MS = 250; // of the last key

const TEXTS: Record<Field, [string, string]> = {
  n: ['trials', 'How many trials; empty with grid: all'],
  sampler: ['sampler', 'How values are chosen'],
  metric: ['metric', 'What to make small or large: val_loss:min'],
  prune: ['prune', 'Which pruner stops bad trials early'],
  parallel: ['workers', 'How many at a time'],
};

interface Line {
  row: HTMLTableRowElement;
  box: HTMLInputElement;
  space: HTMLInputElement;
  slip: HTMLElement;
}

export interface FormActions {
  change(told: Told): void;
  start(): void;
}

export class Form {
  readonly element = h('div', { class: 'nbt-form' });
  private readonly body = h('tbody');
  private readonly lines = new Map<string, Line>();
  private readonly inputs: Record<Field, HTMLInputElement | HTMLSelectElement>;
  private readonly fieldSlip = h('div', { class: 'nbt-error', role: 'alert' });
  private readonly budget = h('span', { class: 'nbt-budget', role: 'status' });
  private readonly problem = h('div', { class: 'nbt-error', role: 'alert' });
  private readonly startButton = h('button', { type: 'button', class: 'nbt-start' }, 'Start'); // prettier-ignore
  private readonly typed = new Map<Element, string>(); // and not yet heard back
  private timer = 0;

  constructor(private readonly actions: FormActions) {
    const input = (field: Field, size: string): HTMLInputElement =>
      h('input', { ...textual(TEXTS[field][1]), size });
    const select = (field: Field): HTMLSelectElement =>
      h('select', { 'aria-label': TEXTS[field][1], title: TEXTS[field][1] });
    this.inputs = {
      n: input('n', '5'),
      sampler: select('sampler'),
      metric: input('metric', '16'),
      prune: select('prune'),
      parallel: input('parallel', '3'),
    };
    const fields = (Object.keys(this.inputs) as Field[]).map((field) =>
      h('label', { class: 'nbt-check' }, TEXTS[field][0], this.inputs[field]),
    );
    this.element.append(
      this.table(),
      h('div', { class: 'nbt-fields' }, ...fields),
      this.fieldSlip,
      h('div', { class: 'nbt-launch' }, this.startButton, this.budget),
      this.problem,
    );
    this.listen();
  }

  update(form: FormState, isRunning: boolean): void {
    this.setRows(form.rows);
    fill(this.inputs.sampler as HTMLSelectElement, form.samplers);
    fill(this.inputs.prune as HTMLSelectElement, ['', ...form.pruners]);
    for (const field of Object.keys(this.inputs) as Field[]) {
      const input = this.inputs[field];
      this.setValue(input, form.fields[field]);
      input.setAttribute('aria-invalid', String(form.slips[field] !== ''));
    }
    const slips = Object.values(form.slips).filter((slip) => slip !== '');
    show(this.fieldSlip, slips.join(' '));
    show(this.problem, form.problem);
    setText(this.budget, form.rows.length ? form.budget : '');
    this.startButton.disabled = !form.is_ready || isRunning;
  }

  private table(): HTMLElement {
    const head = ['', 'name', 'now', 'values to try', ''].map((text) =>
      h('th', { scope: 'col' }, text),
    );
    const caption = h('caption', { class: 'nbt-sr' }, 'Values of the cell to sweep');
    return h(
      'div',
      { class: 'nbt-offers-scroll' },
      h(
        'table',
        { class: 'nbt-offers' },
        caption,
        h('thead', {}, h('tr', {}, ...head)),
        this.body,
      ),
    );
  }

  private setRows(rows: Row[]): void {
    const lines = rows.map((row) => this.lineOf(row));
    const isSame = lines.every((line, i) => this.body.children[i] === line.row);
    if (!isSame || this.body.children.length !== lines.length)
      this.body.replaceChildren(...lines.map(({ row }) => row));
    rows.forEach(([, , , , space, ticked, slip], i) => {
      const line = lines[i];
      if (!line) return;
      this.setValue(line.space, space);
      const isOn = ticked || Boolean(this.typed.get(line.space));
      line.box.checked = isOn;
      line.row.dataset['on'] = String(isOn);
      line.space.setAttribute('aria-invalid', String(slip !== ''));
      show(line.slip, slip);
    });
  }

  /** Not over what is being typed, nor by an answer to what was asked before it. */
  private setValue(input: HTMLInputElement | HTMLSelectElement, value: string): void {
    const typed = this.typed.get(input);
    if (typed === value.trim() || typed === '') this.typed.delete(input);
    if (document.activeElement === input || this.typed.has(input)) return;
    input.value = value;
  }

  private lineOf([shown, name, value, where]: Row): Line {
    const known = this.lines.get(name);
    if (known) return known;
    const box = h('input', { type: 'checkbox', 'aria-label': `Sweep ${shown}` });
    const space = h('input', { ...textual(`Values of ${shown}`), class: 'nbt-space' });
    const slip = h('div', { class: 'nbt-error', role: 'alert' });
    const from = where === 'cell' ? '' : where;
    const row = h(
      'tr',
      {},
      h('td', {}, box),
      h('th', { scope: 'row', title: shown }, shown),
      h('td', { class: 'nbt-now' }, h('code', {}, value)),
      h('td', { class: 'nbt-values' }, space, slip),
      h('td', { class: 'nbt-muted nbt-from' }, from),
    );
    const line = { row, box, space, slip };
    this.lines.set(name, line);
    box.addEventListener('change', () => {
      if (!box.checked) this.typed.delete(space);
      this.ask(0);
    });
    space.addEventListener('input', () => {
      if (space.value.trim() !== '') box.checked = true;
      this.ask(ASK_AFTER_MS);
    });
    return line;
  }

  private listen(): void {
    this.element.addEventListener('input', ({ target }) => {
      const isText = target instanceof HTMLInputElement && target.type === 'text';
      if (isText) this.typed.set(target, target.value.trim());
    });
    for (const input of Object.values(this.inputs)) {
      const isText = input instanceof HTMLInputElement;
      input.addEventListener(isText ? 'input' : 'change', () =>
        this.ask(isText ? ASK_AFTER_MS : 0),
      );
    }
    this.startButton.addEventListener('click', () => {
      this.askNow(); // what was typed last goes first
      this.actions.start();
    });
  }

  private ask(afterMs: number): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.askNow(), afterMs);
  }

  private askNow(): void {
    clearTimeout(this.timer);
    this.actions.change(this.told());
  }

  private told(): Told {
    const lines = [...this.lines];
    const { n, sampler, metric, prune, parallel } = this.inputs;
    return {
      spaces: Object.fromEntries(lines.map(([name, { space }]) => [name, space.value])),
      ticked: lines.filter(([, { box }]) => box.checked).map(([name]) => name),
      n: n.value,
      sampler: sampler.value,
      metric: metric.value,
      prune: prune.value,
      parallel: parallel.value,
    };
  }
}

function textual(label: string): Record<string, string> {
  return {
    type: 'text',
    spellcheck: 'false',
    autocomplete: 'off',
    // Letters are text here, not shortcuts of the notebook.
    'data-lm-suppress-shortcuts': 'true',
    'aria-label': label,
    title: label,
  };
}

function fill(select: HTMLSelectElement, names: readonly string[]): void {
  if (select.options.length === names.length) return;
  const options = names.map((name) => h('option', { value: name }, name || 'none'));
  select.replaceChildren(...options);
}

/** Show a line of text; an empty one takes no room. */
export function show(element: HTMLElement, text: string): void {
  setText(element, text);
  element.hidden = text === '';
}
