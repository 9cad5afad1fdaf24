/** All that a panel knows of its run: the header, and growing columns per series. */

import { markKey } from './marks';
import type {
  AlertMeta,
  CheckpointMeta,
  Frame,
  MetricMeta,
  RunMeta,
  SeriesDelta,
} from './wire';

/** A Float64Array that grows by doubling; `view()` is what is filled. */
export class Column {
  private data = new Float64Array(64);
  length = 0;

  /** Keep the first `from` numbers, then append `values`. */
  splice(from: number, values: ArrayLike<number>): void {
    const needed = from + values.length;
    if (needed > this.data.length) {
      const larger = new Float64Array(Math.max(needed, this.data.length * 2));
      larger.set(this.data.subarray(0, from));
      this.data = larger;
    }
    this.data.set(values, from);
    this.length = needed;
  }

  view(): Float64Array {
    return this.data.subarray(0, this.length);
  }
}

/** One curve: the points of a metric with their times and axes. */
export class Series {
  readonly step = new Column();
  readonly value = new Column();
  readonly at = new Column();
  readonly axes = new Map<string, Column>();
  /** Grows with every change, so that what is derived can be cached. */
  version = 0;

  constructor(
    readonly metric: string,
    readonly ghost: boolean,
  ) {}

  get length(): number {
    return this.value.length;
  }

  /** False when the delta does not fit what is here: a part was missed. */
  apply(delta: SeriesDelta): boolean {
    if (delta.from > this.length) return false;
    this.step.splice(delta.from, delta.step);
    this.value.splice(delta.from, delta.value);
    this.at.splice(delta.from, delta.at);
    for (const [name, values] of Object.entries(delta.axes))
      this.axis(name, delta.from).splice(delta.from, values);
    this.version += 1;
    return true;
  }

  private axis(name: string, from: number): Column {
    const known = this.axes.get(name);
    if (known) return known;
    const column = new Column();
    column.splice(0, new Float64Array(from).fill(NaN));
    this.axes.set(name, column);
    return column;
  }
}

export interface Family {
  name: string;
  metrics: MetricMeta[];
}

export class PanelModel {
  run: RunMeta | null = null;
  readonly metrics = new Map<string, MetricMeta>();
  readonly series = new Map<string, Series>();
  readonly ghosts = new Map<string, Series>();
  /** The saved checkpoints, in the order of saving. */
  readonly marks = new Map<string, CheckpointMeta>();
  /** In the order in which they came. */
  readonly alerts = new Map<string, AlertMeta>();
  /** Grows with every checkpoint that comes or changes. */
  marksVersion = 0;
  /** When the last header came, on this page's clock (ms). */
  headerAt = 0;

  /** Take a frame in; false when a part was missed and all the data is needed. */
  apply(frame: Frame, now: number): boolean {
    if (frame.full) this.clear();
    if (frame.run) {
      this.run = frame.run;
      this.headerAt = now;
      for (const meta of frame.run.metrics) this.metrics.set(meta.name, meta);
      for (const mark of frame.run.checkpoints ?? []) this.take(mark);
      for (const alert of frame.run.alerts ?? []) this.alerts.set(alert.key, alert);
    }
    return frame.series
      .map((delta) => this.seriesFor(delta).apply(delta))
      .every((fitted) => fitted);
  }

  /** Seconds since the run began, going on between headers while it runs. */
  elapsed(now: number): number {
    if (!this.run) return 0;
    const since = this.run.status === 'running' ? (now - this.headerAt) / 1000 : 0;
    return this.run.elapsed_s + since;
  }

  /** Seconds that remain, counting down between headers; null when unknown. */
  remaining(now: number): number | null {
    if (this.run?.eta_s == null || this.run.status !== 'running') return null;
    return Math.max(0, this.run.eta_s - (now - this.headerAt) / 1000);
  }

  /** Metrics that belong in one chart; families with a goal come first. */
  families(): Family[] {
    const byName = new Map<string, Family>();
    for (const meta of this.metrics.values()) {
      const family = byName.get(meta.family) ?? { name: meta.family, metrics: [] };
      family.metrics.push(meta);
      byName.set(meta.family, family);
    }
    for (const family of byName.values())
      family.metrics.sort((a, b) => a.place - b.place);
    const hasNone = (family: Family): number =>
      Number(family.metrics.every((meta) => !meta.goal));
    return [...byName.values()].sort((a, b) => hasNone(a) - hasNone(b));
  }

  private take(mark: CheckpointMeta): void {
    this.marks.set(markKey(mark), mark);
    this.marksVersion += 1;
  }

  private seriesFor(delta: SeriesDelta): Series {
    const all = delta.ghost ? this.ghosts : this.series;
    let series = all.get(delta.metric);
    if (!series) {
      series = new Series(delta.metric, delta.ghost);
      all.set(delta.metric, series);
    }
    return series;
  }

  private clear(): void {
    this.metrics.clear();
    this.series.clear();
    this.ghosts.clear();
    this.marks.clear();
    this.alerts.clear();
  }
}
