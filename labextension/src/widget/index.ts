/**
 * The notebook's host of the panel: an anywidget whose messages carry the frames.
 *
 * One model in the page feeds any number of views; each new view gets all that the
 * model has seen, and a page that came late asks the kernel for everything.
 */

import { mountPanel } from '../shared/panel';
import {
  decodeFrame,
  isFrameHead,
  type Disposable,
  type Frame,
  type FromPanel,
  type PanelSource,
} from '../shared/wire';
import { stopByServer } from './fallback';

/** What this file needs of anywidget's model. */
interface WidgetModel {
  get(name: string): unknown;
  on(event: 'msg:custom', callback: MessageCallback): void;
  off(event: 'msg:custom', callback: MessageCallback): void;
  send(message: FromPanel): void;
}

type MessageCallback = (message: unknown, buffers: (ArrayBuffer | DataView)[]) => void;

class WidgetSource implements PanelSource {
  private readonly listeners = new Set<(frame: Frame) => void>();
  private readonly onMessage: MessageCallback;
  stopping = false;

  constructor(private readonly model: WidgetModel) {
    this.onMessage = (message, buffers) => {
      if (!isFrameHead(message)) return;
      const frame = decodeFrame(message, buffers[0]);
      this.stopping ||=
        frame.run !== null && (frame.run.stopping || isOver(frame.run.status));
      for (const listener of this.listeners) listener(frame);
    };
    model.on('msg:custom', this.onMessage);
  }

  subscribe(listener: (frame: Frame) => void): Disposable {
    this.listeners.add(listener);
    this.resync();
    return { dispose: () => this.listeners.delete(listener) };
  }

  resync(): void {
    this.model.send({ type: 'resync', id: newId() });
  }

  dispose(): void {
    this.model.off('msg:custom', this.onMessage);
  }
}

/** Not randomUUID: that exists only in pages served over https or from localhost. */
function newId(): string {
  return `${Date.now()}-${Math.random()}`;
}

function isOver(status: string): boolean {
  return status !== 'running';
}

const SERVER_AFTER_MS = 1500; // a kernel that can hear answers within a frame or two

/** Tell the kernel; when it does not answer, write the wish through the server. */
function stop(model: WidgetModel, source: WidgetSource): void {
  model.send({ type: 'stop', id: newId() });
  setTimeout(() => {
    if (!source.stopping) stopByServer(String(model.get('run_id')));
  }, SERVER_AFTER_MS);
}

function render({ model, el }: { model: WidgetModel; el: HTMLElement }): () => void {
  const source = new WidgetSource(model);
  const panel = mountPanel(el, source, { stop: () => stop(model, source) });
  return () => {
    panel.dispose();
    source.dispose();
  };
}

export default { render };
