import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { bestSoFar, rangeOf, ticks } from '../src/shared/sweep/curve';
import { mountSweep, type SweepPanel } from '../src/shared/sweep/panel';
import { receive, type FormState, type SweepState, type ToKernel, type Trial } from '../src/shared/sweep/wire'; // prettier-ignore

const HOSTILE = "<img src=x onerror='window.hurt=1'>";

const FORM: FormState = {
  rows: [
    ['lr', 'lr', '0.1', 'cell', 'log(0.01, 1)', false, ''],
    ['depth', 'depth', '3', 'earlier cell', 'int(1, 6)', false, ''],
  ],
  fields: { n: '20', sampler: 'tpe', metric: 'loss:min', prune: '', parallel: '1' },
  slips: { n: '', sampler: '', metric: '', prune: '', parallel: '' },
  samplers: ['grid', 'random', 'tpe'],
  pruners: ['median', 'asha'],
  line: '%%sweep --n 20 --metric loss:min',
  budget: '20 runs × 41 s = 14 min',
  problem: '',
  is_ready: false,
};

function trial(at: number, value: number | null, status = 'finished'): Trial {
  return [at, status, value, ['0.1'], 1.5, `run${at}`, ''];
}

const SWEEP: SweepState = {
  name: 'sweep-1',
  state: 'running',
  headline: 'sweep sweep-1 · 2 of 4 trials · running',
  metric: 'loss',
  goal: 'min',
  n: 4,
  n_done: 2,
  names: ['lr'],
  rows: [trial(1, 0.2), trial(0, 0.5), trial(2, null, 'running')],
  n_more: 0,
  curve: [
    [0, 0.5],
    [1, 0.2],
  ],
  notes: [],
  error: '',
  is_over: false,
  line: '%%sweep lr=[1, 2]',
  has_kernel: true,
};

describe('the curve', () => {
  it('steps where the best value changes, by goal', () => {
    const points: [number, number][] = [
      [0, 3],
      [1, 5],
      [2, 1],
    ];
    expect(bestSoFar(points, 'min')).toEqual([
      [0, 3],
      [1, 3],
      [2, 3],
      [2, 1],
    ]);
    expect(bestSoFar(points, 'max').at(-1)).toEqual([2, 5]);
    expect(bestSoFar([], 'min')).toEqual([]);
  });

  it('is not flattened by one bad trial, and always shows the best', () => {
    const values = [...Array.from({ length: 20 }, (_, i) => i / 20), 1e6];
    const [low, high] = rangeOf(values, 'min');
    expect(low).toBeLessThan(0);
    expect(high).toBeLessThan(2);
    expect(rangeOf([2], 'max')[1]).toBeGreaterThan(2);
    expect(ticks(0.004, 0.0158)).toEqual([0.005, 0.01, 0.015]);
    expect(ticks(-3, 8)).toEqual([0, 5]);
  });
});

