import { CommandRegistry } from '@lumino/commands';
import { Signal } from '@lumino/signaling';
import { expect, it, vi } from 'vitest';
import type { CellRuns } from '../src/api/rows';
import { Badge, Badges } from '../src/notebook/badges';
import { row } from './runs';

const best = { name: 'acc', goal: 'max', n: 2, last: 0.9, best: 0.9, best_step: 1 } as const; // prettier-ignore

function shown(status: 'finished' | 'running'): HTMLElement {
  const badge = new Badge(new CommandRegistry());
  const run = row('wide', { status, best });
  badge.tell({ run, n_runs: 1, best, spark: [0.5, 0.9] } as CellRuns);
  return badge.node;
}

it('a badge tells the best value and the curve of a run that has ended', () => {
  const badge = shown('finished');
  expect(badge.textContent).toBe('wide · acc 0.9000');
  // Its style makes it smaller than it was drawn: without this it would be cut off.
  expect(badge.querySelector('svg')?.getAttribute('viewBox')).toBe('0 0 72 18');
});

it('a badge tells no value of a run that goes on, which it would not follow', () => {
  const badge = shown('running');
  expect(badge.textContent).toBe('wide · running');
  expect(badge.querySelector('svg')).toBeNull();
  expect(badge.querySelector('button')?.title).not.toContain('0.9000;');
});

it('the server is asked again where a run still runs beside an idle kernel', async () => {
  vi.useFakeTimers();
  const sender = {};
  const cell = { model: { id: 'c1', type: 'code' }, ready: new Promise(() => {}) };
  const panel = {
    sessionContext: {
      statusChanged: new Signal(sender),
      session: { kernel: { status: 'idle' } },
    },
    disposed: new Signal(sender),
    context: { ready: Promise.resolve() },
    content: { widgets: [cell] },
  };
  const statuses = ['running', 'running', 'finished'] as const;
  const cells = vi.fn(async () => {
    const status = statuses[cells.mock.calls.length - 1] ?? 'finished';
    return { c1: { run: row('wide', { status }), n_runs: 1, best: null, spark: [] } };
  });
  new Badges({ cells } as never, panel as never, new CommandRegistry());
  await vi.advanceTimersByTimeAsync(60_000);
  expect(cells).toHaveBeenCalledTimes(3);
  vi.useRealTimers();
});
