import { Notification } from '@jupyterlab/apputils';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Api } from '../src/api/client';
import type { Job } from '../src/api/rows';
import { exportRun, type Kind } from '../src/commands/exports';
import { askForProof } from '../src/commands/proving';

const EVIL = '<img src=x onerror="globalThis.pwned = 1">';
const running = { state: 'running', progress: null, message: '', filename: null };

/** A server that answers with one state of the job after the other. */
function server(kind: Kind, ...states: Partial<Job>[]) {
  const left = states.map((one) => ({ job: 'j', kind, ...running, ...one }) as Job);
  const asked: string[] = [];
  const api = {
    startJob: async (what: string, run: string) => {
      asked.push(`${what} ${run}`);
      return { job: 'j' };
    },
    job: async () => (left.length > 1 ? left.shift() : left[0]),
    cancelJob: async () => void asked.push('cancel'),
    jobFileUrl: () => '/file',
  } as unknown as Api;
  return { api, asked };
}

function shown() {
  const [last] = Notification.manager.notifications;
  return { type: last?.type, message: last?.message, actions: last?.options.actions };
}

function downloads(): () => number {
  const clicked = vi.spyOn(HTMLAnchorElement.prototype, 'click').mockReturnValue();
  return () => clicked.mock.calls.length;
}

afterEach(() => {
  Notification.manager.dismiss();
  vi.restoreAllMocks();
});

describe('exportRun', () => {
  it('says the last word of a bundle, and saves it', async () => {
    const n = downloads();
    const line = 'exported base.nbt.zip · 48 KiB · 5 of 12 cells give the same result';
    const { api, asked } = server('bundle', { state: 'done', message: line });
    await exportRun(api, 'bundle', 'r1');
    expect(asked).toEqual(['bundle r1']);
    expect(shown()).toMatchObject({ type: 'success', message: line });
    expect(n()).toBe(1);
  });

  it('warns where the cells were run and gave another result', async () => {
    downloads();
    const line = 'exported base.nbt.zip · 48 KiB · UNPROVEN: loss differs';
    const done: Partial<Job> = { state: 'done', message: line };
    await exportRun(server('bundle', done).api, 'bundle', 'r1');
    expect(shown()).toMatchObject({ type: 'warning', message: line });
    await exportRun(server('bundle-unproven', done).api, 'bundle-unproven', 'r1');
    expect(shown()).toMatchObject({ type: 'success', message: line });
  });

  it('tells what is done now, and hands a cancel on', async () => {
    const n = downloads();
    const said = 'running, 3 s of at most 60';
    const { api, asked } = server('bundle', { message: said }, { state: 'cancelled' });
    const exported = exportRun(api, 'bundle', 'r1');
    await vi.waitFor(() => expect(shown().message).toBe(`Making the bundle: ${said}`));
    const [cancel] = shown().actions ?? [];
    cancel?.callback(new MouseEvent('click'));
    await exported;
    expect(asked).toEqual(['bundle r1', 'cancel']);
    expect(shown()).toMatchObject({ type: 'info', message: 'Cancelled.' });
    expect(n()).toBe(0);
  });

  it('says why there is none', async () => {
    const n = downloads();
    const message = "Run 'base' has no cells";
    const { api } = server('bundle', { state: 'failed', message });
    await exportRun(api, 'bundle', 'r1');
    expect(shown()).toMatchObject({ type: 'error', message });
    expect(n()).toBe(0);
  });
});

describe('askForProof', () => {
  async function dialog(): Promise<HTMLElement> {
    return vi.waitFor(() => {
      const found = document.querySelector<HTMLElement>('.jp-Dialog');
      if (!found) throw new Error('not yet');
      return found;
    });
  }

  function press(inside: HTMLElement, label: string): void {
    const buttons = [...inside.querySelectorAll('button')];
    const found = buttons.find((one) => one.textContent?.trim() === label);
    if (!found) throw new Error(`no ${label}`);
    found.click();
  }

  it.each([
    ['Prove it', 'bundle'],
    ['Without proof', 'bundle-unproven'],
    ['Cancel', null],
  ])('takes %s for %s', async (label, kind) => {
    const asked = askForProof(['base']);
    press(await dialog(), label);
    expect(await asked).toBe(kind);
  });

  it('says what will run and where, to a screen reader too, with a name as text', async () => {
    const asked = askForProof([EVIL]);
    const shown = await dialog();
    expect(shown.querySelector('img')).toBeNull();
    expect(shown.textContent).toContain(EVIL);
    const said = 'Prove it: run its cells again in a fresh process, on this machine';
    expect(shown.textContent).toContain(said);
    expect(shown.ariaLabel).toContain(said);
    press(shown, 'Cancel');
    await asked;
  });
});
