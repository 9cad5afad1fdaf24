/** Numbers, durations and sizes as short text, the same as in `analysis/wording.py`. */

/** Four significant digits: 0.9790, 12.30, 3.1e-5, NaN. */
export function number(value: number | null | undefined): string {
  if (value == null) return '–';
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return minus(String(value));
  return minus(finite(value));
}

function finite(value: number): string {
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e6) return value.toExponential(2).replace('e+', 'e');
  return value.toFixed(Math.max(0, 3 - Math.floor(Math.log10(size))));
}

/** 0:07, 12:30, 1:02:03. */
export function duration(seconds: number): string {
  const all = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  const two = (n: number): string => String(n).padStart(2, '0');
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** 512 MB, 1.2 GB. */
export function bytes(size: number): string {
  if (size < 1e9) return `${Math.round(size / 1e6)} MB`;
  return `${(size / 1e9).toFixed(1)} GB`;
}

/** 12,500. */
export function count(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ',');
}

function minus(text: string): string {
  return text.replace(/-/g, '−');
}

/** As many decimals as the distance between ticks asks for. */
export function tickLabel(tick: number, gap: number): string {
  const size = Math.abs(tick);
  if (size >= 1e9 || (gap > 0 && gap < 1e-5)) return tick ? number(tick) : '0';
  const [unit, sign] = size >= 1e6 ? [1e6, 'M'] : size >= 1e4 ? [1e3, 'k'] : [1, ''];
  const decimals = gap > 0 ? decimalsOf(gap / unit) : 2;
  return `${(tick / unit).toFixed(Math.min(decimals, 9))}${sign}`.replace('-', '−');
}

/** 1 of 0.2, but 2 of 0.25: rounded, 0.25 and 0.75 would be called 0.3 and 0.8. */
function decimalsOf(gap: number): number {
  const least = Math.max(0, -Math.floor(Math.log10(gap) + 1e-9));
  const scaled = gap * 10 ** least;
  return Math.abs(scaled - Math.round(scaled)) < 1e-6 ? least : least + 1;
}