describe('the panel of a sweep', () => {
  let sent: ToKernel[];
  let panel: SweepPanel;

  beforeEach(() => {
    vi.useFakeTimers();
    document.body.replaceChildren();
    // jsdom lays nothing out.
    vi.spyOn(Element.prototype, 'clientWidth', 'get').mockReturnValue(800);
    sent = [];
    panel = mountSweep(document.body, (message) => sent.push(message));
  });

  afterEach(() => {
    panel.dispose();
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  function tell(message: object): void {
    receive(panel.from, message);
    vi.advanceTimersByTime(50);
  }

  const form = (more: Partial<FormState> = {}): void =>
    tell({ type: 'form', ...FORM, ...more });
  const sweep = (more: Partial<SweepState> = {}): void =>
    tell({ type: 'sweep', ...SWEEP, ...more });

  function all(selector: string): HTMLElement[] {
    return [...document.querySelectorAll<HTMLElement>(selector)];
  }

  function button(text: string): HTMLButtonElement {
    const found = all('button').find((one) => one.textContent === text);
    if (!found) throw new Error(`no button ${text}`);
    return found as HTMLButtonElement;
  }

  const texts = (selector: string): (string | null)[] =>
    all(selector).map((one) => one.textContent);

  it('says a thing again until it was heard, and then no more', () => {
    const hellos = (): string[] =>
      sent.filter(({ type }) => type === 'hello').map(({ id }) => id);
    vi.advanceTimersByTime(3100);
    const [first, ...others] = hellos();
    expect(others).toEqual([first, first]);
    tell({ type: 'heard', id: first });
    vi.advanceTimersByTime(60_000);
    expect(hellos().length).toBe(3);
  });

  it('asks for all, and shows a row for each value, the budget and the line', () => {
    expect(sent[0]).toMatchObject({ type: 'hello' });
    form();
    expect(texts('.nbt-offers tbody th')).toEqual(['lr', 'depth']);
    expect(texts('.nbt-from')).toEqual(['', 'earlier cell']);
    expect(texts('.nbt-budget')).toEqual([FORM.budget]);
    expect(texts('.nbt-line code')).toEqual([FORM.line]);
    expect(button('Start').disabled).toBe(true);
    expect(all('.nbt-head')[0]?.hidden).toBe(true);
  });

  it('tells the whole form when something is ticked or typed, not at every key', () => {
    form();
    const [box] = all('.nbt-offers input[type=checkbox]') as HTMLInputElement[];
    box?.click();
    vi.advanceTimersByTime(1);
    const told = sent.at(-1);
    expect(told?.type === 'form' && told.form.ticked).toEqual(['lr']);
    const before = sent.length;
    const space = all('.nbt-space')[1] as HTMLInputElement;
    for (const text of ['i', 'in', 'int(1, 2)']) {
      space.value = text;
      space.dispatchEvent(new Event('input'));
    }
    vi.advanceTimersByTime(300);
    expect(sent.length).toBe(before + 1);
    const next = sent.at(-1);
    expect(next?.type === 'form' && next.form.ticked).toEqual(['lr', 'depth']);
    expect(next?.type === 'form' && next.form.spaces['depth']).toBe('int(1, 2)');
  });

  it('keeps what was typed when an answer to something earlier comes', () => {
    form();
    const [lr, depth] = FORM.rows;
    if (!lr || !depth) throw new Error('two rows');
    const [space, other] = all('.nbt-space') as HTMLInputElement[];
    const [box] = all('.nbt-offers input[type=checkbox]') as HTMLInputElement[];
    if (!space || !other || !box) throw new Error('two fields');
    space.value = '[1, 2]';
    space.dispatchEvent(new Event('input', { bubbles: true }));
    other.focus();
    form(); // of before it was typed
    expect([space.value, box.checked]).toEqual(['[1, 2]', true]);
    const heard: FormState['rows'][0] = [...lr];
    [heard[4], heard[5]] = ['[1, 2]', true];
    form({ rows: [heard, depth] });
    form(); // by another view, later
    expect([space.value, box.checked]).toEqual(['log(0.01, 1)', false]);
  });

  it('says what is wrong beside its row, and why a start was refused', () => {
    const [lr, depth] = FORM.rows;
    if (!lr || !depth) throw new Error('two rows');
    const wrong: FormState['rows'][0] = [...lr];
    wrong[6] = 'lr=log(1, 0.1) is inverted';
    form({ rows: [wrong, depth], problem: 'Trials would not be independent' });
    const alerts = all('[role=alert]').filter((one) => !one.hidden);
    expect(alerts.map((one) => one.textContent)).toEqual([
      'lr=log(1, 0.1) is inverted',
      'Trials would not be independent',
    ]);
    expect(all('.nbt-space')[0]?.getAttribute('aria-invalid')).toBe('true');
  });

  it('sends what was typed last before it starts', () => {
    form({ is_ready: true });
    button('Start').click();
    expect(sent.slice(-2).map(({ type }) => type)).toEqual(['form', 'start']);
  });

  it('shows trials best first, and closes the form of a sweep that began', () => {
    form();
    sweep();
    expect(all('details')[0]?.hasAttribute('open')).toBe(false);
    expect(texts('.nbt-trials tbody th')).toEqual(['#1', '#0', '#2']);
    expect(texts('.nbt-is-best')).toEqual(['0.2000']);
    expect(all('.nbt-best-line').length).toBe(1);
    expect(all('.nbt-progress')[0]?.getAttribute('aria-valuenow')).toBe('2');
    expect(texts('.nbt-line code')).toEqual([SWEEP.line]);
    all('.nbt-promote')[0]?.click();
    expect(sent.at(-1)).toMatchObject({ type: 'promote', number: 1 });
    button('contour').click();
    expect(sent.at(-1)).toMatchObject({ type: 'chart', chart: 'contour' });
  });

  it('pauses, goes on and stops, and shows at once what was pressed', () => {
    sweep();
    button('Pause').click();
    expect(sent.at(-1)).toMatchObject({ type: 'pause' });
    vi.advanceTimersByTime(50);
    button('Go on').click();
    expect(sent.at(-1)).toMatchObject({ type: 'go_on' });
    vi.advanceTimersByTime(50);
    button('Stop').click();
    expect(sent.at(-1)).toMatchObject({ type: 'stop' });
    vi.advanceTimersByTime(50);
    expect(button('Stopping').disabled).toBe(true);
    sweep({ state: 'stopped', is_over: true });
    expect(all('.nbt-stop')[0]?.hidden).toBe(true);
  });

  it('offers no charts and no cells while the kernel has time for buttons only', () => {
    sweep({ has_kernel: false });
    expect(all('.nbt-promote').length).toBe(0);
    expect(all('.nbt-charts-row')[0]?.hidden).toBe(true);
  });

  it('keeps rows that did not change, and shows the first of many', () => {
    sweep();
    const before = all('.nbt-trials tbody tr')[1];
    sweep({ rows: [...SWEEP.rows.slice(0, 2), trial(2, 0.9)] });
    expect(all('.nbt-trials tbody tr')[1]).toBe(before);
    sweep({ rows: Array.from({ length: 200 }, (_, i) => trial(i, i)), n_more: 800 });
    expect(all('.nbt-trials tbody tr').length).toBe(25);
    expect(document.body.textContent).toContain('and 800 more');
    button('all 200').click();
    expect(all('.nbt-trials tbody tr').length).toBe(200);
  });

  it('makes nothing but text of names, values and errors, whatever they are', () => {
    const bad: Trial = [0, 'failed', null, [HOSTILE], null, null, HOSTILE];
    form({ rows: [[HOSTILE, HOSTILE, HOSTILE, 'cell', HOSTILE, true, HOSTILE]] });
    sweep({ rows: [bad], names: [HOSTILE], notes: [HOSTILE], error: HOSTILE });
    tell({ type: 'cell', number: 0, text: HOSTILE });
    tell({ type: 'said', text: HOSTILE, is_error: true });
    expect(document.querySelector('img')).toBeNull();
    expect(texts('.nbt-cell-text pre')).toEqual([HOSTILE]);
  });
});
