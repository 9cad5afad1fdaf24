/** What the server answers, in the words of `nbtrack/server/openapi.json`. */

import type { IMimeBundle } from '@jupyterlab/nbformat';
import type { Goal, Level, Status } from '../shared/wire';

export interface MetricRow {
  name: string;
  goal: Goal | null;
  n: number;
  last: number | null;
  best: number | null;
  best_step: number;
}

export interface RunRow {
  id: string;
  store: string;
  name: string;
  experiment: string;
  status: Status;
  started_at: string;
  ended_at: string | null;
  duration_s: number | null;
  notebook: string | null;
  /** Where JupyterLab can open the notebook; null where it cannot. */
  notebook_path: string | null;
  cell_id: string | null;
  kernel_id: string | null;
  starred: boolean;
  trashed: boolean;
  tags: string[];
  group: string | null;
  notes: string;
  grade: string | null;
  parent: string | null;
  best: MetricRow | null;
  metrics: MetricRow[];
}

/** A run with what its card shows. */
export interface RunDetail extends RunRow {
  /** Name, value and origin. */
  params: [string, string, string][];
  /** Assignments that set the params again. */
  params_code: string;
  source: string | null;
  error: string | null;
}

export interface Problem {
  store: string;
  message: string;
}

export interface RunList {
  runs: RunRow[];
  total: number;
  version: string;
  problems: Problem[];
}

/** Nothing has changed since that version. */
export interface Unchanged {
  unchanged: true;
  version: string;
}

export interface StoreRow {
  id: string;
  name: string;
  where: string;
  found_by: 'session' | 'registry' | 'setting';
  state: 'ok' | 'read-only' | 'problem';
  message: string | null;
  n_runs: number;
  n_running: number;
}

export interface Spark {
  metric: string;
  y: (number | null)[];
}

export interface AlertRow {
  /** By what it is known among those of its run. */
  key: string;
  run: string;
  run_name: string;
  store: string;
  at: string;
  kind: string;
  level: Level;
  title: string;
  text: string;
  metric: string | null;
  step: number | null;
  seen: boolean;
}

export interface AlertList {
  /** The newest first. */
  alerts: AlertRow[];
  n_running: number;
  problems: Problem[];
}

/** The runs of one cell. */
export interface CellRuns {
  run: RunRow;
  n_runs: number;
  best: MetricRow | null;
  spark: (number | null)[];
}

export interface RunChange {
  name?: string;
  notes?: string;
  starred?: boolean;
  add_tags?: string[];
  remove_tags?: string[];
  trashed?: boolean;
  alerts_seen?: true;
}

export interface Section {
  title: string;
  rows: string[][];
  /** Titles with longer texts. */
  texts: [string, string][];
}

export interface KeptFile {
  path: string;
  /** Null for a file that is elsewhere and only referred to. */
  size_bytes: number | null;
  digest: string | null;
}

export interface ArtifactFiles {
  artifact: string;
  type: string;
  role: 'logged' | 'used';
  aliases: string[];
  /** Why its files are no longer there. */
  gone: string | null;
  files: KeptFile[];
}

export interface RunPage {
  run: string;
  headline: string;
  /** What a rerun repeats, where it is in the same store. */
  origin: { run: string; name: string } | null;
  sections: Section[];
  files: ArtifactFiles[];
}

/** A line of two texts side by side. */
export interface DiffLine {
  a: number | null;
  b: number | null;
  left: string;
  right: string;
  kind: 'same' | 'changed' | 'removed' | 'added' | 'gap';
}

export interface DiffTable {
  title: string;
  heads: string[];
  rows: string[][];
}

export interface RunDiff {
  headings: [string, string];
  verdict: string;
  metrics_line: string;
  causes: { title: string; why: string; kind: string; strength: string }[];
  tables: DiffTable[];
  code: { title: string; lines: DiffLine[] }[];
  metrics: DiffTable;
  same: string;
  unseen: string[];
}

export interface CellDiff {
  same: boolean;
  lines: DiffLine[];
}

/** The cells that a run's result depends on, to be put into a notebook. */
export interface RestoredCells {
  cells: string[];
  not_kept: string[];
  note: string;
}

export interface Job {
  job: string;
  kind: string;
  state: 'running' | 'done' | 'failed' | 'cancelled';
  progress: number | null;
  message: string;
  filename: string | null;
}

export interface ModelVersion {
  version: string;
  stage: string;
  aliases: string[];
  run: string | null;
  created_at: string;
}

export interface ModelRow {
  store: string;
  name: string;
  versions: ModelVersion[];
}

export interface StaticOutput {
  data: IMimeBundle;
  metadata: { nbtrack: { run: string } };
}
