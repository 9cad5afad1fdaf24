/** Which line has the focus and which runs are chosen, as the keys and clicks say. */

import { Signal, type ISignal } from '@lumino/signaling';

export class Choice {
  /** The line that keys act on. */
  active = '';
  private readonly chosen = new Set<string>();
  private readonly changes = new Signal<this, void>(this);

  get changed(): ISignal<this, void> {
    return this.changes;
  }

  /** In the order in which they were chosen. */
  get runs(): string[] {
    return [...this.chosen];
  }

  has(run: string): boolean {
    return this.chosen.has(run);
  }

  toggle(run: string): void {
    if (!this.chosen.delete(run)) this.chosen.add(run);
    this.changes.emit();
  }

  set(runs: readonly string[]): void {
    this.chosen.clear();
    for (const run of runs) this.chosen.add(run);
    this.changes.emit();
  }

  /** Runs that are gone cannot be chosen any longer. */
  keep(known: ReadonlySet<string>): void {
    for (const run of this.chosen) if (!known.has(run)) this.chosen.delete(run);
  }

  focus(line: string): void {
    if (line === this.active) return;
    this.active = line;
    this.changes.emit();
  }
}
