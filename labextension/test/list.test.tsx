import * as React from 'react';
import { createRoot } from 'react-dom/client';
import { flushSync } from 'react-dom';
import { describe, expect, it, vi } from 'vitest';
import {
  LINE_PX,
  RunTree,
  type ListActions,
  type ListProps,
} from '../src/sidebar/list';
import { linesOf } from '../src/sidebar/tree';
import { row } from './runs';

const EVIL = '<img src=x onerror="globalThis.pwned = 1">';

function shown(more: Partial<ListProps> = {}) {
  const names: (keyof ListActions)[] = ['focus', 'open', 'toggle', 'star', 'context', 'fold', 'hover', 'drag', 'inView', 'key']; // prettier-ignore
  const does = Object.fromEntries(names.map((name) => [name, vi.fn()])) as unknown as ListActions; // prettier-ignore
  const lines = linesOf([row('base-2'), row('base-1')], true, new Set());
  const props: ListProps = { lines, active: '', sparks: new Map(), isChosen: () => false, alertsOf: () => [], storeName: () => '', does, ...more }; // prettier-ignore
  const host = document.createElement('div');
  document.body.append(host);
  flushSync(() => createRoot(host).render(<RunTree {...props} />));
  const tree = host.querySelector('[role=tree]');
  if (!tree) throw new Error('no tree');
  return { host, tree, does };
}

function key(tree: Element, name: string): void {
  tree.dispatchEvent(new KeyboardEvent('keydown', { key: name, bubbles: true }));
}

describe('RunTree', () => {
  it('tells a screen reader what the eye sees', () => {
    const best = { name: 'acc', goal: 'max', n: 1, last: 0.9, best: 0.9, best_step: 0 } as const; // prettier-ignore
    const lines = linesOf([row('base', { best, starred: true })], false, new Set());
    const { host } = shown({ lines, isChosen: () => true });
    const item = host.querySelector('.nbt-run');
    expect(item?.getAttribute('aria-label')).toBe(
      'base, finished, best acc 0.9000, starred',
    );
    expect(item?.getAttribute('aria-selected')).toBe('true');
  });

  it('marks a run with alerts that nobody has seen, for eye and ear', () => {
    const alert = { key: 'a', run: 'base', run_name: 'base', store: 's1', at: '', kind: 'nan', level: 'error', title: EVIL, text: '', metric: 'loss', step: 4, seen: false } as const; // prettier-ignore
    const lines = linesOf([row('base'), row('other')], false, new Set());
    const alertsOf = (run: string) => (run === 'base' ? [alert, alert] : []);
    const { host } = shown({ lines, alertsOf });
    const [mark, ...others] = host.querySelectorAll('.nbt-alert-mark');
    expect([mark?.textContent, others.length]).toEqual(['2', 0]);
    expect(mark?.getAttribute('data-level')).toBe('error');
    const label = host.querySelector('[data-run=base]')?.getAttribute('aria-label');
    expect(label).toContain(`alert: ${EVIL} @ step 4`);
    expect(host.querySelector('img')).toBeNull();
  });

  it('keeps text of runs text', () => {
    const lines = linesOf([row('x', { name: EVIL })], true, new Set());
    const { host } = shown({ lines, storeName: () => EVIL });
    expect(host.querySelector('img')).toBeNull();
    expect(host.textContent).toContain(EVIL);
  });

  it('has only the lines in view in the page, of ten thousand', () => {
    const runs = Array.from({ length: 10_000 }, (_, i) => row(`r${i}`));
    const { host } = shown({ lines: linesOf(runs, false, new Set()) });
    const items = host.querySelectorAll('.nbt-run');
    expect(items.length).toBeGreaterThan(10);
    expect(items.length).toBeLessThan(60);
    const inner = host.querySelector<HTMLElement>('[role=tree] > div');
    expect(inner?.style.height).toBe(`${10_000 * LINE_PX}px`);
  });

  it('goes through the lines by keys, and hands all others on', () => {
    const { tree, does } = shown({ active: 'base-2' });
    for (const name of ['ArrowDown', 'ArrowUp', 'Home', 'End', 'Enter'])
      key(tree, name);
    const focused = vi.mocked(does.focus).mock.calls.map(([line]) => line);
    expect(focused).toEqual(['base-1', 'n:s1 a.ipynb\nc1', 'n:s1 a.ipynb', 'base-1']);
    expect(vi.mocked(does.key).mock.calls.length).toBe(1);
  });

  it('opens by a click, selects by its circle, and folds a heading', () => {
    const { host, does } = shown();
    const click = (what: string): void =>
      void host.querySelector(what)?.dispatchEvent(new MouseEvent('click', { bubbles: true })); // prettier-ignore
    click('[data-run="base-2"]');
    click('[data-run="base-2"] .nbt-box');
    click('[data-run="base-2"] .nbt-star-mark');
    click('.nbt-item-cell');
    expect(does.open).toHaveBeenCalledExactlyOnceWith('base-2');
    expect(does.toggle).toHaveBeenCalledExactlyOnceWith('base-2');
    expect(does.star).toHaveBeenCalledExactlyOnceWith('base-2', true);
    expect(does.fold).toHaveBeenCalledExactlyOnceWith('n:s1 a.ipynb\nc1');
  });
});
