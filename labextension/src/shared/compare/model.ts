/**
 * The table as it is shown: which rows in which order, which columns, what is marked.
 *
 * Nothing here knows the page. Ten thousand runs are sorted in a few milliseconds: the
 * order is a list of row numbers, and marks are made once per column and order.
 */

import type { Goal } from '../wire';
import type { Cell, Column, State, Table } from './wire';

export const SELECTED_MAX = 7;

/** A row of the page: a run by its number, or the head of a group. */
export type Row = { run: number } | { group: string; runs: number[]; open: boolean };

export interface Marks {
  best: ReadonlySet<number>;
  worst: ReadonlySet<number>;
}

const NO_TABLE: Table = { ids: [], names: [], columns: [], starred: [], n_all: 0 };

export class CompareModel {
  table = NO_TABLE;
  state: State | null = null;
  line = '';
  metric = '';
  private byName = new Map<string, Column>();
  private places = new Map<string, number>();
  private readonly marksOf = new Map<string, Marks>();
  private readonly closed = new Set<string>();

  setTable(table: Table): void {
    this.table = table;
    this.byName = new Map(table.columns.map((column) => [column.name, column]));
    this.places = new Map(table.ids.map((id, at) => [id, at]));
    this.marksOf.clear();
  }

  /** Another text where the table would look another way; the table itself apart. */
  looks(): string {
    return JSON.stringify([this.state, this.metric, [...this.closed]]);
  }

  column(name: string): Column | undefined {
    return this.byName.get(name);
  }

  place(run: string): number {
    return this.places.get(run) ?? -1;
  }

  isStarred(run: number): boolean {
    return this.table.starred.includes(this.table.ids[run] ?? '');
  }

  /** The columns that the state shows; the same rule as `Compared.shown`. */
  shown(): Column[] {
    const state = this.state;
    if (!state) return [];
    if (state.columns.length)
      return state.columns.flatMap((name) => this.byName.get(name) ?? []);
    return this.table.columns.filter(
      (column) =>
        !state.hidden.includes(column.name) &&
        (column.kind !== 'param' || state.all_params || column.differs),
    );
  }

  /** Baseline and pinned runs, then all others in their order, under their groups. */
  rows(): Row[] {
    const state = this.state;
    if (!state) return [];
    const order = this.order();
    const first = [state.baseline, ...state.pinned];
    const held = new Set(first.map((id) => this.place(id)).filter((at) => at >= 0));
    const top = [...held].map((run): Row => ({ run }));
    const rest = order.filter((run) => !held.has(run));
    const group = this.column(state.group);
    return [...top, ...(group ? this.grouped(group, rest) : rest.map(asRow))];
  }

  toggleGroup(group: string): void {
    if (!this.closed.delete(group)) this.closed.add(group);
  }

  marks(column: Column): Marks {
    let found = this.marksOf.get(column.name);
    if (!found) {
      found = marksOf(column.values, column.goal);
      this.marksOf.set(column.name, found);
    }
    return found;
  }

  /** How far a value is from the baseline's; null where there is nothing to say. */
  delta(column: Column, run: number): number | null {
    const base = this.place(this.state?.baseline ?? '');
    if (base < 0 || base === run || column.kind !== 'metric') return null;
    const [own, other] = [column.values[run], column.values[base]];
    if (typeof own !== 'number' || typeof other !== 'number') return null;
    const delta = own - other;
    return Number.isNaN(delta) || delta === 0 ? null : delta;
  }

  private order(): number[] {
    const all = this.table.ids.map((_, run) => run);
    const sort = this.state?.sort ?? '';
    const name = sort.replace(/^-/, '');
    if (name === 'name') return sortRows(all, this.table.names, sort !== name);
    const column = this.column(name);
    if (!column) return all;
    const backwards = sort.startsWith('-') !== (column.goal === 'max');
    return sortRows(all, column.values, backwards);
  }

  private grouped(column: Column, order: readonly number[]): Row[] {
    const groups = new Map<string, number[]>();
    for (const run of order) {
      const key = keyOf(column.values[run]);
      const members = groups.get(key);
      if (members) members.push(run);
      else groups.set(key, [run]);
    }
    return [...groups].flatMap(([group, runs]): Row[] => {
      const open = !this.closed.has(group);
      return [{ group, runs, open }, ...(open ? runs.map(asRow) : [])];
    });
  }
}

export function keyOf(value: Cell | undefined): string {
  return value == null ? '–' : String(value);
}

function asRow(run: number): Row {
  return { run };
}

/** Numbers before texts before the rest; what lacks a value, or is NaN, comes last. */
export function sortRows(
  rows: readonly number[],
  values: readonly Cell[],
  backwards: boolean,
): number[] {
  const there = rows.filter((row) => !isHollow(values[row]));
  const rest = rows.filter((row) => isHollow(values[row]));
  const sign = backwards ? -1 : 1;
  there.sort((a, b) => sign * compareCells(values[a], values[b]));
  return [...there, ...rest];
}

function isHollow(value: Cell | undefined): boolean {
  return value == null || (typeof value === 'number' && Number.isNaN(value));
}

function compareCells(a: Cell | undefined, b: Cell | undefined): number {
  const [x, y] = [rank(a), rank(b)];
  if (x !== y) return x - y;
  if (x === 0) return Number(a) - Number(b);
  const [left, right] = [String(a), String(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function rank(value: Cell | undefined): number {
  return typeof value === 'string' ? 1 : 0;
}

/** Where the best and the worst are, as `comparing.columns.marks_of`: ties all, NaN never. */
export function marksOf(values: readonly Cell[], goal: Goal | null): Marks {
  const none: Marks = { best: new Set(), worst: new Set() };
  if (!goal) return none;
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (typeof value !== 'number' || Number.isNaN(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (!(low < high)) return none;
  const where = (wanted: number): Set<number> =>
    new Set(values.flatMap((value, at) => (value === wanted ? [at] : [])));
  const [least, most] = [where(low), where(high)];
  return goal === 'min' ? { best: least, worst: most } : { best: most, worst: least };
}

/** The mean of what is a number, of the runs of a group. */
export function meanOf(column: Column, runs: readonly number[]): number | null {
  const numbers = runs
    .map((run) => column.values[run])
    .filter((v): v is number => typeof v === 'number' && !Number.isNaN(v));
  if (!numbers.length) return null;
  return numbers.reduce((sum, v) => sum + v, 0) / numbers.length;
}

/** What a click on a column's head gives: best first, worst first, as it was. */
export function nextSort(state: State, name: string): string {
  if (state.sort === name) return `-${name}`;
  return state.sort === `-${name}` ? '' : name;
}

/** The selection with a run more or less; the oldest leaves when there are too many. */
export function toggled(selected: readonly string[], run: string): string[] {
  if (selected.includes(run)) return selected.filter((id) => id !== run);
  return [...selected, run].slice(-SELECTED_MAX);
}
