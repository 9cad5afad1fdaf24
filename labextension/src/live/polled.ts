/** Frames of one run by REST: asked for while somebody can see them, until it ends. */

import { Poll } from '@lumino/polling';
import { ApiError, type Api } from '../api/client';
import {
  decodeFrame,
  type Disposable,
  type Frame,
  type PanelSource,
  type RunMeta,
} from '../shared/wire';

const EVERY_MS = 300;
const BACKOFF_MAX_MS = 5000; // a server that does not answer is asked less often
const NOT_FOUND = 404;

export class PolledSource implements PanelSource {
  private readonly listeners = new Set<(frame: Frame) => void>();
  private readonly poll: Poll;
  private cursor: string | null = null;

  /**
   * @param isVisible whether the panel can be seen now; nothing is asked otherwise
   * @param ended called once, when the run has ended or is gone
   */
  constructor(
    private readonly api: Api,
    private readonly run: string,
    isVisible: () => boolean,
    private readonly ended: () => void,
  ) {
    this.poll = new Poll({
      name: `nbtrack:run-${run}`,
      auto: false,
      factory: () => this.ask(),
      frequency: { interval: EVERY_MS, backoff: true, max: BACKOFF_MAX_MS },
      standby: () => (isVisible() ? 'when-hidden' : true),
    });
  }

  subscribe(listener: (frame: Frame) => void): Disposable {
    this.listeners.add(listener);
    this.resync();
    return { dispose: () => this.listeners.delete(listener) };
  }

  resync(): void {
    this.cursor = null;
    void this.poll.refresh();
  }

  dispose(): void {
    this.poll.dispose();
    this.listeners.clear();
  }

  private async ask(): Promise<void> {
    try {
      const head = await this.api.frame(this.run, this.cursor);
      if (this.poll.isDisposed) return;
      this.cursor = typeof head.cursor === 'string' ? head.cursor : null;
      this.receive(decodeFrame(head));
    } catch (reason) {
      if (!(reason instanceof ApiError) || reason.status !== NOT_FOUND) throw reason;
      this.end();
    }
  }

  private receive(frame: Frame): void {
    for (const listener of this.listeners) listener(frame);
    if (frame.run && isOver(frame.run)) this.end();
  }

  private end(): void {
    if (this.poll.isDisposed) return;
    void this.poll.stop();
    this.ended();
  }
}

function isOver(run: RunMeta): boolean {
  return run.status !== 'running';
}
