import { describe, expect, it } from 'vitest';

import { align } from '../src/shared/align';
import { PanelModel } from '../src/shared/model';
import type { SeriesDelta } from '../src/shared/wire';
import { choices, defaultChoice, isSpread, key, xOf } from '../src/shared/xaxis';
import { delta, frame, metric, runMeta } from './frames';

const EPOCH = { kind: 'axis', name: 'epoch' } as const;

function modelOf(...series: SeriesDelta[]): PanelModel {
  const model = new PanelModel();
  const metrics = series.map((one) => metric(one.metric));
  model.apply(frame(runMeta({ metrics }), series, true), 0);
  return model;
}

function epochs(...values: number[]): { epoch: Float64Array } {
  return { epoch: Float64Array.from(values) };
}

function xs(model: PanelModel, name: string): number[] {
  const series = model.series.get(name);
  const spread = isSpread(model, EPOCH);
  return [...((series && xOf(series, EPOCH, { startedAt: 0, spread })) ?? [])];
}

describe('what a curve is drawn over', () => {
  it('offers an axis only where it never goes back', () => {
    const axes = { ...epochs(0, 0, 1, 1), batch: Float64Array.of(0, 1, 0, 1) };

    const model = modelOf(delta('loss', [4, 3, 2, 1], { axes }));

    expect(choices(model).map(key)).toEqual(['step', 'axis:epoch', 'time']);
  });

  it('is the step where all curves of a chart have the same cadence', () => {
    const axes = epochs(0, 1);
    const model = modelOf(
      delta('train_loss', [2, 1], { axes }),
      delta('val_loss', [2, 1], { axes }),
    );

    expect(defaultChoice(model)).toEqual({ kind: 'step' });
  });

  it('is the epoch where batches stand beside validation', () => {
    const model = modelOf(
      delta('train_loss', [8, 7, 6, 5, 4, 3, 2, 1], {
        axes: epochs(0, 0, 0, 0, 1, 1, 1, 1),
      }),
      delta('val_loss', [2, 1], { axes: epochs(0, 1) }),
    );

    expect(defaultChoice(model)).toEqual(EPOCH);
    expect(xs(model, 'train_loss')).toEqual([0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2]);
    expect(xs(model, 'val_loss')).toEqual([1, 2]);
  });

  it('draws the epoch that is still going on at the pace of those before', () => {
    const axes = epochs(0, 0, 0, 0, 1);

    expect(xs(modelOf(delta('loss', [5, 4, 3, 2, 1], { axes })), 'loss').at(-1)).toBe(
      1.25,
    );
  });

  it('is the value itself where each has one point', () => {
    const axes = epochs(3, 4, 5);

    expect(xs(modelOf(delta('loss', [3, 2, 1], { axes })), 'loss')).toEqual([3, 4, 5]);
  });

  it('counts time from the start of the run', () => {
    const series = modelOf(delta('loss', [2, 1])).series.get('loss');
    const time =
      series && xOf(series, { kind: 'time' }, { startedAt: 990, spread: false });

    expect([...(time ?? [])]).toEqual([10, 11]);
  });
});

describe('align', () => {
  it('brings curves with steps of their own onto one x', () => {
    const merged = align([
      { x: [0, 1, 2], y: [5, 6, 7] },
      { x: [1, 3], y: [8, 9] },
    ]);

    expect(merged).toEqual([
      [0, 1, 2, 3],
      [5, 6, 7, undefined],
      [undefined, 8, undefined, 9],
    ]);
  });

  it('breaks the line where NaN was logged, and keeps repeated steps', () => {
    const merged = align([{ x: [0, 1, 1, 2], y: [1, NaN, 2, Infinity] }]);

    expect(merged).toEqual([
      [0, 1, 1, 2],
      [1, null, 2, null],
    ]);
  });

  it('leaves out points whose x is not known', () => {
    expect(align([{ x: [NaN, NaN, 4], y: [1, 2, 3] }])).toEqual([[4], [3]]);
  });
});
