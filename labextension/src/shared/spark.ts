/** A curve of a few points as a small picture; what is not finite leaves a gap. */

export const SPARK_PX = [72, 18] as const;

export function sparkline(
  values: Float64Array,
  colour: string | undefined,
): SVGElement {
  const [width, height] = SPARK_PX;
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('width', String(width));
  svg.setAttribute('height', String(height));
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`); // a smaller one is whole, too
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', sparkPath(values));
  path.setAttribute('fill', 'none');
  path.setAttribute('stroke', colour ?? 'currentColor');
  path.setAttribute('stroke-width', '1.25');
  svg.append(path);
  return svg;
}

/** The line as SVG has it, from the left to the right border. */
export function sparkPath(values: ArrayLike<number | null>): string {
  const [width, height] = SPARK_PX;
  const numbers = Array.from(values, (value) => value ?? NaN);
  const finite = numbers.filter((value) => Number.isFinite(value));
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  let pen = 'M';
  let path = '';
  numbers.forEach((value, i) => {
    if (!Number.isFinite(value)) {
      pen = 'M';
      return;
    }
    const x = (i / Math.max(numbers.length - 1, 1)) * (width - 2) + 1;
    const part = high > low ? (value - low) / (high - low) : 0.5;
    const y = (1 - part) * (height - 4) + 2;
    path += `${pen}${x.toFixed(1)},${y.toFixed(1)}`;
    pen = 'L';
  });
  return path;
}
