import { Notification } from '@jupyterlab/apputils';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { AlertFeed } from '../src/alerts/feed';
import { showToasts } from '../src/alerts/toasts';
import type { Api } from '../src/api/client';
import type { AlertRow, RunChange } from '../src/api/rows';
import { mountPanel } from '../src/shared/panel';
import type { AlertMeta, Disposable, Frame, PanelSource } from '../src/shared/wire';
import { frame, metric, runMeta } from './frames';

const EVIL = '<img src=x onerror="globalThis.pwned = 1">';

function meta(key: string, fields: Partial<AlertMeta> = {}): AlertMeta {
  const said = { kind: 'nan', level: 'error' as const, text: '', step: 4, at: 1010 };
  return { key, title: 'loss is NaN', ...said, ...fields };
}

function one(selector: string): HTMLElement {
  const found = document.querySelector<HTMLElement>(selector);
  if (!found) throw new Error(`nothing is ${selector}`);
  return found;
}

describe('alerts in the panel', () => {
  let tell: (frame: Frame) => void;
  let panel: Disposable;

  beforeEach(() => {
    vi.useFakeTimers();
    document.body.replaceChildren();
    const source: PanelSource = {
      subscribe: (listener) => {
        tell = listener;
        return { dispose: () => undefined };
      },
      resync: () => undefined,
    };
    panel = mountPanel(document.body, source, { stop: null });
  });

  afterEach(() => {
    panel.dispose();
    vi.useRealTimers();
  });

  function show(alerts: AlertMeta[], fields = {}, full = false): void {
    const run = runMeta({ alerts, metrics: [metric('loss')], ...fields });
    tell(frame(run, [], full));
    vi.advanceTimersByTime(50);
  }

  const toasts = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>('.nbt-toast')]; // prettier-ignore
  const bell = (): HTMLButtonElement => one('.nbt-bell') as HTMLButtonElement;
  const list = (): HTMLElement => one('.nbt-alerts');

  it('has neither bell nor list without one', () => {
    show([], {}, true);
    expect(bell().hidden).toBe(true);
    expect(bell().getAttribute('aria-label')).toBe('Alerts');
    expect(list().hidden).toBe(true);
    expect(toasts()).toEqual([]);
  });

  it('shows one that comes as a toast that is announced and can be dismissed', () => {
    show([], {}, true);
    show([meta('a', { text: 'at once' })]);
    const [toast] = toasts();
    expect(toast?.getAttribute('role')).toBe('alert');
    expect(toast?.textContent).toContain('loss is NaN @ step 4');
    expect(toast?.textContent).toContain('at once');
    expect(bell().getAttribute('aria-label')).toBe('1 alert');
    const close = toast?.querySelector('button');
    expect(close?.getAttribute('aria-label')).toBe('Dismiss: loss is NaN');
    close?.click();
    expect(toasts()).toEqual([]);
    expect(bell().hidden).toBe(false);
  });

  it('tells no alert twice, whatever is sent anew', () => {
    show([meta('a')], {}, true);
    expect(toasts()).toHaveLength(1);
    toasts()[0]?.querySelector('button')?.click();
    show([meta('a')], {}, true);
    show([]);
    expect(toasts()).toEqual([]);
    expect(list().children).toHaveLength(1);
  });

  it.each([
    ['an old one', 900, 'running'],
    ['one of a run that has ended', 1010, 'finished'],
  ])('keeps %s behind the bell', (_, at, status) => {
    show([meta('a', { at })], { status }, true);
    expect(toasts()).toEqual([]);
    expect(bell().textContent).toBe('1');
  });

  it('opens the list with the newest first, and takes the toasts away', () => {
    show([meta('a'), meta('b', { title: 'odd', step: null, level: 'info' })], {}, true);
    bell().click();
    expect(list().hidden).toBe(false);
    expect(bell().getAttribute('aria-expanded')).toBe('true');
    expect(bell().getAttribute('data-level')).toBe('error');
    expect([...list().querySelectorAll('b')].map((b) => b.textContent)).toEqual([
      'odd',
      'loss is NaN @ step 4',
    ]);
    expect(toasts()).toEqual([]);
    bell().click();
    expect(list().hidden).toBe(true);
  });

  it('shows the last three of many, and lets only good news go by itself', () => {
    show([], {}, true);
    show(['a', 'b', 'c', 'd'].map((key) => meta(key)));
    expect(toasts()).toHaveLength(3);
    for (const toast of toasts()) toast.querySelector('button')?.click();
    show([meta('e', { level: 'info' }), meta('f', { level: 'warn' })]);
    expect(toasts().map((toast) => toast.getAttribute('role'))).toEqual(['status', 'status']); // prettier-ignore
    vi.advanceTimersByTime(15_000);
    expect(toasts().map((toast) => toast.dataset['level'])).toEqual(['warn']);
  });

  it('keeps text of runs text', () => {
    show([meta('a', { title: EVIL, text: EVIL })], { name: EVIL }, true);
    bell().click();
    expect(document.querySelector('img')).toBeNull();
    expect(list().textContent).toContain(EVIL);
  });

  it('knows kernels that send none', () => {
    tell(frame(runMeta(), [], true));
    vi.advanceTimersByTime(50);
    expect(bell().hidden).toBe(true);
  });
});

