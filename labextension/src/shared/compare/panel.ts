/**
 * The panel that compares runs: controls, table, curves, and the line that is its state.
 *
 * It knows no host: whoever mounts it hands it a way to say something to the kernel and
 * feeds it what comes back. What is clicked is shown at once and told to the kernel,
 * whose answer is the truth.
 */

import { FrameScheduler, h, setText } from '../dom';
import { ensureStyle } from '../style';
import { isDarkPage, themeOf } from '../theme';
import type { Disposable } from '../wire';
import { Bar } from './bar';
import { Grid } from './grid';
import { CompareModel, keyOf, nextSort, toggled } from './model';
import { CurveOverlay } from './overlay';
import { COMPARE_CSS } from './style';
import type { Curves, FromKernel, State, ToKernel } from './wire';

const POINTS = 1600; // of one curve: two for each pixel
const HELLO_AGAIN_MS = 1000; // and twice as long after each
const EXTRA = '#7f7f7f'; // a seventh curve

export interface ComparePanel extends Disposable {
  readonly from: FromKernel;
}

/** Mount the panel into `el`; feed `from` with what the kernel says. */
export function mountCompare(
  el: HTMLElement,
  send: (message: ToKernel) => void,
): ComparePanel {
  return new Panel(el, send);
}

class Panel implements ComparePanel {
  readonly from: FromKernel;
  private readonly model = new CompareModel();
  private readonly root = h('section', {
    class: 'nbt-panel nbt-compare',
    'aria-label': 'Comparison of runs',
  });
  private readonly bar: Bar;
  private readonly grid: Grid;
  private readonly overlay: CurveOverlay;
  private readonly picked = h('div', { class: 'nbt-pick', hidden: '', role: 'status' });
  private readonly scheduler = new FrameScheduler(() => this.draw());
  private readonly sizes = new ResizeObserver(() => this.overlay.refresh());
  private readonly theme = new MutationObserver(() => this.retheme());
  private curves: Curves | null = null;
  private drawn: unknown[] = [];
  private asked = '';
  private greeting = 0;
  private span: [number, number] | null = null;

  constructor(
    el: HTMLElement,
    private readonly send: (message: ToKernel) => void,
  ) {
    this.bar = new Bar(this.model, {
      change: (part) => this.change(part),
      refresh: () => send({ type: 'refresh' }),
    });
    this.grid = new Grid(this.model, this.gridActions());
    this.overlay = new CurveOverlay({
      zoom: (span) => this.zoom(span),
      pick: (run, x) => send({ type: 'pick', run, x }),
    });
    this.from = this.listeners();
    this.root.append(this.bar.element, this.grid.element, this.bar.curveBar);
    this.root.append(this.overlay.element, this.picked, this.bar.foot);
    el.append(this.root);
    ensureStyle(this.root, 'nbt-compare-style', COMPARE_CSS);
    ensureStyle(this.root);
    this.sizes.observe(this.root);
    this.theme.observe(document.body, { attributes: true });
    this.markTheme();
    this.hello(0);
  }

  dispose(): void {
    clearTimeout(this.greeting);
    this.scheduler.dispose();
    this.sizes.disconnect();
    this.theme.disconnect();
    this.overlay.dispose();
    this.root.remove();
  }

  /** Said again until there is an answer: some kernels leave a message lying. */
  private hello(n: number): void {
    this.send({ type: 'hello' });
    this.greeting = window.setTimeout(
      () => {
        if (!this.model.state) this.hello(n + 1);
      },
      HELLO_AGAIN_MS * 2 ** n,
    );
  }

  private listeners(): FromKernel {
    return {
      table: (table) => {
        this.model.setTable(table);
        this.asked = '';
        this.scheduler.request();
      },
      state: (state, line, metric) => {
        Object.assign(this.model, { state, line, metric });
        this.bar.showError('');
        this.askForCurves();
        this.scheduler.request();
      },
      curves: (curves) => {
        this.curves = curves;
        this.scheduler.request();
      },
      sparks: (metric, asked, curves) => {
        if (metric !== this.model.metric) return;
        this.grid.setSparks(asked, new Map(curves.map(({ key, y }) => [key, y])));
      },
      picked: (text, code) => this.showPicked(text, code),
      error: (text) => this.bar.showError(text),
    };
  }

