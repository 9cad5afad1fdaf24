import { describe, expect, it } from 'vitest';
import { CellInsertion, cellOf, textsOf } from '../src/notebook/insertion';

const evil = '<img src=x onerror="alert(1)">';

describe('what a kernel may ask for', () => {
  it('is a list of texts', () => {
    expect(textsOf({ type: 'insert', cells: ['x = 1', evil] })).toEqual([
      'x = 1',
      evil,
    ]);
  });

  it.each([
    null,
    undefined,
    'insert',
    {},
    { type: 'run', cells: ['x'] },
    { type: 'insert' },
    { type: 'insert', cells: 'x' },
    { type: 'insert', cells: [] },
    { type: 'insert', cells: ['x', 3] },
    { type: 'insert', cells: [{ source: 'x' }] },
    { type: 'insert', cells: Array(501).fill('x') },
    { type: 'insert', cells: ['x'.repeat(2_000_001)] },
  ])('is nothing else: %j', (message) => {
    expect(textsOf(message)).toBeNull();
  });

  it('names the cell that asks', () => {
    expect(cellOf({ type: 'hello', cell: 'a' })).toBe('a');
    for (const other of [null, {}, { cell: 'a' }, { type: 'hello', cell: 3 }])
      expect(cellOf(other)).toBeNull();
  });
});

describe('cells that are put back', () => {
  it('stand below the cell that asked, in order, and are put there once', () => {
    const page = new Page(['first', 'asks', 'last']);
    const comm = page.open({ type: 'hello', cell: 'asks' });
    expect(comm.sent).toEqual([{ type: 'ready' }]);

    comm.hear({ type: 'insert', cells: ['x = 1', evil] });
    comm.hear({ type: 'insert', cells: ['again'] });

    expect(page.sources).toEqual(['first', 'asks', 'x = 1', evil, 'last']);
    expect(page.added.every((cell) => cell.cell_type === 'code')).toBe(true);
    expect(comm.sent.at(-1)).toEqual({ type: 'done', n: 2 });
  });

  it('are not taken for a cell of another notebook', () => {
    const page = new Page(['first']);
    const comm = page.open({ type: 'hello', cell: 'elsewhere' });
    expect(comm.closed).toBe(true);
    expect(comm.sent).toEqual([]);
  });

  it('follow the notebook to its next kernel, and no longer than it is open', () => {
    const page = new Page(['first']);
    const before = page.kernel;
    page.kernel = new FakeKernel();
    page.changed();
    expect(before.targets.size).toBe(0);
    expect(page.kernel.targets.size).toBe(1);
    page.close();
    expect(page.kernel.targets.size).toBe(0);
  });
});

interface Added {
  cell_type: string;
  source: string;
}

class FakeKernel {
  readonly isDisposed = false;
  readonly targets = new Map<string, (comm: unknown, message: unknown) => void>();
  registerCommTarget(name: string, opened: () => void): void {
    this.targets.set(name, opened);
  }
  removeCommTarget(name: string): void {
    this.targets.delete(name);
  }
}

class FakeComm {
  onMsg: (message: unknown) => void = () => undefined;
  readonly sent: unknown[] = [];
  closed = false;
  send(data: unknown): void {
    this.sent.push(data);
  }
  close(): void {
    this.closed = true;
  }
  hear(data: unknown): void {
    this.onMsg({ content: { data } });
  }
}

/** As much of a notebook's page as is used; ids and texts of its cells are the same. */
class Page {
  kernel = new FakeKernel();
  readonly added: Added[] = [];
  changed: () => void = () => undefined;
  close: () => void = () => undefined;

  constructor(readonly sources: string[]) {
    // The parts of JupyterLab's panel that are used, and no more.
    const panel = {
      sessionContext: {
        session: { kernel: null as unknown },
        kernelChanged: {
          connect: (listen: () => void, that: unknown) => {
            this.changed = () => {
              panel.sessionContext.session.kernel = this.kernel;
              listen.call(that);
            };
          },
        },
      },
      disposed: { connect: (listen: () => void) => (this.close = listen) },
      content: {
        widgets: sources.map((id) => ({ model: { id } })),
        model: {
          sharedModel: {
            transact: (change: () => void) => change(),
            insertCells: (at: number, cells: Added[]) => {
              this.added.push(...cells);
              sources.splice(at, 0, ...cells.map((cell) => cell.source));
            },
          },
        },
      },
    };
    new CellInsertion(panel as never);
    this.changed();
  }

  open(data: unknown): FakeComm {
    const comm = new FakeComm();
    this.kernel.targets.get('nbtrack.cells')?.(comm, { content: { data } });
    return comm;
  }
}
