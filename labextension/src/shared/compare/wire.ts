/**
 * What the kernel tells the panel of a comparison, and what the panel asks.
 *
 * The mirror of `nbtrack/analysis/comparing/wire.py` and `state.py`.
 */

import type { Goal } from '../wire';

export type Cell = number | string | boolean | null;

export interface Column {
  /** As the query language has it: best.loss, params.lr. */
  name: string;
  kind: 'field' | 'metric' | 'param';
  goal: Goal | null;
  numeric: boolean;
  differs: boolean;
  values: Cell[];
  /** Of the best values. */
  steps: (number | null)[] | null;
}

export interface Table {
  ids: string[];
  names: string[];
  columns: Column[];
  starred: string[];
  n_all: number;
}

/** See `CompareState` in Python: runs are ids, columns whole names. */
export interface State {
  query: string;
  runs: string[];
  last: number | null;
  sort: string;
  columns: string[];
  hidden: string[];
  all_params: boolean;
  group: string;
  pinned: string[];
  baseline: string;
  selected: string[];
  metric: string;
  x: string;
  smooth: number;
  log_x: boolean;
  log_y: boolean;
  clip: boolean;
  bands: boolean;
}

export interface Drawn {
  /** The run's id, or the group. */
  key: string;
  x: Float64Array;
  y: Float64Array;
  smooth: Float64Array | null;
  low: Float64Array | null;
  high: Float64Array | null;
  n_runs: number;
  n_points: number;
  thinned: boolean;
}

export interface Curves {
  metric: string;
  x: string;
  axes: string[];
  span: [number, number] | null;
  curves: Drawn[];
}

export interface FromKernel {
  table?: (table: Table) => void;
  state?: (state: State, line: string, metric: string) => void;
  curves?: (curves: Curves) => void;
  sparks?: (metric: string, asked: string[], curves: Drawn[]) => void;
  /** A clicked point: what was saved there, and the line that loads it. */
  picked?: (text: string, code: string) => void;
  error?: (text: string) => void;
}

export type ToKernel =
  | { type: 'hello' | 'refresh' }
  | { type: 'state'; state: State }
  | { type: 'curves'; span: [number, number] | null; points: number }
  | { type: 'sparks'; ids: string[] }
  | { type: 'pick'; run: string; x: number }
  | { type: 'star'; run: string; on: boolean };

interface CurveHead {
  key: string;
  n: number;
  columns: ('smooth' | 'low' | 'high')[];
  n_runs: number;
  n_points: number;
  thinned: boolean;
}

/** Hand a message of the kernel to whoever listens for its kind; others are ignored. */
export function receive(to: FromKernel, message: unknown, buffer?: DataView): void {
  const told = message as Record<string, unknown> & { type?: string };
  if (told.type === 'table') to.table?.(decodeTable(told as unknown as Table, buffer));
  if (told.type === 'state')
    to.state?.(told['state'] as State, String(told['line']), String(told['metric']));
  if (told.type === 'picked') to.picked?.(String(told['text']), String(told['code']));
  if (told.type === 'error') to.error?.(String(told['text']));
  if (told.type === 'curves')
    to.curves?.({ ...(told as unknown as Curves), curves: decode(told, buffer) });
  if (told.type === 'sparks')
    to.sparks?.(
      String(told['metric']),
      told['asked'] as string[],
      decode(told, buffer),
    );
}

/** Columns of numbers are packed, NaN for none; elsewhere NaN is {"n": "NaN"}. */
function decodeTable(table: Table, buffer?: DataView): Table {
  const packed = toDoubles(buffer);
  const n = table.ids.length;
  let at = 0;
  const next = (): Cell[] =>
    Array.from(packed.subarray(at, (at += n)), (v) => (Number.isNaN(v) ? null : v));
  const columns = table.columns.map((column) => {
    const values = column.values as (Cell | { n: string })[] | null;
    return { ...column, values: values ? values.map(decoded) : next() };
  });
  return { ...table, columns };
}

function decoded(value: Cell | { n: string }): Cell {
  return typeof value === 'object' && value !== null ? Number(value.n) : value;
}

function decode(told: Record<string, unknown>, buffer?: DataView): Drawn[] {
  const packed = toDoubles(buffer);
  let at = 0;
  const take = (n: number): Float64Array => packed.subarray(at, (at += n));
  return (told['curves'] as CurveHead[]).map((head) => {
    const [x, y] = [take(head.n), take(head.n)];
    const more = Object.fromEntries(head.columns.map((name) => [name, take(head.n)]));
    const { key, n_runs, n_points, thinned } = head;
    const none = { smooth: null, low: null, high: null };
    return { key, x, y, ...none, ...more, n_runs, n_points, thinned };
  });
}

function toDoubles(buffer: DataView | undefined): Float64Array {
  if (!buffer) return new Float64Array();
  const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  // A view of the widget protocol may start at any byte: copy to be aligned.
  return new Float64Array(bytes.slice().buffer);
}