function row(key: string, more: Partial<AlertRow> = {}): AlertRow {
  return {
    key,
    run: 'r1',
    run_name: 'base',
    store: 's1',
    at: '2026-11-01T10:00:00.000000Z',
    kind: 'nan',
    level: 'error',
    title: 'loss is NaN',
    text: '',
    metric: 'loss',
    step: 4,
    seen: false,
    ...more,
  };
}

describe('AlertFeed', () => {
  let alerts: AlertRow[];
  let running: number;
  let asked: number;
  let edits: [string, RunChange][];
  let feed: AlertFeed;
  let raised: string[][];

  beforeEach(() => {
    [alerts, running, asked, edits, raised] = [[], 1, 0, [], []];
    const api = {
      alerts: () => {
        asked += 1;
        return Promise.resolve({ alerts, n_running: running, problems: [] });
      },
      edit: (run: string, change: RunChange) => {
        edits.push([run, change]);
        return Promise.reject(new Error('read-only'));
      },
    } as unknown as Api;
    feed = new AlertFeed(api, () => false);
    feed.raised.connect((_, news) => raised.push(news.map(({ key }) => key)));
  });

  afterEach(() => feed.dispose());

  async function look(): Promise<void> {
    feed.look();
    const before = asked;
    await vi.waitFor(() => expect(asked).toBeGreaterThan(before));
    await new Promise((done) => setTimeout(done, 5));
  }

  it('tells what comes once, and nothing of before', async () => {
    alerts = [row('old')];
    await look();
    expect(raised).toEqual([]);
    expect(feed.unseen('r1').map(({ key }) => key)).toEqual(['old']);
    alerts = [row('c'), row('b'), row('old')];
    await look();
    await look();
    expect(raised).toEqual([['b', 'c']]);
  });

  it('tells the first one of a store that had none', async () => {
    await look();
    alerts = [row('a')];
    await look();
    expect(raised).toEqual([['a']]);
  });

  it('goes on asking while a run is running, and no longer', async () => {
    await look();
    await vi.waitFor(() => expect(asked).toBe(2), { timeout: 3000 });
    running = 0;
    await look();
    const n = asked;
    await new Promise((done) => setTimeout(done, 1700));
    expect(asked).toBe(n);
    feed.wake();
    await vi.waitFor(() => expect(asked).toBe(n + 1));
  });

  it('has them seen at once, also where the store cannot be written', async () => {
    alerts = [row('a'), row('b', { run: 'r2' })];
    await look();
    await feed.see('r1');
    await feed.see('r1');
    expect(feed.unseen('r1')).toEqual([]);
    expect(feed.unseen('r2')).toHaveLength(1);
    expect(edits).toEqual([['r1', { alerts_seen: true }]]);
    await look();
    expect(feed.unseen('r1')).toEqual([]);
  });
});

describe('toasts of JupyterLab', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    document.body.replaceChildren();
  });

  it('name the run and lead to it', () => {
    const emit = vi.spyOn(Notification, 'emit').mockReturnValue('1');
    const opened: string[] = [];
    showToasts([row('a')], (run) => opened.push(run));
    const [message, type, options] = emit.mock.calls[0] ?? [];
    expect([message, type]).toEqual(['base: loss is NaN @ step 4', 'error']);
    options?.actions?.[0]?.callback(new MouseEvent('click'));
    expect(opened).toEqual(['r1']);
  });

  it('are three at most at once', () => {
    const emit = vi.spyOn(Notification, 'emit').mockReturnValue('1');
    const five = ['a', 'b', 'c', 'd', 'e'].map((key) => row(key, { level: 'info' }));
    showToasts([...five, row('f', { level: 'warn' })], () => undefined);
    expect(emit).toHaveBeenCalledTimes(3);
    expect(emit.mock.lastCall?.slice(0, 2)).toEqual([
      '4 more alerts: see the side bar',
      'warning',
    ]);
  });

  it('leave a run alone whose panel can be seen', () => {
    const emit = vi.spyOn(Notification, 'emit').mockReturnValue('1');
    const panel = document.createElement('section');
    panel.className = 'nbt-panel';
    panel.dataset['run'] = 'r1';
    document.body.append(panel);
    Object.defineProperty(panel, 'offsetParent', { value: document.body });
    vi.spyOn(panel, 'getBoundingClientRect').mockReturnValue({ top: 5, bottom: 50 } as DOMRect); // prettier-ignore
    showToasts([row('a'), row('b', { run: 'r2' })], () => undefined);
    expect(emit).toHaveBeenCalledTimes(1);
  });
});