  private gridActions(): ConstructorParameters<typeof Grid>[1] {
    const state = (): State | null => this.model.state;
    return {
      sort: (column) => {
        const now = state();
        if (now) this.change({ sort: nextSort(now, column) });
      },
      hide: (column) => this.change({ hidden: [...(state()?.hidden ?? []), column] }),
      group: (column) => this.change({ group: column }),
      select: (run) =>
        this.change({ selected: toggled(state()?.selected ?? [], run), bands: false }),
      star: (run, on) => this.send({ type: 'star', run, on }),
      pin: (run) => {
        const pinned = state()?.pinned ?? [];
        const others = pinned.filter((id) => id !== run);
        const isPinned = others.length < pinned.length;
        this.change({ pinned: isPinned ? others : [...pinned, run] });
      },
      baseline: (run) =>
        this.change({ baseline: state()?.baseline === run ? '' : run }),
      toggleGroup: (group) => {
        this.model.toggleGroup(group);
        this.scheduler.request();
      },
      wantSparks: (ids) => this.send({ type: 'sparks', ids }),
    };
  }

  /** Show it at once; the kernel checks it and says how it stands. */
  private change(part: Partial<State>): void {
    if (!this.model.state) return;
    this.model.state = { ...this.model.state, ...part };
    this.send({ type: 'state', state: this.model.state });
    this.scheduler.request();
  }

  private zoom(span: [number, number] | null): void {
    if (JSON.stringify(span) === JSON.stringify(this.span)) return;
    this.span = span;
    // A third of it is in view.
    this.send({ type: 'curves', span, points: span ? 3 * POINTS : POINTS });
  }

  /** Ask only where what decides about curves has changed. */
  private askForCurves(): void {
    const { state, metric } = this.model;
    if (!state) return;
    const of = [state.selected, metric, state.x, state.smooth, state.bands];
    const wanted = JSON.stringify([...of, state.bands && state.group]);
    if (wanted === this.asked) return;
    this.asked = wanted;
    this.span = null;
    this.send({ type: 'curves', span: null, points: POINTS });
  }

  private draw(): void {
    const state = this.model.state;
    if (!state) return;
    const runColours = state.bands
      ? new Map<string, string>()
      : this.colours(state.selected);
    this.grid.update(runColours);
    this.bar.update(this.curves?.axes ?? []);
    this.drawCurves(state, runColours);
  }

  /** Only where something of them is new: the table is drawn much more often. */
  private drawCurves(state: State, runColours: Map<string, string>): void {
    const { log_x, log_y, clip, bands } = state;
    const looks = [this.curves, log_x, log_y, clip, bands, [...runColours].join(), this.root.dataset['dark']]; // prettier-ignore
    if (looks.every((one, i) => one === this.drawn[i])) return;
    this.drawn = looks;
    if (this.curves) {
      const keys = this.curves.curves.map(({ key }) => key);
      const colours = state.bands ? this.colours(keys) : runColours;
      this.overlay.update(this.curves, state, this.names(state), colours);
    }
  }

  /** A run keeps its colour for as long as those before it stay selected. */
  private colours(keys: readonly string[]): Map<string, string> {
    const { palette } = themeOf(this.root);
    return new Map(keys.map((key, i) => [key, palette[i] ?? EXTRA]));
  }

  private names(state: State): Map<string, string> {
    const group = this.model.column(state.group);
    const { ids, names } = this.model.table;
    if (state.bands && group)
      return new Map(group.values.map((v) => [keyOf(v), keyOf(v)]));
    return new Map(ids.map((id, i) => [id, names[i] ?? id]));
  }

  private showPicked(text: string, code: string): void {
    const close = h('button', { type: 'button', class: 'nbt-close' }, '×');
    close.setAttribute('aria-label', 'Close');
    close.addEventListener('click', () => (this.picked.hidden = true));
    const line = h('code', { class: 'nbt-load' });
    setText(line, code);
    line.hidden = code === '';
    this.picked.replaceChildren(h('span', {}, text), line, close);
    this.picked.hidden = false;
  }

  private retheme(): void {
    this.markTheme();
    this.scheduler.request();
  }

  private markTheme(): void {
    this.root.dataset['dark'] = String(
      isDarkPage(this.root.parentElement ?? this.root),
    );
    const isJupyter = document.body.dataset['jpThemeLight'] !== undefined;
    this.root.toggleAttribute('data-jp', isJupyter);
  }
}
