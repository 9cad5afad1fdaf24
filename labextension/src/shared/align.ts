/** Curves with steps of their own, brought onto one x for uPlot. */

/** One curve: x never falls; a point whose x is NaN is left out. */
export interface Curve {
  x: ArrayLike<number>;
  y: ArrayLike<number>;
}

/** null breaks the line (NaN was logged), undefined is no point of this curve. */
export type Aligned = [number[], ...(number | null | undefined)[][]];

/** Merge by x; a repeated x within a curve stays as many points. */
export function align(curves: readonly Curve[]): Aligned {
  const known = curves.map(({ x, y }) => withX(x, y));
  const xs = union(known.map(({ x }) => x));
  return [xs, ...known.map(({ x, y }) => placed(xs, x, y))];
}

function withX(x: ArrayLike<number>, y: ArrayLike<number>): Curve {
  let isWhole = true;
  for (let i = 0; i < x.length; i += 1) if (Number.isNaN(x[i])) isWhole = false;
  if (isWhole) return { x, y };
  const kept = Array.from(x, (_, i) => i).filter((i) => !Number.isNaN(x[i]));
  return { x: kept.map((i) => x[i] ?? 0), y: kept.map((i) => y[i] ?? NaN) };
}

/** Two by two: fifty curves are six rounds, and not fifty looks for each x. */
function union(lists: readonly ArrayLike<number>[]): number[] {
  if (lists.length < 2) return Array.from(lists[0] ?? []);
  const half = lists.length >> 1;
  const [a, b] = [union(lists.slice(0, half)), union(lists.slice(half))];
  const found: number[] = [];
  for (let [i, j] = [0, 0]; i < a.length || j < b.length;) {
    const [left, right] = [a[i] ?? Infinity, b[j] ?? Infinity];
    found.push(Math.min(left, right));
    if (left <= right) i += 1;
    if (right <= left) j += 1;
  }
  return found;
}

function placed(
  xs: readonly number[],
  x: ArrayLike<number>,
  y: ArrayLike<number>,
): (number | null | undefined)[] {
  const found = new Array<number | null | undefined>(xs.length).fill(undefined);
  for (let [i, at] = [0, 0]; i < x.length && at < xs.length; at += 1) {
    if (xs[at] !== x[i]) continue;
    found[at] = drawable(y[i]);
    i += 1;
  }
  return found;
}

function drawable(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
