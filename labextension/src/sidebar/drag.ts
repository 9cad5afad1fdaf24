/** Dragging runs out of the side bar: dropped in the main area they are a pane. */

import { MimeData } from '@lumino/coreutils';
import { Drag } from '@lumino/dragdrop';
import type { Widget } from '@lumino/widgets';
import { h } from '../shared/dom';

const FAR_PX = 6; // a hand is never still: nearer than this it is a click
const WIDGET = 'application/vnd.lumino.widget-factory'; // what Lumino's docks accept

/** Once the mouse has gone far enough, carry what `make` makes; a click stays a click. */
export function dragFrom(
  event: { button: number; clientX: number; clientY: number },
  text: string,
  make: () => Widget,
): void {
  if (event.button !== 0) return;
  const [x, y] = [event.clientX, event.clientY];
  const watch = new AbortController();
  const { signal } = watch;
  const move = (now: MouseEvent): void => {
    if (Math.hypot(now.clientX - x, now.clientY - y) < FAR_PX) return;
    watch.abort();
    carry(now, text, make);
  };
  document.addEventListener('mousemove', move, { signal });
  document.addEventListener('mouseup', () => watch.abort(), { signal });
}

function carry(event: MouseEvent, text: string, make: () => Widget): void {
  const mimeData = new MimeData();
  mimeData.setData(WIDGET, make);
  const dragImage = h('div', { class: 'nbt-dragged' }, text);
  const drag = new Drag({ mimeData, dragImage, proposedAction: 'move', supportedActions: 'move' }); // prettier-ignore
  void drag.start(event.clientX, event.clientY).then(() => drag.dispose());
}
