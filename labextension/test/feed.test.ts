import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Api } from '../src/api/client';
import type { RunList, RunRow, StoreRow, Unchanged } from '../src/api/rows';
import { PAGE, RunFeed } from '../src/sidebar/feed';
import { row, store } from './runs';

const feeds: RunFeed[] = [];
afterEach(() => {
  for (const feed of feeds.splice(0)) feed.dispose();
});

/** A server with some runs; what it was asked is kept. */
class Server {
  version = 'v1';
  runs: RunRow[];
  stores: StoreRow[] = [store()];
  asked: Record<string, string>[] = [];
  fails: Error | null = null;

  constructor(n: number) {
    this.runs = Array.from({ length: n }, (_, i) => row(`r${i}`));
  }

  runsSince = vi.fn(
    async (
      seen: string,
      query: Record<string, string>,
    ): Promise<RunList | Unchanged> => {
      this.asked.push({ seen, ...query });
      if (this.fails) throw this.fails;
      if (seen === this.version) return { unchanged: true, version: this.version };
      const from = Number(query['offset']);
      const runs = this.runs.slice(from, from + Number(query['limit']));
      const total = this.runs.length;
      return { runs, total, version: this.version, problems: [] };
    },
  );
  sparks = vi.fn(async (ids: string[]) =>
    Object.fromEntries(ids.map((id) => [id, { metric: 'loss', y: [1, 0.5] }])),
  );

  async storeList(): Promise<{ stores: StoreRow[]; version: string }> {
    return { stores: this.stores, version: this.version };
  }

  feed(isVisible = (): boolean => true, isBusy = (): boolean => false): RunFeed {
    const { runsSince, sparks } = this;
    const api = { runsSince, sparks, stores: () => this.storeList() };
    const feed = new RunFeed(api as unknown as Api, isVisible, isBusy);
    feeds.push(feed);
    return feed;
  }
}

const soon = { timeout: 3000 };

describe('RunFeed', () => {
  it('brings the newest runs, and older ones when somebody scrolls there', async () => {
    const feed = new Server(PAGE + 5).feed();
    feed.look();
    await vi.waitFor(() => expect(feed.rows.length).toBe(PAGE), soon);
    feed.more();
    await vi.waitFor(() => expect(feed.rows.length).toBe(PAGE + 5), soon);
    expect(feed.total).toBe(PAGE + 5);
  });

  it('brings more than one answer holds', async () => {
    const server = new Server(1450);
    const feed = server.feed();
    feed.look();
    for (let n = PAGE; n < 1450; n += PAGE) {
      await vi.waitFor(() => expect(feed.rows.length).toBe(n), soon);
      feed.more();
    }
    await vi.waitFor(() => expect(feed.rows.length).toBe(1450), soon);
    expect(new Set(feed.rows.map((run) => run.id)).size).toBe(1450);
  });

  it('names what it has seen, and takes nothing that is not new', async () => {
    const server = new Server(3);
    const feed = server.feed();
    const told = vi.fn();
    feed.changed.connect(told);
    feed.look();
    await vi.waitFor(() => expect(server.asked.length).toBeGreaterThan(2), soon);
    expect(server.asked.map(({ seen }) => seen).slice(0, 3)).toEqual(['', 'v1', 'v1']);
    expect(told).toHaveBeenCalledTimes(1);
    server.version = 'v2';
    await vi.waitFor(() => expect(told).toHaveBeenCalledTimes(2), soon);
  });

  it('asks nothing while nobody can see it', async () => {
    const server = new Server(3);
    server.feed(() => false).look();
    await new Promise((resolve) => setTimeout(resolve, 900));
    expect(server.asked).toEqual([]);
  });

  it('stops asking where there is no store, until something happens', async () => {
    const server = new Server(0);
    server.stores = [];
    const feed = server.feed();
    feed.look();
    await vi.waitFor(() => expect(feed.isKnown).toBe(true), soon);
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect(server.asked.length).toBe(1);
    Object.assign(server, { stores: [store()], runs: [row('born')], version: 'v2' });
    feed.look();
    await vi.waitFor(() => expect(feed.rows.length).toBe(1), soon);
    await vi.waitFor(() => expect(server.asked.length).toBeGreaterThan(3), soon);
  });

  it('goes on asking while a cell runs, in which a store may be born', async () => {
    const server = new Server(0);
    server.stores = [];
    const feed = server.feed(
      () => true,
      () => true,
    );
    feed.look();
    await vi.waitFor(() => expect(feed.isKnown).toBe(true), soon);
    Object.assign(server, { stores: [store()], runs: [row('born')], version: 'v2' });
    await vi.waitFor(() => expect(feed.rows.length).toBe(1), soon);
  });

  it('says why there is no answer, and goes on when there is one', async () => {
    const server = new Server(1);
    server.fails = new Error('no such name: lss');
    const feed = server.feed();
    feed.ask({ query: 'lss < 1' });
    await vi.waitFor(() => expect(feed.error).toBe('no such name: lss'), soon);
    server.fails = null;
    feed.ask({ query: 'loss < 1' });
    await vi.waitFor(() => expect(feed.rows.length).toBe(1), soon);
    expect(feed.error).toBe('');
  });

  it('draws the curves of runs in view: those that run each time', async () => {
    const server = new Server(2);
    const best = { name: 'loss', goal: 'min', n: 2, last: 1, best: 1, best_step: 0 } as const; // prettier-ignore
    server.runs = [row('live', { status: 'running', best }), row('old', { best })];
    const feed = server.feed();
    feed.look();
    await vi.waitFor(() => expect(feed.rows.length).toBe(2), soon);
    feed.show(feed.rows);
    await vi.waitFor(() => expect(feed.sparks.get('old')?.y.length).toBe(2), soon);
    server.version = 'v2';
    await vi.waitFor(() => expect(server.sparks.mock.calls.length).toBe(2), soon);
    expect(server.sparks.mock.calls.map(([ids]) => ids)).toEqual([
      ['live', 'old'],
      ['live'],
    ]);
  });
});
