/**
 * What a host hands to the panel: one frame = a header and packed Float64 columns.
 *
 * The mirror of `nbtrack/analysis/wire.py`; the words are the same on both sides.
 * The kernel sends the columns as one binary buffer, the server as base64 in `data`.
 */

export type Status =
  'running' | 'finished' | 'failed' | 'stopped' | 'crashed' | 'pruned';

export type Level = 'info' | 'warn' | 'error';

export type Goal = 'min' | 'max';

/** What is said about one metric; columns come beside it. */
export interface MetricMeta {
  name: string;
  family: string;
  role: string;
  /** Of its role within the family. */
  place: number;
  /** Of its role, in the palette. */
  colour: number;
  goal: Goal | null;
  n: number;
  best: number | null;
  best_step: number | null;
  thinned: number;
  n_nan: number;
  first_nan_step: number | null;
}

export interface Progress {
  axis: string;
  done: number;
  total: number;
}

export interface SystemMeta {
  cpu_percent: number;
  rss_bytes: number;
  ram_percent: number;
}

/** How far the notebook explains the result, A to D, and what speaks against it. */
export interface GradeMeta {
  letter: string;
  why: string[];
}

/** A saved checkpoint; of one whose file was given up `gone` says why. */
export interface CheckpointMeta {
  name: string;
  version: number;
  step: number;
  at: number;
  metrics: Record<string, number>;
  gone: string | null;
}

/** Something about the run that somebody should look at. */
export interface AlertMeta {
  /** By what it is known. */
  key: string;
  kind: string;
  level: Level;
  title: string;
  text: string;
  step: number | null;
  at: number;
}

/** The run as it stands; metrics, checkpoints and alerts are those that changed. */
export interface RunMeta {
  id: string;
  name: string;
  status: Status;
  stopping: boolean;
  started_at: number;
  elapsed_s: number;
  eta_s: number | null;
  progress: Progress | null;
  headline: string[];
  error: string | null;
  reason: string | null;
  grade: GradeMeta | null;
  ghost: { id: string; name: string; started_at: number } | null;
  system: SystemMeta | null;
  metrics: MetricMeta[];
  /** Not sent by a kernel with an older nbtrack. */
  checkpoints?: CheckpointMeta[];
  /** All of them; only the newest are marks. */
  n_checkpoints?: number;
  /** Not sent by a kernel with an older nbtrack. */
  alerts?: AlertMeta[];
}

/**
 * One series in the buffer: `n` steps, then `n` values, `n` times, `n` of each axis.
 * They replace whatever the panel has from position `from` on.
 */
export interface SeriesHead {
  metric: string;
  ghost: boolean;
  from: number;
  n: number;
  axes: string[];
}

export interface FrameHead {
  type: 'frame';
  /** Forget every series before this frame. */
  full: boolean;
  /** null in the later parts of a frame that was too large for one message. */
  run: RunMeta | null;
  series: SeriesHead[];
  /** The columns as base64, where the host speaks JSON only. */
  data?: string;
  /** What the server wants back for the next frame. */
  cursor?: unknown;
}

export interface SeriesDelta {
  metric: string;
  ghost: boolean;
  from: number;
  step: Float64Array;
  value: Float64Array;
  at: Float64Array;
  axes: Record<string, Float64Array>;
}

export interface Frame {
  full: boolean;
  run: RunMeta | null;
  series: SeriesDelta[];
}

/** What the panel says to the widget's kernel side; a kernel may hear it twice. */
export interface FromPanel {
  type: 'stop' | 'resync';
  id: string;
}

export function isFrameHead(message: unknown): message is FrameHead {
  return (
    typeof message === 'object' &&
    message !== null &&
    (message as { type?: unknown }).type === 'frame'
  );
}

/** Cut the packed columns of a frame into its series. */
export function decodeFrame(head: FrameHead, buffer?: ArrayBuffer | DataView): Frame {
  const packed = toDoubles(buffer ?? fromBase64(head.data ?? ''));
  let at = 0;
  const take = (n: number): Float64Array => packed.subarray(at, (at += n));
  const series = head.series.map((one) => ({
    metric: one.metric,
    ghost: one.ghost,
    from: one.from,
    step: take(one.n),
    value: take(one.n),
    at: take(one.n),
    axes: Object.fromEntries(one.axes.map((axis) => [axis, take(one.n)])),
  }));
  if (at !== packed.length)
    throw new Error(`frame holds ${packed.length} numbers, its header says ${at}`);
  return { full: head.full, run: head.run, series };
}

function toDoubles(buffer: ArrayBuffer | DataView): Float64Array {
  // A DataView of the widget protocol may start at any byte: copy to be aligned.
  const bytes =
    buffer instanceof ArrayBuffer
      ? new Uint8Array(buffer)
      : new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  return new Float64Array(bytes.slice().buffer);
}

function fromBase64(text: string): ArrayBuffer {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0)).buffer;
}

export interface Disposable {
  dispose(): void;
}

/**
 * Where frames come from. `subscribe` begins with a full frame (at once or later);
 * `resync` asks for all the data again, after a part was missed.
 */
export interface PanelSource {
  subscribe(listener: (frame: Frame) => void): Disposable;
  resync(): void;
}

export interface PanelActions {
  /** Ask the run to stop; null where the host cannot. */
  stop: (() => void) | null;
}
