import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { CompareModel, marksOf, nextSort, sortRows, toggled } from '../src/shared/compare/model'; // prettier-ignore
import { mountCompare, type ComparePanel } from '../src/shared/compare/panel';
import { receive, type Column, type State, type Table, type ToKernel } from '../src/shared/compare/wire'; // prettier-ignore

const STATE: State = {
  query: '',
  runs: [],
  last: null,
  sort: '',
  columns: [],
  hidden: [],
  all_params: false,
  group: '',
  pinned: [],
  baseline: '',
  selected: [],
  metric: '',
  x: 'step',
  smooth: 0,
  log_x: false,
  log_y: false,
  clip: false,
  bands: false,
};

function column(
  name: string,
  values: Column['values'],
  more: Partial<Column> = {},
): Column {
  const kind = name.startsWith('params.') ? 'param' : 'metric';
  const rest = { goal: null, numeric: true, differs: true, steps: null };
  return { name, kind, values, ...rest, ...more };
}

function table(n = 3): Table {
  const runs = Array.from({ length: n }, (_, i) => i);
  return {
    ids: runs.map((i) => `id${i}`),
    names: runs.map((i) => `run ${i}`),
    columns: [
      column('best.loss', runs.map((i) => (i * 7) % n), { goal: 'min' }), // prettier-ignore
      column('params.opt', runs.map((i) => (i % 2 ? 'sgd' : 'adam')), { numeric: false }), // prettier-ignore
      column('params.same', runs.map(() => 1), { differs: false }), // prettier-ignore
    ],
    starred: [],
    n_all: n,
  };
}

describe('marks', () => {
  it('go by the goal, with ties, and NaN is never among them', () => {
    const values = [3, 1, NaN, 1, null];
    expect([...marksOf(values, 'min').best]).toEqual([1, 3]);
    expect([...marksOf(values, 'min').worst]).toEqual([0]);
    expect([...marksOf(values, 'max').best]).toEqual([0]);
    expect(marksOf(values, null).best.size).toBe(0);
    expect(marksOf([1, 1], 'min').best.size).toBe(0);
  });
});

describe('the order', () => {
  it('puts numbers before texts, and what is missing or NaN last', () => {
    const values = ['b', 2, NaN, null, 'a', 1, true];
    expect(sortRows([0, 1, 2, 3, 4, 5, 6], values, false)).toEqual([
      5, 6, 1, 4, 0, 2, 3,
    ]);
    expect(sortRows([0, 1, 2, 3, 4, 5], values, true)).toEqual([0, 4, 1, 5, 2, 3]);
  });

  it('turns round with a second click and is as it was after a third', () => {
    const sorts = [STATE];
    for (let i = 0; i < 3; i += 1)
      sorts.push({ ...STATE, sort: nextSort(sorts.at(-1) ?? STATE, 'best.loss') });
    expect(sorts.map((state) => state.sort)).toEqual([
      '',
      'best.loss',
      '-best.loss',
      '',
    ]);
  });

  it('holds the baseline and pinned runs on top, and groups the rest', () => {
    const model = new CompareModel();
    model.setTable(table(4));
    model.state = { ...STATE, sort: 'best.loss', baseline: 'id3', pinned: ['id1'] };
    expect(model.rows()).toEqual([{ run: 3 }, { run: 1 }, { run: 0 }, { run: 2 }]);
    model.state = { ...STATE, group: 'params.opt' };
    model.toggleGroup('sgd');
    const [adam, , , sgd, ...none] = model.rows();
    expect(adam).toEqual({ group: 'adam', runs: [0, 2], open: true });
    expect(sgd).toEqual({ group: 'sgd', runs: [1, 3], open: false });
    expect(none).toEqual([]);
  });
});

describe('columns and selection', () => {
  it('shows params that differ, unless all or some are asked for', () => {
    const model = new CompareModel();
    model.setTable(table());
    const shown = (state: State): string[] => {
      model.state = state;
      return model.shown().map(({ name }) => name);
    };
    expect(shown(STATE)).toEqual(['best.loss', 'params.opt']);
    expect(shown({ ...STATE, all_params: true })).toContain('params.same');
    expect(shown({ ...STATE, hidden: ['best.loss'] })).toEqual(['params.opt']);
    expect(shown({ ...STATE, columns: ['params.same', 'gone'] })).toEqual([
      'params.same',
    ]);
  });

  it('keeps seven runs: the oldest leaves', () => {
    const many = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    expect(toggled(many, 'h')).toEqual(['b', 'c', 'd', 'e', 'f', 'g', 'h']);
    expect(toggled(many, 'a')).toEqual(many.slice(1));
  });
});

