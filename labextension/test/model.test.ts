import { describe, expect, it } from 'vitest';

import { PanelModel } from '../src/shared/model';
import { delta, frame, metric, runMeta } from './frames';

const values = (model: PanelModel, name: string): number[] => [
  ...(model.series.get(name)?.value.view() ?? []),
];

describe('PanelModel', () => {
  it('appends deltas and replaces what a later one overlaps', () => {
    const model = new PanelModel();

    model.apply(frame(runMeta(), [delta('loss', [3, 2, 1])], true), 0);
    model.apply(frame(null, [delta('loss', [9, 8], { from: 2 })]), 0);

    expect(values(model, 'loss')).toEqual([3, 2, 9, 8]);
  });

  it('says when a part was missed', () => {
    const model = new PanelModel();
    model.apply(frame(runMeta(), [delta('loss', [3])], true), 0);

    expect(model.apply(frame(null, [delta('loss', [1], { from: 2 })]), 0)).toBe(false);
    expect(values(model, 'loss')).toEqual([3]);
  });

  it('starts over with a full frame', () => {
    const model = new PanelModel();
    const first = runMeta({ metrics: [metric('old')] });
    model.apply(frame(first, [delta('old', [1])], true), 0);

    const second = runMeta({ metrics: [metric('new')] });
    model.apply(frame(second, [delta('new', [2])], true), 0);

    expect([...model.series.keys()]).toEqual(['new']);
    expect(model.families().map((family) => family.name)).toEqual(['new']);
  });

  it('grows to many points without losing any', () => {
    const model = new PanelModel();
    for (let from = 0; from < 5000; from += 50) {
      const part = Array.from({ length: 50 }, (_, i) => from + i);
      model.apply(frame(null, [delta('loss', part, { from })]), 0);
    }

    expect(values(model, 'loss')).toEqual(Array.from({ length: 5000 }, (_, i) => i));
  });

  it('fills an axis that came later with NaN before it', () => {
    const model = new PanelModel();
    model.apply(frame(null, [delta('loss', [1, 2])], true), 0);
    const axes = { epoch: Float64Array.of(7) };
    model.apply(frame(null, [delta('loss', [3], { from: 2, axes })]), 0);

    const epoch = model.series.get('loss')?.axes.get('epoch')?.view();
    expect([...(epoch ?? [])]).toEqual([NaN, NaN, 7]);
  });

  it('keeps ghosts apart from the curves of the run', () => {
    const model = new PanelModel();

    model.apply(
      frame(null, [delta('loss', [1]), delta('loss', [5], { ghost: true })]),
      0,
    );

    expect(values(model, 'loss')).toEqual([1]);
    expect([...(model.ghosts.get('loss')?.value.view() ?? [])]).toEqual([5]);
  });

  it('puts train before validation and metrics with a goal first', () => {
    const model = new PanelModel();
    const names = ['val_loss', 'train_loss'].map((name) => metric(name));
    const metrics = [metric('lr', { goal: null }), ...names];

    model.apply(frame(runMeta({ metrics }), [], true), 0);

    expect(
      model.families().map((family) => family.metrics.map((meta) => meta.name)),
    ).toEqual([['train_loss', 'val_loss'], ['lr']]);
  });

  it('lets the clock go on between headers, and stop with the run', () => {
    const model = new PanelModel();
    model.apply(frame(runMeta({ eta_s: 30 })), 1000);
    expect([model.elapsed(6000), model.remaining(6000)]).toEqual([17, 25]);

    model.apply(frame(runMeta({ status: 'finished', eta_s: 30 })), 7000);
    expect([model.elapsed(9000), model.remaining(9000)]).toEqual([12, null]);
  });
});
