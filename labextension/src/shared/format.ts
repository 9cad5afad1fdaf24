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
