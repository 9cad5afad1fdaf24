import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { mountPanel } from '../src/shared/panel';
import type { Disposable, Frame, PanelSource } from '../src/shared/wire';
import { delta, frame, metric, runMeta } from './frames';

class Source implements PanelSource {
  listener: ((frame: Frame) => void) | null = null;
  resyncs = 0;

  subscribe(listener: (frame: Frame) => void): Disposable {
    this.listener = listener;
    return { dispose: () => (this.listener = null) };
  }

  resync(): void {
    this.resyncs += 1;
  }
}

let source: Source;
let stops: number;
let panel: Disposable;

beforeEach(() => {
  vi.useFakeTimers();
  source = new Source();
  stops = 0;
  document.body.replaceChildren();
  panel = mountPanel(document.body, source, { stop: () => (stops += 1) });
});

afterEach(() => {
  panel.dispose();
  vi.useRealTimers();
});

function show(one: Frame): void {
  source.listener?.(one);
  vi.advanceTimersByTime(50);
}

function one(selector: string): HTMLElement {
  const found = document.querySelector<HTMLElement>(selector);
  if (!found) throw new Error(`nothing is ${selector}`);
  return found;
}

describe('the panel', () => {
  it('shows name, status, times, progress and the best values', () => {
    const progress = { axis: 'epoch', done: 3, total: 10 };
    const metrics = [metric('val_loss')];
    const meta = runMeta({ eta_s: 65, progress, headline: ['val_loss'], metrics });

    show(frame(meta, [delta('val_loss', [3, 2, 0.5])], true));

    expect(one('.nbt-name').textContent).toBe('base');
    expect(one('.nbt-time').textContent).toMatch(
      /^0:12 · about 1:0\d left · epoch 3\/10$/,
    );
    expect(one('.nbt-best').textContent).toBe('best val_loss 0.5000 @ step 2');
    expect(one('[role=progressbar]').getAttribute('aria-valuenow')).toBe('30');
  });

  it('shows the last five values, NaN and thinning', () => {
    const meta = metric('loss', { thinned: 20, first_nan_step: 120, n: 1000 });

    show(
      frame(runMeta({ metrics: [meta] }), [delta('loss', [7, 6, 5, 4, NaN, 2])], true),
    );

    const cells = [...document.querySelectorAll('.nbt-table tbody td')];
    expect(cells.map((cell) => cell.textContent)).toEqual([
      ...['6', '5', '4', 'NaN', '2', '0.5000 @ 2', '1,000', 'thinned 1:20 · NaN@120'],
    ]);
  });

  it('never makes markup of a text', () => {
    const evil = '<img src=x onerror="alert(1)"><script>alert(2)</script>';
    const meta = runMeta({
      name: evil,
      status: 'failed',
      error: evil,
      reason: evil,
      grade: { letter: evil, why: [evil] },
      headline: [evil],
      ghost: { id: '1', name: evil, started_at: 0 },
      progress: { axis: evil, done: 1, total: 2 },
      metrics: [metric(evil)],
    });
    const axes = { [evil]: Float64Array.of(0, 1) };

    show(frame(meta, [delta(evil, [1, 2], { axes })], true));

    expect(document.querySelectorAll('img, script')).toHaveLength(0);
    expect(one('.nbt-name').textContent).toBe(evil);
  });

  it('says stopping at once, and lets a second press through', () => {
    show(frame(runMeta(), [], true));

    one('.nbt-stop').click();
    one('.nbt-stop').click();

    expect(stops).toBe(2);
    expect(one('.nbt-title').textContent).toContain('stopping…');
    expect(one('.nbt-stop').textContent).toBe('Stop now');
  });

  it('has no Stop once the run is over', () => {
    show(frame(runMeta({ status: 'stopped', reason: 'Stop pressed' }), [], true));

    expect(one('.nbt-stop').hidden).toBe(true);
    expect(one('.nbt-title').textContent).toContain('stopped · Stop pressed');
  });

  it('shows the grade of a run that is over, with what speaks against it', () => {
    show(frame(runMeta(), [], true));
    expect(one('.nbt-grade').hidden).toBe(true);

    const grade = { letter: 'C', why: ['`x` comes from an edited cell [4]', 'more'] };
    show(frame(runMeta({ status: 'finished', grade }), []));

    expect(one('.nbt-grade').hidden).toBe(false);
    expect(one('.nbt-grade').textContent).toBe('grade C');
    expect(one('.nbt-grade').title).toBe('`x` comes from an edited cell [4]\nmore');
  });

  it('asks for everything when a part was missed', () => {
    show(frame(runMeta(), [delta('loss', [1])], true));

    show(frame(null, [delta('loss', [1], { from: 9 })]));

    expect(source.resyncs).toBe(1);
  });

  it('can be used with the keyboard and by name', () => {
    const meta = runMeta({ metrics: [metric('loss')] });
    show(frame(meta, [delta('loss', [2, 1])], true));

    expect(one('.nbt-panel').getAttribute('aria-label')).toBe('Run base');
    expect(one('.nbt-stop').getAttribute('aria-label')).toBe('Stop run base');
    expect(one('select').getAttribute('aria-label')).toBe('Horizontal axis');
    expect(one('.nbt-plot').getAttribute('aria-label')).toContain('loss: 3 points');
    const legend = one('.nbt-legend');
    legend.click();
    expect(legend.getAttribute('aria-pressed')).toBe('false');
  });

  it('draws once per animation frame however many frames come', () => {
    show(frame(runMeta(), [], true));
    const request = vi.spyOn(globalThis, 'requestAnimationFrame');

    for (let i = 0; i < 20; i += 1)
      source.listener?.(frame(runMeta({ name: `r${i}` })));

    expect(request).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(50);
    expect(one('.nbt-name').textContent).toBe('r19');
  });

  it('leaves nothing behind', () => {
    show(frame(runMeta(), [], true));

    panel.dispose();

    expect(document.querySelector('.nbt-panel')).toBeNull();
    expect(source.listener).toBeNull();
    expect(vi.getTimerCount()).toBe(0);
  });
});
