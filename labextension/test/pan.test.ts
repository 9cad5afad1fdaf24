import { describe, expect, it } from 'vitest';
import { around, moved, scaled, type Span } from '../src/shared/compare/pan';

const ALL: Span = [0, 100];

describe('a view that is moved', () => {
  it('keeps its width, and ends where the curve ends', () => {
    expect(moved([40, 60], ALL, 0.25)).toEqual([45, 65]);
    expect(moved([40, 60], ALL, -0.25)).toEqual([35, 55]);
    expect(moved([85, 95], ALL, 3)).toEqual([90, 100]);
    expect(moved([5, 15], ALL, -3)).toEqual([0, 10]);
  });

  it('shows less or more, and in the end all', () => {
    expect(scaled([40, 60], ALL, 0.5)).toEqual([45, 55]);
    expect(scaled([40, 60], ALL, 2)).toEqual([30, 70]);
    expect(scaled([30, 90], ALL, 4)).toBeNull();
  });

  it('is asked for with as much on both sides', () => {
    expect(around([40, 60], ALL)).toEqual([20, 80]);
    expect(around([0, 60], ALL)).toEqual([0, 100]);
  });
});
