import { describe, expect, it } from 'vitest';

import { decodeFrame, isFrameHead, type FrameHead } from '../src/shared/wire';

const HEAD: FrameHead = {
  type: 'frame',
  full: true,
  run: null,
  series: [
    { metric: 'loss', ghost: false, from: 0, n: 2, axes: ['epoch'] },
    { metric: 'acc', ghost: true, from: 4, n: 1, axes: [] },
  ],
};
const NUMBERS = [0, 1, 0.5, NaN, 9, 10, 0, 0, 4, Infinity, 11];

describe('decodeFrame', () => {
  it('cuts the buffer into the series of the header', () => {
    const { series } = decodeFrame(HEAD, new Float64Array(NUMBERS).buffer);

    expect(series.map((one) => one.metric)).toEqual(['loss', 'acc']);
    expect([...(series[0]?.value ?? [])]).toEqual([0.5, NaN]);
    expect([...(series[0]?.axes['epoch'] ?? [])]).toEqual([0, 0]);
    expect([...(series[1]?.value ?? [])]).toEqual([Infinity]);
  });

  it('reads a view that starts at an odd byte', () => {
    const bytes = new Uint8Array(8 * NUMBERS.length + 3);
    bytes.set(new Uint8Array(new Float64Array(NUMBERS).buffer), 3);

    const { series } = decodeFrame(HEAD, new DataView(bytes.buffer, 3));

    expect([...(series[1]?.at ?? [])]).toEqual([11]);
  });

  it('reads base64 where only JSON passes', () => {
    const bytes = new Uint8Array(new Float64Array(NUMBERS).buffer);
    const data = btoa(String.fromCharCode(...bytes));

    const { series } = decodeFrame({ ...HEAD, data });

    expect([...(series[0]?.step ?? [])]).toEqual([0, 1]);
  });

  it('refuses a buffer that is not what the header says', () => {
    const short = new Float64Array(NUMBERS.slice(0, 9)).buffer;

    expect(() => decodeFrame(HEAD, short)).toThrow(/header says/);
  });

  it('knows its own messages', () => {
    expect([HEAD, { type: 'x' }, null, 'frame'].map(isFrameHead)).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});
