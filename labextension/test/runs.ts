/** Rows as the server sends them, for the tests of the side bar and its pages. */

import type { RunRow, StoreRow } from '../src/api/rows';

export function row(id: string, more: Partial<RunRow> = {}): RunRow {
  return {
    id,
    store: 's1',
    name: id,
    experiment: 'mnist',
    status: 'finished',
    started_at: '2026-11-01T10:00:00.000000Z',
    ended_at: null,
    duration_s: 2,
    notebook: '/home/ada/a.ipynb',
    notebook_path: 'a.ipynb',
    cell_id: 'c1',
    kernel_id: null,
    starred: false,
    trashed: false,
    tags: [],
    group: null,
    notes: '',
    grade: null,
    parent: null,
    best: null,
    metrics: [],
    ...more,
  };
}

export function store(more: Partial<StoreRow> = {}): StoreRow {
  const counted = { n_runs: 1, n_running: 0, message: null };
  const where = { name: 'work', where: '~/work', found_by: 'session' as const };
  return { id: 's1', ...where, state: 'ok', ...counted, ...more };
}