describe('the panel', () => {
  let sent: ToKernel[];
  let panel: ComparePanel;

  beforeEach(() => {
    vi.useFakeTimers();
    document.body.replaceChildren();
    sent = [];
    panel = mountCompare(document.body, (message) => sent.push(message));
  });

  afterEach(() => {
    panel.dispose();
    vi.useRealTimers();
  });

  function show(one: Table, state: Partial<State> = {}, metric = ''): void {
    receive(panel.from, { type: 'table', ...one });
    const line = '%compare --sort x';
    receive(panel.from, { type: 'state', state: { ...STATE, ...state }, line, metric });
    vi.advanceTimersByTime(50);
  }

  function all(selector: string): HTMLElement[] {
    return [...document.querySelectorAll<HTMLElement>(selector)];
  }

  it('asks for all, and shows rows, marks and the line', () => {
    expect(sent[0]).toEqual({ type: 'hello' });
    show(table(), { baseline: 'id1' });
    expect(all('tbody tr[data-run]').map((row) => row.dataset['run'])).toEqual(['id1', 'id0', 'id2']); // prettier-ignore
    expect(all('td.nbt-is-best').length).toBe(1);
    expect(all('.nbt-delta').map((d) => d.textContent?.trim())).toEqual(['−1', '+1']);
    expect(all('.nbt-delta').map((d) => d.dataset['good'])).toEqual(['true', 'false']);
    expect(document.querySelector('.nbt-line code')?.textContent).toBe(
      '%compare --sort x',
    );
  });

  it('counts one run as one', () => {
    show(table(1));
    expect(document.body.textContent).toMatch(/(^|\D)1 run(?!s)/);
    show({ ...table(1), n_all: 3 });
    expect(document.body.textContent).toContain('1 of 3 runs');
  });

  it('has only the rows in view in the page', () => {
    show(table(5000));
    expect(all('tbody tr[data-run]').length).toBeLessThan(80);
    expect(all('table')[0]?.getAttribute('aria-rowcount')).toBe('5001');
  });

  it('tells the kernel what was clicked and shows it at once', () => {
    show(table());
    all('thead button.nbt-sort')
      .find((b) => b.textContent === 'loss')
      ?.click();
    const told = sent.at(-1);
    expect(told?.type === 'state' && told.state.sort).toBe('best.loss');
    vi.advanceTimersByTime(50);
    expect(all('th[aria-sort="ascending"]').length).toBe(1);
    all('button[aria-label="Draw its curve"]')[1]?.click();
    const next = sent.at(-1);
    expect(next?.type === 'state' && next.state.selected.length).toBe(1);
  });

  it('shows an error of the kernel until the next answer', () => {
    show(table());
    receive(panel.from, { type: 'error', text: 'The query cannot be read' });
    expect(document.querySelector('[role=alert]')?.textContent).toContain(
      'cannot be read',
    );
    show(table());
    expect(document.querySelector<HTMLElement>('[role=alert]')?.hidden).toBe(true);
  });

  it('makes nothing but text of names, whatever they are', () => {
    const hostile = "<img src=x onerror='window.hurt=1'>";
    const one = table(1);
    const columns = [column(`params.${hostile}`, [hostile], { numeric: false })];
    show({ ...one, names: [hostile], columns }, { query: hostile, sort: hostile });
    expect(document.querySelector('img')).toBeNull();
    expect(document.querySelector('tbody th')?.textContent).toContain('<img');
  });

  it('asks for curves when what decides about them changes, and only then', () => {
    show(table(), { selected: ['id0'] }, 'loss');
    const curves = (): number => sent.filter(({ type }) => type === 'curves').length;
    expect(curves()).toBe(1);
    show(table(), { selected: ['id0'], sort: 'best.loss' }, 'loss');
    expect(curves()).toBe(2); // the table came again: runs may have gone on
    const again = { ...STATE, selected: ['id0'], hidden: ['best.loss'] };
    receive(panel.from, { type: 'state', state: again, line: '', metric: 'loss' });
    expect(curves()).toBe(2);
  });
});
