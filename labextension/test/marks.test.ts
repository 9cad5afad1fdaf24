import { describe, expect, it } from 'vitest';

import { lastAtOrBelow, loadLine, markIndex, pickAt } from '../src/shared/marks';
import { PanelModel, type Series } from '../src/shared/model';
import type { CheckpointMeta } from '../src/shared/wire';
import { delta, frame, runMeta } from './frames';

function mark(fields: Partial<CheckpointMeta> = {}): CheckpointMeta {
  return {
    name: 'mlp',
    version: 0,
    step: 1,
    at: 0,
    metrics: {},
    gone: null,
    ...fields,
  };
}

function series(values: number[]): Series {
  const model = new PanelModel();
  model.apply(frame(runMeta(), [delta('loss', values)], true), 0);
  const found = model.series.get('loss');
  if (!found) throw new Error('no series');
  return found;
}

describe('a mark', () => {
  it('stands at the value that was saved with it', () => {
    const one = mark({ step: 1, at: 5000, metrics: { loss: 0.5 } });
    expect(markIndex(one, series([0.9, 0.5, 0.4]))).toBe(1);
  });

  it('stands at its time where its step is of another metric', () => {
    // Times are 1000, 1001, ...: batches, where the step counts epochs.
    const one = mark({ step: 1, at: 1003.5, metrics: { loss: 0.1 } });
    expect(markIndex(one, series([5, 4, 3, 2, 1]))).toBe(3);
  });

  it('is nowhere before the first point', () => {
    expect(markIndex(mark({ step: -1, at: 1 }), series([1, 2]))).toBe(-1);
  });
});

describe('a click', () => {
  const marks = [
    mark({ version: 0, step: 0, at: 1000.5 }),
    mark({ version: 1, step: 2, at: 1002.5 }),
    mark({ version: 2, step: 2, at: 1002.6, gone: 'pruned' }),
  ];

  it('means the last checkpoint at or before the point', () => {
    const loss = series([5, 4, 3, 2]);
    expect(pickAt(loss, 1, marks).mark?.version).toBe(0);
    expect(pickAt(loss, 3, marks)).toMatchObject({ step: 3, value: 2, metric: 'loss' });
    expect(pickAt(loss, 2, marks).mark?.gone).toBe('pruned');
    expect(pickAt(loss, 1, marks.slice(1)).mark).toBeNull();
  });

  it('gives a line of Python, whatever the name', () => {
    expect(loadLine('06a', mark({ name: 'a"b' }))).toBe(
      'nbtrack.load_checkpoint("06a", step=1, name="a\\"b")',
    );
  });
});

describe('the search', () => {
  it('finds the last at or below', () => {
    const values = Float64Array.of(1, 2, 2, 5);
    expect([0, 1, 2, 4, 9].map((x) => lastAtOrBelow(values, x))).toEqual([
      -1, 0, 2, 2, 3,
    ]);
  });
});

describe('the model', () => {
  it('keeps the marks that came before and forgets them with a full frame', () => {
    const model = new PanelModel();
    model.apply(frame(runMeta({ checkpoints: [mark()] }), [], true), 0);
    model.apply(frame(runMeta({ checkpoints: [mark({ step: 2 })] })), 0);
    expect(model.marks.size).toBe(2);
    model.apply(frame(runMeta({ checkpoints: [mark({ gone: 'pruned' })] })), 0);
    expect([...model.marks.values()].map((one) => one.gone)).toEqual(['pruned', null]);
    model.apply(frame(runMeta(), [], true), 0);
    expect(model.marks.size).toBe(0);
  });
});
