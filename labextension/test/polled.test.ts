// @vitest-environment jsdom
import { describe, expect, it, vi } from 'vitest';
import { ApiError, type Api } from '../src/api/client';
import { PolledSource } from '../src/live/polled';
import type { Frame, FrameHead, Status } from '../src/shared/wire';

function head(cursor: string, status: Status = 'running'): FrameHead {
  const run = { id: '1', status, metrics: [] } as unknown as FrameHead['run'];
  return { type: 'frame', full: false, run, series: [], data: '', cursor };
}

function follow(
  frame: (run: string, cursor: string | null) => Promise<FrameHead>,
  isVisible = (): boolean => true,
) {
  const ended = vi.fn();
  const frames: Frame[] = [];
  const api = { frame: vi.fn(frame) };
  const source = new PolledSource(api as unknown as Api, '1', isVisible, ended);
  source.subscribe((one) => frames.push(one));
  return { source, frames, ended, asked: api.frame.mock.calls };
}

describe('PolledSource', () => {
  it('gives the cursor of the last frame back, and none after a resync', async () => {
    let n = 0;
    const { source, asked } = follow(() => Promise.resolve(head(`c${(n += 1)}`)));
    await vi.waitFor(() => expect(asked.length).toBeGreaterThan(1), 3000);
    source.resync();
    const before = asked.length;
    await vi.waitFor(() => expect(asked.length).toBeGreaterThan(before), 3000);
    source.dispose();
    expect(asked[0]).toEqual(['1', null]);
    expect(asked[1]).toEqual(['1', 'c1']);
    expect(asked[before]).toEqual(['1', null]);
  });

  it('ends with the run, after its last frame', async () => {
    const { source, frames, ended } = follow(() =>
      Promise.resolve(head('c', 'stopped')),
    );
    await vi.waitFor(() => expect(ended).toHaveBeenCalledOnce(), 3000);
    source.dispose();
    expect(frames.at(-1)?.run?.status).toBe('stopped');
  });

  it('ends when the server does not know the run any more', async () => {
    const { source, ended } = follow(() => Promise.reject(new ApiError(404, 'gone')));
    await vi.waitFor(() => expect(ended).toHaveBeenCalledOnce(), 3000);
    source.dispose();
  });

  it('asks nothing while nobody can see it', async () => {
    const { source, asked } = follow(
      () => Promise.resolve(head('c')),
      () => false,
    );
    await new Promise((resolve) => setTimeout(resolve, 800));
    source.dispose();
    expect(asked.length).toBe(0);
  });
});
