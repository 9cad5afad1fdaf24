import { describe, expect, it, vi } from 'vitest';
import type { Api, Conversation as Answer } from '../src/api/client';
import { Conversation } from '../src/panes/conversation';
import type { FromKernel, State, Table, ToKernel } from '../src/shared/compare/wire';

const state = { query: 'loss < 1', selected: ['a'] } as unknown as State;

function packed(...values: number[]): string {
  const bytes = new Uint8Array(new Float64Array(values).buffer);
  return btoa(String.fromCharCode(...bytes));
}

const loss = { name: 'best.loss', kind: 'metric', goal: 'min', numeric: true, differs: true, values: null, steps: null }; // prettier-ignore
const table = { type: 'table', ids: ['a', 'b'], names: ['a', 'b'], columns: [loss], starred: [], n_all: 2 }; // prettier-ignore

function talk(
  answer: (token: string | null, open: Partial<State>, said: ToKernel[]) => Answer,
) {
  const asked: [string | null, Partial<State>, readonly ToKernel[]][] = [];
  const compare = async (
    token: string | null,
    open: Partial<State>,
    said: ToKernel[],
  ): Promise<Answer> => {
    asked.push([token, open, said]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    return answer(token, open, said);
  };
  const to: FromKernel = { table: vi.fn(), error: vi.fn(), state: vi.fn() };
  const [took, named] = [vi.fn(), vi.fn()];
  const api = { compare } as unknown as Api;
  const conversation = new Conversation(api, { query: 'x' }, () => to, took, named);
  return { conversation, asked, to, took, named };
}

describe('Conversation', () => {
  it('unpacks what the server says as the widget does', async () => {
    const { conversation, to, named } = talk(() => ({
      conversation: 't1',
      messages: [{ ...table, packed: packed(0.25, NaN) } as never],
    }));
    conversation.send({ type: 'hello' });
    await vi.waitFor(() => expect(to.table).toHaveBeenCalled());
    const [got] = vi.mocked(to.table as (t: Table) => void).mock.calls[0] ?? [];
    expect(got?.columns[0]?.values).toEqual([0.25, null]);
    expect(named).toHaveBeenCalledWith(['a', 'b'], ['a', 'b']);
  });

  it('sends together what is said while an answer is awaited, in its order', async () => {
    const { conversation, asked } = talk(() => ({ conversation: 't1', messages: [] }));
    conversation.send({ type: 'hello' });
    conversation.send({ type: 'refresh' });
    conversation.send({ type: 'sparks', ids: ['a'] });
    await vi.waitFor(() => expect(asked.length).toBe(2));
    expect(asked[1]?.[2].map(({ type }) => type)).toEqual(['refresh', 'sparks']);
    expect(asked.map(([token]) => token)).toEqual([null, 't1']);
  });

  it('opens with the state that was shown last, so that a server may forget', async () => {
    const { conversation, asked, took } = talk(() => ({
      conversation: 't1',
      messages: [
        { type: 'state', state, line: '%compare', metric: 'loss', packed: null },
      ],
    }));
    conversation.send({ type: 'hello' });
    await vi.waitFor(() => expect(took).toHaveBeenCalledWith(state));
    conversation.send({ type: 'refresh' });
    await vi.waitFor(() => expect(asked.length).toBe(2));
    expect(asked[0]?.[1]).toEqual({ query: 'x' });
    expect(asked[1]?.[1]).toEqual(state);
  });

  it('shows why the server refused, and can be spoken to again', async () => {
    let fails = true;
    const { conversation, to, asked } = talk(() => {
      if (fails) throw new Error('no such column');
      return { conversation: 't1', messages: [] };
    });
    conversation.send({ type: 'hello' });
    await vi.waitFor(() => expect(to.error).toHaveBeenCalledWith('no such column'));
    fails = false;
    conversation.send({ type: 'hello' });
    await vi.waitFor(() => expect(asked.length).toBe(2));
  });

  it('says nothing more once it is over', async () => {
    const { conversation, to } = talk(() => ({
      conversation: 't1',
      messages: [{ ...table, packed: null } as never],
    }));
    conversation.send({ type: 'hello' });
    conversation.dispose();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(to.table).not.toHaveBeenCalled();
  });
});
