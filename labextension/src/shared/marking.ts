/** From points of curves to pixels of a plot and back, for marks and clicks. */

import type uPlot from 'uplot';

import type { Curve } from './align';
import { lastAtOrBelow } from './marks';

const HALF = 4; // px, of a diamond
const STILL = 4; // px: a press that moves further is a zoom

interface Spot {
  x: number;
  y: number;
  /** Half of a mark there, in the pixels of the canvas. */
  width: number;
}

/** Where a point of a curve is on the canvas; null outside of what is shown. */
export function onCurve(plot: uPlot, curve: Curve, index: number): Spot | null {
  const [x, y] = [curve.x[index], curve.y[index]];
  if (x === undefined || y === undefined || !Number.isFinite(y)) return null;
  const { min = -Infinity, max = Infinity } = plot.scales['x'] ?? {};
  if (x < (min ?? -Infinity) || x > (max ?? Infinity)) return null;
  return {
    x: plot.valToPos(x, 'x', true),
    y: plot.valToPos(y, 'y', true),
    width: HALF * devicePixelRatio,
  };
}

export function drawDiamond(
  ctx: CanvasRenderingContext2D,
  { x, y, width }: Spot,
  colour: string,
  isHollow: boolean,
): void {
  ctx.save();
  ctx.beginPath();
  ctx.moveTo(x, y - width);
  ctx.lineTo(x + width, y);
  ctx.lineTo(x, y + width);
  ctx.lineTo(x - width, y);
  ctx.closePath();
  ctx.lineWidth = devicePixelRatio;
  ctx.strokeStyle = ctx.fillStyle = colour;
  if (!isHollow) ctx.fill();
  ctx.stroke();
  ctx.restore();
}

/** The point nearest to a click, which is the one that the cursor has marked. */
export function indexAt(plot: uPlot, curve: Curve, left: number): number {
  const xs = Float64Array.from(curve.x);
  const before = lastAtOrBelow(xs, plot.posToVal(left, 'x'));
  const far = (index: number): number => {
    const x = xs[index];
    return x === undefined ? Infinity : Math.abs(plot.valToPos(x, 'x') - left);
  };
  return far(before) <= far(before + 1) ? before : before + 1;
}

/** Whether the button was let go where it was pressed. */
export function isClick(pressed: MouseEvent | null, event: MouseEvent): boolean {
  if (!pressed) return false;
  const moved = Math.hypot(
    event.clientX - pressed.clientX,
    event.clientY - pressed.clientY,
  );
  return moved < STILL;
}
