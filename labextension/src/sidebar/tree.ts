/** Runs as the lines of the list: one below the other, or under notebooks and cells. */

import type { RunRow } from '../api/rows';

export interface Heading {
  kind: 'notebook' | 'cell';
  key: string;
  level: number;
  text: string;
  /** Of its runs. */
  store: string;
  n: number;
  isOpen: boolean;
}

export interface RunLine {
  kind: 'run';
  key: string;
  level: number;
  run: RunRow;
}

export type Line = Heading | RunLine;

/** The lines that are open; groups stand in the order of their newest run. */
export function linesOf(
  runs: readonly RunRow[],
  isGrouped: boolean,
  closed: ReadonlySet<string>,
): Line[] {
  if (!isGrouped) return runs.map((run) => lineOf(run, 1));
  return [...grouped(runs, placeOf)].flatMap(([place, inside]) => {
    const key = `n:${place}`;
    const text = inside[0] ? fileName(notebookOf(inside[0])) : '';
    const head = heading('notebook', key, 1, text, inside, closed);
    return head.isOpen ? [head, ...cellLines(inside, key, closed)] : [head];
  });
}

function cellLines(
  runs: readonly RunRow[],
  notebook: string,
  closed: ReadonlySet<string>,
): Line[] {
  return [...grouped(runs, cellOf)].flatMap(([cell, inside]) => {
    const [newest] = inside;
    if (inside.length === 1 && newest) return [lineOf(newest, 2)];
    const key = `${notebook}\n${cell}`;
    const text = newest ? stem(newest.name) : cell;
    const head = heading('cell', key, 2, text, inside, closed);
    return head.isOpen ? [head, ...inside.map((run) => lineOf(run, 3))] : [head];
  });
}

/** `base` for base-12: what the runs of one cell are called after. */
export function stem(name: string): string {
  return name.replace(/-\d+$/, '') || name;
}

function heading(
  kind: 'notebook' | 'cell',
  key: string,
  level: number,
  text: string,
  inside: readonly RunRow[],
  closed: ReadonlySet<string>,
): Heading {
  const store = inside[0]?.store ?? '';
  return { kind, key, level, text, store, n: inside.length, isOpen: !closed.has(key) };
}

function lineOf(run: RunRow, level: number): RunLine {
  return { kind: 'run', key: run.id, level, run };
}

function grouped(
  runs: readonly RunRow[],
  by: (run: RunRow) => string,
): Map<string, RunRow[]> {
  const groups = new Map<string, RunRow[]>();
  for (const run of runs) {
    const group = groups.get(by(run));
    if (group) group.push(run);
    else groups.set(by(run), [run]);
  }
  return groups;
}

/** Two stores may hold runs of notebooks with the same name. */
function placeOf(run: RunRow): string {
  return `${run.store} ${notebookOf(run)}`;
}

function notebookOf(run: RunRow): string {
  return run.notebook_path ?? run.notebook ?? run.experiment;
}

/** A run of a script has no cell: its name tells what belongs together. */
function cellOf(run: RunRow): string {
  return run.cell_id ?? stem(run.name);
}

function fileName(path: string): string {
  return (
    path
      .split('/')
      .at(-1)
      ?.replace(/\.ipynb$/, '') || path
  );
}
