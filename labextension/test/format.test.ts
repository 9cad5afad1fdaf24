import { describe, expect, it } from 'vitest';

import { bytes, count, duration, number, tickLabel } from '../src/shared/format';

describe('format', () => {
  it.each([
    [0.979, '0.9790'],
    [12, '12'],
    [-3.14e-5, '−3.14e−5'],
    [123.456, '123.5'],
    [12345.6, '12346'],
    [1e7, '1.00e7'],
    [NaN, 'NaN'],
    [-Infinity, '−∞'],
    [null, '–'],
  ])('writes %s as %s', (value, text) => {
    expect(number(value)).toBe(text);
  });

  it('writes durations, sizes and counts', () => {
    expect([7, 754, 3723].map(duration)).toEqual(['0:07', '12:34', '1:02:03']);
    expect([512e6, 1.24e9].map(bytes)).toEqual(['512 MB', '1.2 GB']);
    expect(count(1234567)).toBe('1,234,567');
  });

  it.each([
    [0.2, 0.2, '0.2'],
    [0.75, 0.25, '0.75'],
    [5, 2.5, '5.0'],
    [2500, 2500, '2500'],
    [7500, 2500, '7500'],
    [25_000, 2_500, '25.0k'],
    [0.0004, 0.0002, '0.0004'],
    [200_000, 200_000, '200k'],
    [1_500_000, 500_000, '1.5M'],
    [-5, 5, '−5'],
    [0, 1e-7, '0'],
  ])('labels the tick %s with gap %s as %s', (tick, gap, text) => {
    expect(tickLabel(tick, gap)).toBe(text);
  });
});
