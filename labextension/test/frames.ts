/** Frames as a host would hand them over. */

import type { Frame, MetricMeta, RunMeta, SeriesDelta } from '../src/shared/wire';

export function runMeta(fields: Partial<RunMeta> = {}): RunMeta {
  return {
    id: '0',
    name: 'base',
    status: 'running',
    stopping: false,
    started_at: 1000,
    elapsed_s: 12,
    eta_s: null,
    progress: null,
    headline: [],
    error: null,
    reason: null,
    grade: null,
    ghost: null,
    system: null,
    metrics: [],
    checkpoints: [],
    ...fields,
  };
}

export function metric(name: string, fields: Partial<MetricMeta> = {}): MetricMeta {
  const role = /^(train|val)_/.exec(name)?.[1] ?? '';
  return {
    name,
    family: name.replace(/^(train|val)_/, ''),
    role,
    place: ['', 'train', 'val'].indexOf(role),
    colour: role === 'val' ? 1 : 0,
    goal: 'min',
    n: 3,
    best: 0.5,
    best_step: 2,
    thinned: 1,
    n_nan: 0,
    first_nan_step: null,
    ...fields,
  };
}

export function delta(
  name: string,
  values: number[],
  fields: Partial<SeriesDelta> = {},
): SeriesDelta {
  const from = fields.from ?? 0;
  return {
    metric: name,
    ghost: false,
    from,
    step: Float64Array.from(values, (_, i) => from + i),
    value: Float64Array.from(values),
    at: Float64Array.from(values, (_, i) => 1000 + from + i),
    axes: {},
    ...fields,
  };
}

export function frame(
  run: RunMeta | null,
  series: SeriesDelta[] = [],
  full = false,
): Frame {
  return { full, run, series };
}
