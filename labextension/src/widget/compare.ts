/** The notebook's host of the comparison: an anywidget that carries its messages. */

import { mountCompare } from '../shared/compare/panel';
import { receive, type ToKernel } from '../shared/compare/wire';

/** What this file needs of anywidget's model. */
interface WidgetModel {
  on(event: 'msg:custom', callback: MessageCallback): void;
  off(event: 'msg:custom', callback: MessageCallback): void;
  send(message: ToKernel): void;
}

type MessageCallback = (message: unknown, buffers: DataView[]) => void;

function render({ model, el }: { model: WidgetModel; el: HTMLElement }): () => void {
  const panel = mountCompare(el, (message) => model.send(message));
  const onMessage: MessageCallback = (message, buffers) =>
    receive(panel.from, message, buffers[0]);
  model.on('msg:custom', onMessage);
  return () => {
    model.off('msg:custom', onMessage);
    panel.dispose();
  };
}

export default { render };
