/** The notebook's host of a sweep: an anywidget that carries its messages. */

import { mountSweep } from '../shared/sweep/panel';
import { receive, type ToKernel } from '../shared/sweep/wire';

/** What this file needs of anywidget's model. */
interface WidgetModel {
  on(event: 'msg:custom', callback: (message: unknown) => void): void;
  off(event: 'msg:custom', callback: (message: unknown) => void): void;
  send(message: ToKernel): void;
}

function render({ model, el }: { model: WidgetModel; el: HTMLElement }): () => void {
  const panel = mountSweep(el, (message) => model.send(message));
  const onMessage = (message: unknown): void => receive(panel.from, message);
  model.on('msg:custom', onMessage);
  return () => {
    model.off('msg:custom', onMessage);
    panel.dispose();
  };
}

export default { render };
