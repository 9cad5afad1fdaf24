/**
 * What a curve is drawn over: the step, the time, or an axis such as the epoch.
 *
 * Where several points share one value of an axis (the batches of an epoch) they are
 * spread over it, and the axis then counts what is done: the last batch of the first
 * epoch stands at 1, beside the validation value of that epoch.
 */

import type { PanelModel, Series } from './model';

export type XChoice =
  { kind: 'step' } | { kind: 'time' } | { kind: 'axis'; name: string };

export const STEP: XChoice = { kind: 'step' };
export const TIME: XChoice = { kind: 'time' };

/** All that can be chosen: an axis only where it never goes back in any curve. */
export function choices(model: PanelModel): XChoice[] {
  const rising = new Map<string, boolean>();
  for (const series of model.series.values())
    for (const [name, column] of series.axes)
      rising.set(name, (rising.get(name) ?? true) && isRising(column.view()));
  const axes = [...rising].filter(([, ok]) => ok).map(([name]) => name);
  return [STEP, ...axes.map((name): XChoice => ({ kind: 'axis', name })), TIME];
}

/** The choice that puts curves of one chart beside each other. */
export function defaultChoice(model: PanelModel): XChoice {
  const axes = choices(model).filter((choice) => choice.kind === 'axis');
  const shared = axes.find(
    (choice) => choice.kind === 'axis' && pairs(model, choice.name),
  );
  return shared ?? STEP;
}

export function key(choice: XChoice): string {
  return choice.kind === 'axis' ? `axis:${choice.name}` : choice.kind;
}

export function label(choice: XChoice, spread: boolean): string {
  if (choice.kind === 'axis') return spread ? `${choice.name}s done` : choice.name;
  return choice.kind;
}

/** Whether any curve has several points on one value of the axis. */
export function isSpread(model: PanelModel, choice: XChoice): boolean {
  if (choice.kind !== 'axis') return false;
  return [...model.series.values()].some((series) => {
    const axis = series.axes.get(choice.name)?.view();
    return axis !== undefined && hasRepeats(axis);
  });
}

/** The x of each point; null where the curve does not have that axis. */
export function xOf(
  series: Series,
  choice: XChoice,
  how: { startedAt: number; spread: boolean },
): Float64Array | null {
  if (choice.kind === 'step') return series.step.view();
  if (choice.kind === 'time') return series.at.view().map((at) => at - how.startedAt);
  const axis = series.axes.get(choice.name)?.view();
  if (!axis) return null;
  return how.spread ? spreadOver(axis, series.step.view()) : axis;
}

/** Groups of one axis value, each laid over one unit by its steps. */
function spreadOver(axis: Float64Array, step: Float64Array): Float64Array {
  const x = new Float64Array(axis.length);
  const first = axis[0] ?? 0;
  let widest = 1;
  let most = 1;
  for (let start = 0; start < axis.length;) {
    const value = axis[start] ?? 0;
    let end = start + 1;
    while (end < axis.length && axis[end] === value) end += 1;
    const from = step[start] ?? 0;
    // The value that is still growing is as wide as the widest one before it.
    const width = end < axis.length ? (step[end] ?? 0) - from : widest;
    const known = Math.max(width, (step[end - 1] ?? 0) - from + 1);
    // One point alone sums its value up, unless it is the first of many to come.
    const isAlone = end - start === 1 && (end < axis.length || most === 1);
    for (let i = start; i < end; i += 1)
      x[i] = value - first + (isAlone ? 1 : ((step[i] ?? 0) - from + 1) / known);
    widest = Math.max(widest, known);
    most = Math.max(most, end - start);
    start = end;
  }
  return x;
}

function pairs(model: PanelModel, axis: string): boolean {
  return model.families().some((family) => {
    const lengths = family.metrics
      .map((meta) => model.series.get(meta.name))
      .filter((series) => series?.axes.has(axis))
      .map((series) => lastStep(series));
    return lengths.length > 1 && Math.max(...lengths) > 2 * Math.min(...lengths) + 2;
  });
}

function lastStep(series: Series | undefined): number {
  return series?.step.view().at(-1) ?? 0;
}

function isRising(values: Float64Array): boolean {
  for (let i = 1; i < values.length; i += 1)
    if ((values[i] ?? 0) < (values[i - 1] ?? 0)) return false;
  return values.length > 0;
}

function hasRepeats(values: Float64Array): boolean {
  for (let i = 1; i < values.length; i += 1)
    if (values[i] === values[i - 1]) return true;
  return false;
}
