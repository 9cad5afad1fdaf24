/** A comparison that the server keeps: what the panel says, and what comes back. */

import { wordsOf, type Api, type Told } from '../api/client';
import {
  receive,
  type FromKernel,
  type State,
  type ToKernel,
} from '../shared/compare/wire';

export class Conversation {
  /** The state that is shown; a server that has forgotten it is told. */
  private token: string | null = null;
  private waiting: ToKernel[] = [];
  private isAsking = false;
  private isOver = false;

  constructor(
    private readonly api: Api,
    private open: Partial<State>,
    private readonly to: () => FromKernel,
    private readonly took: (state: State) => void,
    private readonly named: (ids: string[], names: string[]) => void,
  ) {}

  /** Messages that come while one is answered go together, in their order. */
  send(message: ToKernel): void {
    this.waiting.push(message);
    if (!this.isAsking) void this.ask();
  }

  dispose(): void {
    this.isOver = true;
    this.waiting = [];
  }

  private async ask(): Promise<void> {
    this.isAsking = true;
    try {
      while (this.waiting.length && !this.isOver) await this.exchange();
    } catch (reason) {
      this.waiting = [];
      this.to().error?.(wordsOf(reason));
    } finally {
      this.isAsking = false;
    }
  }

  private async exchange(): Promise<void> {
    const messages = this.waiting.splice(0);
    const answer = await this.api.compare(this.token, this.open, messages);
    this.token = answer.conversation;
    for (const told of answer.messages) if (!this.isOver) this.hear(told);
  }

  private hear(told: Told): void {
    const { packed, ...message } = told;
    if (message['type'] === 'table')
      this.named(message['ids'] as string[], message['names'] as string[]);
    if (message['type'] === 'state') {
      this.open = message['state'] as State;
      this.took(this.open as State);
    }
    receive(this.to(), message, packed === null ? undefined : bytesOf(packed));
  }
}

function bytesOf(base64: string): DataView {
  const text = atob(base64);
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  return new DataView(bytes.buffer);
}
