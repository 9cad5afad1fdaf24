import { describe, expect, it } from 'vitest';
import { linesOf, stem, type Line } from '../src/sidebar/tree';
import { row } from './runs';

function texts(lines: readonly Line[]): string[] {
  return lines.map((line) =>
    line.kind === 'run'
      ? `${line.level} ${line.run.name}`
      : `${line.level} ${line.text}/${line.n}`,
  );
}

describe('the lines of the list', () => {
  const runs = [
    row('base-3'),
    row('other', { notebook_path: 'deep/b.ipynb', cell_id: 'c9' }),
    row('base-2'),
    row('one', { cell_id: 'c2' }),
  ];

  it('stand under their notebook and cell, the newest group first', () => {
    expect(texts(linesOf(runs, true, new Set()))).toEqual([
      '1 a/3',
      '2 base/2',
      '3 base-3',
      '3 base-2',
      '2 one',
      '1 b/1',
      '2 other',
    ]);
  });

  it('stand one below the other where nobody wants groups', () => {
    expect(texts(linesOf(runs, false, new Set()))).toEqual(
      runs.map((run) => `1 ${run.name}`),
    );
  });

  it('are not there below a group that is closed', () => {
    const lines = linesOf(runs, true, new Set(['n:s1 a.ipynb']));
    expect(texts(lines)).toEqual(['1 a/3', '1 b/1', '2 other']);
    expect(lines[0]).toMatchObject({ isOpen: false });
  });

  it('of scripts go by experiment and by name', () => {
    const script = { notebook: null, notebook_path: null, cell_id: null };
    const lines = linesOf(
      [row('fit-2', script), row('fit-1', script)],
      true,
      new Set(),
    );
    expect(texts(lines)).toEqual(['1 mnist/2', '2 fit/2', '3 fit-2', '3 fit-1']);
  });

  it('of several notebooks with the same file name stay apart', () => {
    const lines = linesOf(
      [
        row('x', { notebook_path: 'p/a.ipynb' }),
        row('y', { notebook_path: 'q/a.ipynb' }),
      ],
      true,
      new Set(['n:s1 p/a.ipynb']),
    );
    expect(texts(lines)).toEqual(['1 a/1', '1 a/1', '2 y']);
  });

  it('of two stores stay apart, whatever their notebooks are called', () => {
    const lines = linesOf([row('x'), row('y', { store: 's2' })], true, new Set());
    expect(texts(lines)).toEqual(['1 a/1', '2 x', '1 a/1', '2 y']);
    expect(lines.map((line) => (line.kind === 'notebook' ? line.store : ''))).toEqual(['s1', '', 's2', '']); // prettier-ignore
  });

  it('name a cell by what its runs are called after', () => {
    expect([stem('base-12'), stem('base'), stem('-7'), stem('a-b')]).toEqual([
      'base',
      'base',
      '-7',
      'a-b',
    ]);
  });
});
