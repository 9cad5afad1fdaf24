/**
 * The newest alerts of all open stores: asked for while something runs.
 *
 * The first answer is what was there before; each alert that comes later is told once.
 */

import { Poll } from '@lumino/polling';
import { Signal, type ISignal } from '@lumino/signaling';
import type { Api } from '../api/client';
import type { AlertRow } from '../api/rows';

const EVERY_MS = 1500;
const BACKOFF_MAX_MS = 30_000;
const KNOWN_MAX = 5000;

export class AlertFeed {
  /** The newest first. */
  alerts: AlertRow[] = [];

  private readonly changes = new Signal<this, void>(this);
  private readonly news = new Signal<this, AlertRow[]>(this);
  private readonly poll: Poll;
  private readonly known = new Set<string>();
  private isFirst = true;
  private isAsking = false;

  constructor(
    private readonly api: Api,
    /** Whether a cell is running that may begin a run. */
    private readonly isBusy: () => boolean,
  ) {
    this.poll = new Poll({
      name: 'nbtrack:alerts',
      auto: false,
      factory: () => this.tick(),
      frequency: { interval: EVERY_MS, backoff: true, max: BACKOFF_MAX_MS },
      standby: 'when-hidden',
    });
  }

  /** Others than before, or seen meanwhile. */
  get changed(): ISignal<this, void> {
    return this.changes;
  }

  /** Alerts that came since the page is there, the oldest first. */
  get raised(): ISignal<this, AlertRow[]> {
    return this.news;
  }

  dispose(): void {
    this.poll.dispose();
    Signal.clearData(this);
  }

  /** Something happened that may be a run's beginning or end. */
  look(): void {
    if (this.poll.isDisposed) return;
    this.isAsking = true;
    void this.poll.refresh();
  }

  /** The same, of what happens often: nothing where it is asked for anyway. */
  wake(): void {
    if (!this.isAsking) this.look();
  }

  /** What nobody has seen yet of a run, the newest first. */
  unseen(run: string): AlertRow[] {
    return this.alerts.filter((alert) => alert.run === run && !alert.seen);
  }

  /** Somebody looks at the run: its alerts are seen, here and for others. */
  async see(run: string): Promise<void> {
    if (this.unseen(run).length === 0) return;
    this.alerts = this.alerts.map((one) =>
      one.run === run ? { ...one, seen: true } : one,
    );
    this.changes.emit();
    // A store that cannot be written shows them again with the next page.
    await this.api.edit(run, { alerts_seen: true }).catch(() => undefined);
  }

  private async tick(): Promise<void> {
    const { alerts, n_running } = await this.api.alerts();
    if (this.poll.isDisposed) return;
    this.take(alerts);
    if (n_running > 0 || this.isBusy()) return;
    this.isAsking = false;
    void this.poll.stop();
  }

  private take(alerts: AlertRow[]): void {
    const wasFirst = this.isFirst;
    this.isFirst = false;
    const news = alerts.filter((alert) => !this.known.has(keyOf(alert)));
    const isSame = news.length === 0 && alerts.length === this.alerts.length;
    const seen = (all: readonly AlertRow[]): number => all.filter((a) => a.seen).length;
    if (isSame && seen(alerts) <= seen(this.alerts)) return;
    if (this.known.size > KNOWN_MAX) this.known.clear();
    for (const alert of alerts) this.known.add(keyOf(alert));
    this.alerts = alerts;
    this.changes.emit();
    const toTell = news.filter((alert) => !alert.seen).reverse();
    if (!wasFirst && toTell.length) this.news.emit(toTell);
  }
}

function keyOf(alert: AlertRow): string {
  return `${alert.run}\n${alert.key}`;
}
