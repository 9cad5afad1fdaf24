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
  const at = curves.map(() => 0);
  const xs: number[] = [];
  const ys = curves.map((): (number | null | undefined)[] => []);
  for (;;) {
    curves.forEach((curve, i) => {
      while (Number.isNaN(curve.x[at[i] ?? 0])) at[i] = (at[i] ?? 0) + 1;
    });
    const x = smallest(curves, at);
    if (x === Infinity) return [xs, ...ys];
    xs.push(x);
    curves.forEach((curve, i) => {
      const position = at[i] ?? 0;
      const isHere = position < curve.x.length && curve.x[position] === x;
      ys[i]?.push(isHere ? drawable(curve.y[position]) : undefined);
      if (isHere) at[i] = position + 1;
    });
  }
}

function smallest(curves: readonly Curve[], at: readonly number[]): number {
  let least = Infinity;
  for (let i = 0; i < curves.length; i += 1) {
    const x = curves[i]?.x[at[i] ?? 0];
    if (x !== undefined && x < least) least = x;
  }
  return least;
}

function drawable(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
