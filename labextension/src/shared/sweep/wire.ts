/**
 * What the kernel tells the panel of a sweep, and what the panel says.
 *
 * The mirror of `nbtrack/notebook/panels/sweep_wire.py` and `sweep.py`.
 */

import type { Goal } from '../wire';

/** shown name, name, value, where, values to try, ticked, what is wrong. */
export type Row = [string, string, string, string, string, boolean, string];

export type Field = 'n' | 'sampler' | 'metric' | 'prune' | 'parallel';

export interface FormState {
  rows: Row[];
  fields: Record<Field, string>;
  slips: Record<Field, string>;
  samplers: string[];
  pruners: string[];
  line: string;
  budget: string;
  /** Why the last start was refused. */
  problem: string;
  is_ready: boolean;
}

/** number, status, value, texts of its values, seconds, run, error. */
export type Trial = [
  number,
  string,
  number | null,
  string[],
  number | null,
  string | null,
  string,
];

export interface SweepState {
  name: string;
  state: 'new' | 'running' | 'paused' | 'stopped' | 'finished' | 'failed';
  headline: string;
  metric: string;
  goal: Goal;
  n: number | null;
  n_done: number;
  names: string[];
  rows: Trial[];
  n_more: number;
  /** number and value of finished trials, by number. */
  curve: [number, number][];
  notes: string[];
  error: string;
  is_over: boolean;
  line: string;
  /** Whether the kernel has time for more than buttons: charts, cells. */
  has_kernel: boolean;
}

export interface FromKernel {
  form?: (form: FormState) => void;
  sweep?: (sweep: SweepState) => void;
  /** The kernel has this message. */
  heard?: (id: string) => void;
  said?: (text: string, isError: boolean) => void;
  /** A trial as a cell, where no page could put it below. */
  cell?: (number: number, text: string) => void;
  chart?: (chart: string, code: string) => void;
}

export interface Told {
  spaces: Record<string, string>;
  ticked: string[];
  n: string;
  sampler: string;
  metric: string;
  prune: string;
  parallel: string;
}

export type Command = 'hello' | 'start' | 'stop' | 'pause' | 'go_on';

export type Message =
  | { type: Command }
  | { type: 'form'; form: Told }
  | { type: 'promote'; number: number }
  | { type: 'chart'; chart: string };

/** By its id the kernel knows a message that it has heard before. */
export type ToKernel = Message & { id: string };

/** Hand a message of the kernel to whoever listens for its kind; others are ignored. */
export function receive(to: FromKernel, message: unknown): void {
  const told = message as Record<string, unknown> & { type?: string };
  if (told.type === 'form') to.form?.(told as unknown as FormState);
  if (told.type === 'sweep') to.sweep?.(told as unknown as SweepState);
  if (told.type === 'said') to.said?.(String(told['text']), told['is_error'] === true);
  if (told.type === 'cell') to.cell?.(Number(told['number']), String(told['text']));
  if (told.type === 'heard') to.heard?.(String(told['id']));
  if (told.type === 'chart') to.chart?.(String(told['chart']), String(told['code']));
}
