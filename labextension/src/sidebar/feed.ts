/**
 * The runs that the side bar shows: asked for while somebody can see them.
 *
 * A poll names the version that it has seen, so a quiet store costs a few bytes. Where
 * there is no store nothing is asked until something happens that may make one.
 */

import { Poll } from '@lumino/polling';
import { Signal, type ISignal } from '@lumino/signaling';
import { isUnchanged, wordsOf, type Api } from '../api/client';
import type { RunList, RunRow, Spark, StoreRow } from '../api/rows';

const EVERY_MS = 400; // a metric is to be seen within a second, its commit included
const BACKOFF_MAX_MS = 15_000;
export const PAGE = 200; // runs asked for at once
const LIMIT_MAX = 1000; // as the server has it
const SPARKS_MAX = 100;

/** What decides which runs there are. */
export interface Asked {
  query: string;
  store: string;
  trashed: boolean;
}

export class RunFeed {
  stores: StoreRow[] = [];
  rows: RunRow[] = [];
  total = 0;
  /** Why there is no answer, or what is wrong with the query. */
  error = '';
  isKnown = false;
  readonly sparks = new Map<string, Spark>();
  readonly asked: Asked = { query: '', store: '', trashed: false };

  private readonly changes = new Signal<this, void>(this);
  private readonly poll: Poll;
  private version = '';
  private wanted = PAGE;
  private inView: readonly string[] = [];

  constructor(
    private readonly api: Api,
    isVisible: () => boolean,
    /** Whether a cell is running that may make the first store. */
    private readonly isBusy: () => boolean,
  ) {
    this.poll = new Poll({
      name: 'nbtrack:runs',
      auto: false,
      factory: () => this.tick(),
      frequency: { interval: EVERY_MS, backoff: true, max: BACKOFF_MAX_MS },
      standby: () => (isVisible() ? 'when-hidden' : true),
    });
  }

  get changed(): ISignal<this, void> {
    return this.changes;
  }

  dispose(): void {
    this.poll.dispose();
    Signal.clearData(this);
  }

  /** Something happened: ask now, also where there was no store before. */
  look(): void {
    if (!this.poll.isDisposed) void this.poll.refresh();
  }

  /** Ask for other runs; what is there stays until the answer has come. */
  ask(part: Partial<Asked>): void {
    Object.assign(this.asked, part);
    this.wanted = PAGE;
    this.forget();
    this.look();
  }

  /** Have all told again, whatever was seen. */
  forget(): void {
    this.version = '';
  }

  /** Older runs, where there are some that are not here. */
  more(): void {
    if (this.rows.length >= this.total || this.wanted > this.rows.length) return;
    this.wanted = this.rows.length + PAGE;
    this.forget();
    this.look();
  }

  /** The runs that can be seen: these get their small curves. */
  show(runs: readonly RunRow[]): void {
    this.inView = runs.map((run) => run.id);
    const isMissing = runs.some((run) => run.best && !this.sparks.has(run.id));
    if (isMissing) void this.draw().then(() => this.changes.emit());
  }

  private async tick(): Promise<void> {
    try {
      const isNew = await this.take();
      if (isNew && this.isKnown) await this.draw();
      if (isNew) this.changes.emit();
    } catch (reason) {
      this.fail(reason);
      throw reason; // the poll asks less often
    }
    const isHopeless = this.stores.length === 0 && !this.isBusy();
    if (this.isKnown && isHopeless) void this.poll.stop();
  }

  /** Whether there was something new. */
  private async take(): Promise<boolean> {
    const first = await this.page(0, Math.min(this.wanted, LIMIT_MAX));
    if (first === null) return false;
    const rows = [...first.runs];
    while (rows.length < Math.min(this.wanted, first.total)) {
      const missing = Math.min(this.wanted - rows.length, LIMIT_MAX);
      const next = await this.page(rows.length, missing, '');
      if (!next?.runs.length) break;
      rows.push(...next.runs);
    }
    const { stores } = await this.api.stores();
    const { total, version } = first;
    Object.assign(this, { stores, rows, total, version });
    Object.assign(this, { isKnown: true, error: '' });
    return true;
  }

  private async page(
    offset: number,
    limit: number,
    seen = this.version,
  ): Promise<RunList | null> {
    const { query, store, trashed } = this.asked;
    const answer = await this.api.runsSince(seen, {
      ...(query ? { query } : {}),
      ...(store ? { store } : {}),
      ...(trashed ? { trashed: '1' } : {}),
      offset: String(offset),
      limit: String(limit),
    });
    return isUnchanged(answer) ? null : answer;
  }

  /** Curves of running runs each time, of others once. */
  private async draw(): Promise<void> {
    const running = new Set(
      this.rows.filter((run) => run.status === 'running').map((run) => run.id),
    );
    const wanted = this.inView
      .filter((id) => running.has(id) || !this.sparks.has(id))
      .slice(0, SPARKS_MAX);
    if (wanted.length === 0) return;
    for (const id of wanted)
      if (!running.has(id)) this.sparks.set(id, { metric: '', y: [] });
    const found = await this.api.sparks(wanted);
    for (const [id, spark] of Object.entries(found)) this.sparks.set(id, spark);
  }

  private fail(reason: unknown): void {
    const error = wordsOf(reason);
    if (error === this.error) return;
    this.error = error;
    this.changes.emit();
  }
}
