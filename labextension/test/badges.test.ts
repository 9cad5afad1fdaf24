import { CommandRegistry } from '@lumino/commands';
import { expect, it } from 'vitest';
import type { CellRuns } from '../src/api/rows';
import { Badge } from '../src/notebook/badges';
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
  expect(badge.querySelector('svg')).not.toBeNull();
});

it('a badge tells no value of a run that goes on, which it would not follow', () => {
  const badge = shown('running');
  expect(badge.textContent).toBe('wide · running');
  expect(badge.querySelector('svg')).toBeNull();
  expect(badge.querySelector('button')?.title).not.toContain('0.9000;');
});
