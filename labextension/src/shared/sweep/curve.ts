/** Each trial's value as a dot, and the best so far as a stepped line. */

import type { Goal } from '../wire';
import { number, tickLabel } from '../format';

const [LEFT, RIGHT, TOP, BOTTOM] = [64, 10, 10, 22];
const HEIGHT = 150;
const FEW = 4; // are all shown
const NS = 'http://www.w3.org/2000/svg';
const FAR = 0.8; // the worst fifth may lie outside of the picture

export type Point = [number, number];

/** The points at which the best value changed, and the last one. */
export function bestSoFar(points: readonly Point[], goal: Goal): Point[] {
  const line: Point[] = [];
  for (const [at, value] of points) {
    const best = line.at(-1)?.[1];
    if (best !== undefined) line.push([at, best]);
    if (best === undefined || (goal === 'min' ? value < best : value > best))
      line.push([at, value]);
  }
  return line;
}

/** From the best value to where most of the others are: one bad trial hides none. */
export function rangeOf(values: readonly number[], goal: Goal): [number, number] {
  const sorted = [...values].sort((a, b) => (goal === 'min' ? a - b : b - a));
  const best = sorted[0] ?? 0;
  const last = sorted.length - 1;
  const far = sorted[last < FEW ? last : Math.floor(FAR * last)] ?? 1;
  const [low, high] = best < far ? [best, far] : [far, best];
  const room = 0.08 * (high - low) || Math.abs(high) * 0.1 || 0.5;
  return [low - room, high + room];
}

export class BestCurve {
  readonly element = document.createElementNS(NS, 'svg');
  private drawn = '';

  constructor() {
    this.element.setAttribute('class', 'nbt-best-curve');
    this.element.setAttribute('role', 'img');
    this.element.setAttribute('height', String(HEIGHT));
  }

  update(points: readonly Point[], goal: Goal, metric: string, width: number): void {
    // Nothing is laid out before the page shows it; then its size changes, too.
    if (width <= 0) return;
    const key = `${width} ${points.length} ${points.at(-1)?.join()} ${metric}`;
    if (key === this.drawn) return;
    this.drawn = key;
    this.element.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
    this.element.setAttribute('width', String(width));
    const best = bestSoFar(points, goal);
    const last = best.at(-1);
    const words = last ? `best ${number(last[1])} after ${points.length} trials` : 'no trial yet'; // prettier-ignore
    this.element.setAttribute('aria-label', `${metric}, best so far: ${words}`);
    this.element.replaceChildren(...(last ? draw(points, best, goal, width) : []));
  }
}

function draw(
  points: readonly Point[],
  best: readonly Point[],
  goal: Goal,
  width: number,
): SVGElement[] {
  const values = points.map(([, value]) => value);
  const [low, high] = rangeOf(values, goal);
  const first = points[0]?.[0] ?? 0;
  const span = Math.max(1, (points.at(-1)?.[0] ?? 0) - first);
  const x = (at: number): number =>
    LEFT + ((at - first) / span) * (width - LEFT - RIGHT);
  const y = (value: number): number => {
    const share = (Math.min(high, Math.max(low, value)) - low) / (high - low);
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
  };
  const isOff = (value: number): boolean => value < low || value > high;
  const dots = points.map(([at, value]) => {
    const dot = svg('circle', { cx: x(at), cy: y(value), r: 2.5 });
    dot.setAttribute('class', isOff(value) ? 'nbt-dot-off' : 'nbt-dot-trial');
    dot.append(title(`#${at}: ${number(value)}${isOff(value) ? ' (off the scale)' : ''}`)); // prettier-ignore
    return dot;
  });
  const path = best.map(([at, value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`);
  const line = svg('polyline', { points: path.join(' '), class: 'nbt-best-line' });
  return [...axes({ low, high, first, last: first + span, x, y, width }), ...dots, line]; // prettier-ignore
}

interface Frame {
  low: number;
  high: number;
  first: number;
  last: number;
  x: (at: number) => number;
  y: (value: number) => number;
  width: number;
}

function axes({ low, high, first, last, x, y, width }: Frame): SVGElement[] {
  const parts: SVGElement[] = [];
  const values = ticks(low, high);
  const gap = (values[1] ?? 0) - (values[0] ?? 0);
  for (const value of values) {
    parts.push(
      svg('path', { d: `M${LEFT},${y(value)}H${width - RIGHT}`, class: 'nbt-grid-line' }), // prettier-ignore
      text(tickLabel(value, gap), LEFT - 6, y(value) + 4, 'end'),
    );
  }
  parts.push(text(`trial ${first}`, x(first), HEIGHT - 6, 'start'));
  parts.push(text(String(last), x(last), HEIGHT - 6, 'end'));
  return parts;
}

/** Round numbers within a range, some three of them. */
export function ticks(low: number, high: number): number[] {
  const rough = (high - low) / 3;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = size * ([1, 2, 2.5, 5, 10].find((one) => one * size >= rough) ?? 10);
  const first = Math.ceil(low / step);
  const n = Math.floor(high / step) - first + 1;
  return Array.from({ length: Math.max(0, n) }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  );
}

function text(words: string, x: number, y: number, anchor: string): SVGElement {
  const element = svg('text', { x, y, 'text-anchor': anchor });
  element.textContent = words;
  return element;
}

function title(words: string): SVGElement {
  const element = document.createElementNS(NS, 'title');
  element.textContent = words;
  return element;
}

function svg(tag: string, props: Record<string, string | number>): SVGElement {
  const element = document.createElementNS(NS, tag) as SVGElement;
  for (const [name, value] of Object.entries(props))
    element.setAttribute(name, String(value));
  return element;
}
