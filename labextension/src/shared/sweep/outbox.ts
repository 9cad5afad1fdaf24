/**
 * Says things to the kernel until it has heard them.
 *
 * A busy kernel hears late, and one whose output is captured (`%%capture`) may drop what
 * comes meanwhile. By its id the kernel knows a message that it has heard before.
 */

import type { Disposable } from '../wire';
import type { Message, ToKernel } from './wire';

const AGAIN_AFTER_MS = [1000, 2000, 4000, 8000, 16000];

export class Outbox implements Disposable {
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(private readonly send: (message: ToKernel) => void) {}

  say(message: Message): void {
    this.again({ ...message, id: newId() }, 0);
  }

  heard(id: string): void {
    clearTimeout(this.timers.get(id));
    this.timers.delete(id);
  }

  dispose(): void {
    for (const id of [...this.timers.keys()]) this.heard(id);
  }

  private again(message: ToKernel, n: number): void {
    this.send(message);
    const after = AGAIN_AFTER_MS[n];
    if (after === undefined) this.timers.delete(message.id);
    else
      this.timers.set(
        message.id,
        setTimeout(() => this.again(message, n + 1), after),
      );
  }
}

/** Not randomUUID: that exists only in pages served over https or from localhost. */
function newId(): string {
  return `${Date.now()}-${Math.random()}`;
}
