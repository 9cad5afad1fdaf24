/** The texts of heads and cells; all of it is text of runs and only becomes text. */

import { duration, number } from '../format';
import type { Column } from './wire';

const SHORT = 28; // characters

/** `loss` for best.loss, `lr` for params.lr. */
export function headText(column: Column): string {
  const [space, ...rest] = column.name.split('.');
  if (column.kind !== 'field' && rest.length) return shortText(rest.join('.'));
  return { started_at: 'started', duration_s: 'duration' }[space ?? ''] ?? column.name;
}

export function cellText(column: Column, run: number): string {
  const value = column.values[run];
  if (value == null) return '';
  if (column.name === 'started_at') return moment(String(value));
  if (column.name === 'duration_s') return shortDuration(Number(value));
  if (typeof value !== 'number') return String(value);
  return column.kind === 'metric' ? number(value) : plain(value);
}

/** A param as it was given, as far as doubles have it: 0.1, 1e-5, NaN. */
function plain(value: number): string {
  return String(Number(value.toPrecision(6))).replace('-', '−');
}

function shortDuration(seconds: number): string {
  return seconds < 60 ? `${seconds.toFixed(1)} s` : duration(seconds);
}

function moment(text: string): string {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return text;
  const two = (n: number): string => String(n).padStart(2, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

export function shortText(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > SHORT ? `${line.slice(0, SHORT - 1)}…` : line;
}
