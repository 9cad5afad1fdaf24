/**
 * Moving over a curve that is zoomed into: shift and drag, a sideways wheel, or keys.
 *
 * ← and → move by a quarter of what is in view, + and − show less or more, Home all.
 */

import type uPlot from 'uplot';

export type Span = [number, number];

const QUARTER = 0.25;

/** What moves the view; `move` is told the span that is wanted, null for all of it. */
export interface View {
  now(): Span | null;
  all(): Span | null;
  move(span: Span | null): void;
}

export function hearMoves(plot: uPlot, view: View): void {
  hearDrag(plot, view);
  plot.over.addEventListener('wheel', (event) => onWheel(event, plot, view), {
    passive: false,
  });
  plot.over.tabIndex = 0;
  plot.over.addEventListener('keydown', (event) => onKey(event, view));
}

/** The span moved by a part of its width, no further than there is something. */
export function moved(span: Span, all: Span, part: number): Span {
  const width = span[1] - span[0];
  const from = Math.min(Math.max(span[0] + part * width, all[0]), all[1] - width);
  return [from, from + width];
}

/** Less of it for a factor below one, more above; null where that is all. */
export function scaled(span: Span, all: Span, factor: number): Span | null {
  const [middle, half] = [(span[0] + span[1]) / 2, ((span[1] - span[0]) / 2) * factor];
  const wide: Span = [Math.max(middle - half, all[0]), Math.min(middle + half, all[1])];
  return wide[0] === all[0] && wide[1] === all[1] ? null : wide;
}

/** So much on both sides that a move shows curves and no blank. */
export function around(span: Span, all: Span): Span {
  const width = span[1] - span[0];
  return [Math.max(span[0] - width, all[0]), Math.min(span[1] + width, all[1])];
}

function hearDrag(plot: uPlot, view: View): void {
  const start = (event: MouseEvent): void => {
    const [span, all] = [view.now(), view.all()];
    if (event.button !== 0 || !event.shiftKey || !span || !all) return;
    event.preventDefault();
    event.stopImmediatePropagation(); // without shift a drag zooms
    const watch = new AbortController();
    const { signal } = watch;
    const move = (now: MouseEvent): void =>
      view.move(
        moved(span, all, (event.clientX - now.clientX) / plot.over.clientWidth),
      );
    document.addEventListener('mousemove', move, { signal });
    document.addEventListener('mouseup', () => watch.abort(), { signal });
  };
  // In the capturing phase: before uPlot's own.
  plot.over.addEventListener('mousedown', start, { capture: true });
}

function onWheel(event: WheelEvent, plot: uPlot, view: View): void {
  const [span, all] = [view.now(), view.all()];
  const far = event.deltaX || (event.shiftKey ? event.deltaY : 0);
  if (!span || !all || far === 0) return; // a page scrolls as ever
  event.preventDefault();
  view.move(moved(span, all, far / plot.over.clientWidth));
}

function onKey(event: KeyboardEvent, view: View): void {
  const all = view.all();
  const span = view.now() ?? all;
  if (!span || !all || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === 'ArrowLeft') view.move(moved(span, all, -QUARTER));
  else if (event.key === 'ArrowRight') view.move(moved(span, all, QUARTER));
  else if (event.key === '+') view.move(scaled(span, all, 0.5));
  else if (event.key === '-') view.move(scaled(span, all, 2));
  else if (event.key === 'Home') view.move(null);
  else return;
  event.preventDefault();
  event.stopPropagation();
}
