/**
 * Saved checkpoints as marks on curves, and which of them a clicked point means.
 *
 * The mirror of `nbtrack/analysis/marks.py`. A metric counts its own steps, so a
 * checkpoint finds its point by the very value saved with it, else by its time.
 */

import type { Series } from './model';
import type { CheckpointMeta } from './wire';

/** A clicked point of a curve, and the checkpoint saved last at or before it. */
export interface Pick {
  metric: string;
  step: number;
  value: number;
  mark: CheckpointMeta | null;
}

/** The same bytes may be saved at several steps. */
export function markKey(mark: CheckpointMeta): string {
  return `${mark.name}:v${mark.version}@${mark.step}`;
}

/** The point of a curve at which it was saved; -1 before the first. */
export function markIndex(mark: CheckpointMeta, series: Series): number {
  const place = lastAtOrBelow(series.step.view(), mark.step);
  const isThere = series.step.view()[place] === mark.step;
  if (isThere && mark.metrics[series.metric] === series.value.view()[place])
    return place;
  const byTime = lastAtOrBelow(series.at.view(), mark.at);
  return byTime >= 0 ? byTime : place;
}

/** What a click on the point `index` of a curve means. */
export function pickAt(
  series: Series,
  index: number,
  marks: readonly CheckpointMeta[],
): Pick {
  let mark: CheckpointMeta | null = null;
  let nearest = -1;
  for (const one of marks) {
    const place = markIndex(one, series);
    if (place < nearest || place > index || place < 0) continue;
    [mark, nearest] = [one, place];
  }
  return {
    metric: series.metric,
    step: series.step.view()[index] ?? NaN,
    value: series.value.view()[index] ?? NaN,
    mark,
  };
}

/** Python that loads it; JSON's strings are Python's too. */
export function loadLine(runId: string, mark: CheckpointMeta): string {
  const [run, name] = [JSON.stringify(runId), JSON.stringify(mark.name)];
  return `nbtrack.load_checkpoint(${run}, step=${mark.step}, name=${name})`;
}

/** The index of the last of the rising values that is not above `limit`; -1 for none. */
export function lastAtOrBelow(values: Float64Array, limit: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] ?? Infinity) <= limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
