/**
 * The curves of the selected runs, or the mean and range of groups, over one x.
 *
 * Smoothed curves are drawn over their raw ones, which stay visible. What is zoomed
 * into is asked for again, so that no spike is lost between two pixels.
 */

import uPlot from 'uplot';

import { align, type Curve } from '../align';
import { tickLabels, wholeSteps, yRange } from '../chart';
import { h, setText } from '../dom';
import { number } from '../format';
import { isClick } from '../marking';
import { themeOf } from '../theme';
import { around, hearMoves, type Span } from './pan';
import type { Curves, Drawn, State } from './wire';

const HEIGHT = 260;
const FONT = '11px system-ui, sans-serif';
const ZOOM_WAIT_MS = 120;
const FAINT = '55'; // alpha of raw lines and bands behind what is read

export interface OverlayActions {
  /** The part in view changed; null: all of it. */
  zoom(span: [number, number] | null): void;
  /** A point was clicked. */
  pick(run: string, x: number): void;
}

/** What is drawn of a curve: one series of uPlot. */
interface Line {
  key: string;
  part: 'y' | 'smooth' | 'low' | 'high';
}

export class CurveOverlay {
  readonly element = h('div', { class: 'nbt-overlay' });
  private readonly legend = h('div', { class: 'nbt-legends-wide' });
  private readonly home = h('div', { class: 'nbt-plot-tall', role: 'img' });
  private readonly empty = h('div', { class: 'nbt-empty' });
  private readonly values = new Map<string, HTMLElement>();
  private plot: uPlot | null = null;
  private shape = '';
  private lines: Line[] = [];
  private curves: Drawn[] = [];
  private timer = 0;
  /** What is zoomed into, and all that there is; what was asked for is more than both. */
  private view: Span | null = null;
  private all: Span | null = null;
  private said = '';
  private isSetting = false;
  private isOfGroups = false;

  constructor(private readonly actions: OverlayActions) {
    this.element.append(this.legend, this.home, this.empty);
  }

  /** Draw curves that came; `names` and `colours` are by run or group. */
  update(
    told: Curves,
    state: State,
    names: Map<string, string>,
    colours: Map<string, string>,
  ): void {
    this.curves = told.curves;
    this.isOfGroups = state.bands;
    this.lines = told.curves.flatMap(linesOf);
    const { log_x, log_y, clip } = state;
    const looks = [this.lines, [...colours], log_x, log_y, clip, told.metric, told.x];
    const shape = JSON.stringify(looks);
    const data = align(this.lines.map((line) => this.curve(line, state)));
    if (told.span === null) this.takeAll(data[0] as ArrayLike<number>);
    this.showEmpty(told);
    if (this.plot && shape === this.shape) {
      this.setData(data as uPlot.AlignedData, told.span);
    } else {
      this.shape = shape;
      this.destroy();
      this.rebuildLegend(names, colours);
      this.make(data as uPlot.AlignedData, told, state, colours);
    }
    this.showValues();
  }

  /** Fit a new width. */
  refresh(): void {
    const width = this.home.clientWidth;
    if (this.plot && width && width !== this.plot.width)
      this.plot.setSize({ width, height: HEIGHT });
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.destroy();
  }

  private showEmpty(told: Curves): void {
    this.empty.hidden = told.curves.length > 0;
    this.home.hidden = told.curves.length === 0;
    const over = told.x === 'step' ? '' : ` over ${told.x}`;
    setText(
      this.empty,
      told.metric
        ? `no selected run has ${told.metric}${over}: choose runs by their circles`
        : 'no metrics yet',
    );
    const thinned = told.curves.filter((curve) => curve.thinned).length;
    const said = thinned ? ' Zoom in for all points.' : '';
    this.said = `Curves of ${told.metric}.${said}`;
    this.sayView();
  }

  private sayView(): void {
    const [from, to] = this.view ?? [];
    const part = this.view ? ` In view: ${number(from)} to ${number(to)}.` : '';
    this.home.setAttribute('aria-label', this.said + part);
  }

  private make(
    data: uPlot.AlignedData,
    told: Curves,
    state: State,
    colours: Map<string, string>,
  ): void {
    const width = this.home.clientWidth || 600;
    if (!this.lines.length) return;
    this.plot = new uPlot(this.options(width, told, state, colours), data, this.home);
  }

  private setData(data: uPlot.AlignedData, span: [number, number] | null): void {
    if (!this.plot) return;
    const view = span && this.view; // it may have moved on since this was asked for
    this.isSetting = true;
    this.plot.setData(data, view === null);
    if (view) this.plot.setScale('x', { min: view[0], max: view[1] });
    this.isSetting = false;
  }

  private takeAll(xs: ArrayLike<number>): void {
    this.view = null;
    const [first, last] = [xs[0], xs[xs.length - 1]];
    this.all = first === undefined || last === undefined ? null : [first, last];
  }

  private move(span: Span | null): void {
    const wanted = span ?? this.all;
    if (wanted) this.plot?.setScale('x', { min: wanted[0], max: wanted[1] });
  }

  private options(
    width: number,
    told: Curves,
    state: State,
    colours: Map<string, string>,
  ): uPlot.Options {
    const theme = themeOf(this.element);
    const axis: uPlot.Axis = {
      stroke: theme.text,
      font: FONT,
      grid: { stroke: theme.grid, width: 1 },
      ticks: { show: false },
    };
    const isTime = told.x === 'time';
    const isCounted = told.x === 'step' || told.axes.includes(told.x);
    const tick = isTime
      ? {}
      : { values: tickLabels, ...(isCounted ? { incrs: wholeSteps() } : {}) };
    return {
      width,
      height: HEIGHT,
      padding: [8, 8, 0, 0],
      legend: { show: false },
      cursor: { points: { size: 6 }, drag: { x: true, y: false } },
      scales: {
        x: { time: isTime, distr: state.log_x ? 3 : 1 },
        y: { distr: state.log_y ? 3 : 1, ...rangeOf(state) },
      },
      axes: [
        { ...axis, size: 22, gap: 2, space: 60, label: told.x, labelFont: FONT, labelSize: 16, ...tick }, // prettier-ignore
        { ...axis, size: 52, gap: 4, space: 28, ...(state.log_y ? {} : { values: tickLabels }) }, // prettier-ignore
      ],
      series: [{}, ...this.lines.map((line) => this.style(line, colours))],
      bands: this.bandsOf(colours),
      hooks: {
        setCursor: [() => this.showValues()],
        setScale: [(plot, key) => this.scaled(plot, key)],
        ready: [(plot) => this.hear(plot)],
      },
    };
  }

  private style(line: Line, colours: Map<string, string>): uPlot.Series {
    const colour = colours.get(line.key) ?? '#888';
    const isRaw = line.part === 'y' && this.has(line.key, 'smooth');
    const isEdge = line.part === 'low' || line.part === 'high';
    return {
      label: `${line.key} ${line.part}`,
      stroke: isRaw || isEdge ? colour + FAINT : colour,
      width: isEdge ? 0.5 : isRaw ? 1 : 1.75,
      points: { show: false },
    };
  }

  private bandsOf(colours: Map<string, string>): uPlot.Band[] {
    return this.curves.flatMap((curve): uPlot.Band[] => {
      const high = this.lines.findIndex(
        (l) => l.key === curve.key && l.part === 'high',
      );
      const low = this.lines.findIndex((l) => l.key === curve.key && l.part === 'low');
      const fill = `${colours.get(curve.key) ?? '#888888'}22`;
      return high < 0 || low < 0 ? [] : [{ series: [high + 1, low + 1], fill }];
    });
  }

  private has(key: string, part: 'smooth' | 'low'): boolean {
    return this.curves.some((curve) => curve.key === key && curve[part] !== null);
  }

  private curve(line: Line, state: State): Curve {
    const curve = this.curves.find((one) => one.key === line.key);
    const [x, y] = [curve?.x ?? [], curve?.[line.part] ?? []];
    // What a log scale cannot show is a gap, not a wall at the edge.
    const xs = state.log_x ? Float64Array.from(x, (v) => (v > 0 ? v : NaN)) : x;
    const ys = state.log_y ? Float64Array.from(y, (v) => (v > 0 ? v : NaN)) : y;
    return { x: xs, y: ys };
  }

  private rebuildLegend(
    names: Map<string, string>,
    colours: Map<string, string>,
  ): void {
    this.values.clear();
    const entries = this.curves.map((curve) => {
      const swatch = h('span', { class: 'nbt-swatch', 'aria-hidden': 'true' });
      swatch.style.color = colours.get(curve.key) ?? '';
      const value = h('span', { class: 'nbt-legend-value' });
      this.values.set(curve.key, value);
      const of = this.isOfGroups ? ` (${curve.n_runs})` : '';
      const name = (names.get(curve.key) ?? curve.key) + of;
      return h(
        'span',
        { class: 'nbt-legend' },
        swatch,
        h('span', { class: 'nbt-legend-name', title: name }, name),
        value,
      );
    });
    this.legend.replaceChildren(...entries);
  }

  /** The values under the cursor, or the last ones. */
  private showValues(): void {
    const index = this.plot?.cursor.idx;
    this.lines.forEach((line, i) => {
      const element = this.values.get(line.key);
      if (line.part !== 'y' || !element) return;
      const column = this.plot?.data[i + 1];
      const curve = this.curves.find((one) => one.key === line.key);
      const value = index == null || !column ? curve?.y.at(-1) : lastAt(column, index);
      setText(element, number(value));
    });
  }

  private scaled(plot: uPlot, key: string): void {
    if (key !== 'x' || this.isSetting || plot.status !== 1) return;
    const { min, max } = plot.scales['x'] ?? {};
    const { all } = this;
    if (min == null || max == null || !all) return;
    this.view = min <= all[0] && max >= all[1] ? null : [min, max];
    this.sayView();
    const wanted = this.view && around(this.view, all);
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.actions.zoom(wanted), ZOOM_WAIT_MS);
  }

  private hear(plot: uPlot): void {
    this.hearClicks(plot);
    const [now, all] = [() => this.view, () => this.all];
    hearMoves(plot, { now, all, move: (span) => this.move(span) });
  }

  private hearClicks(plot: uPlot): void {
    let pressed: MouseEvent | null = null;
    plot.over.addEventListener('mousedown', (event) => (pressed = event));
    plot.over.addEventListener('dblclick', () => this.actions.zoom(null));
    plot.over.addEventListener('click', (event) => {
      // A group has no checkpoint.
      if (this.isOfGroups || !isClick(pressed, event)) return;
      const x = plot.posToVal(event.offsetX, 'x');
      const nearest = this.nearest(plot, x, event.offsetY);
      if (nearest) this.actions.pick(nearest.key, x);
    });
  }

  private nearest(plot: uPlot, x: number, top: number): Drawn | null {
    let [found, least]: [Drawn | null, number] = [null, Infinity];
    for (const curve of this.curves) {
      const far = Math.abs(plot.valToPos(valueAt(curve, x), 'y') - top);
      if (far < least) [found, least] = [curve, far];
    }
    return found;
  }

  private destroy(): void {
    this.plot?.destroy();
    this.plot = null;
  }
}

/** Raw lines lie under smoothed ones, the range of a group under its mean. */
function linesOf(curve: Drawn): Line[] {
  const parts: Line['part'][] = curve.low ? ['low', 'high', 'y'] : ['y'];
  if (curve.smooth) parts.push('smooth');
  return parts.map((part) => ({ key: curve.key, part }));
}

function lastAt(
  column: ArrayLike<number | null | undefined>,
  index: number,
): number | null {
  for (let i = index; i >= 0; i -= 1) {
    const value = column[i];
    if (value !== undefined) return value ?? NaN;
  }
  return null;
}

function valueAt(curve: Drawn, x: number): number {
  let best = NaN;
  let far = Infinity;
  curve.x.forEach((at, i) => {
    if (Math.abs(at - x) >= far) return;
    far = Math.abs(at - x);
    best = curve.y[i] ?? NaN;
  });
  return best;
}

function rangeOf(state: State): { range?: uPlot.Range.Function } {
  if (state.clip) return { range: (plot) => middleRange(plot) };
  return state.log_y ? {} : { range: yRange };
}

/** The values between the first and the last hundredth of what is in view. */
function middleRange(plot: uPlot): uPlot.Range.MinMax {
  const [from, to] = plot.series[0]?.idxs ?? [0, plot.data[0].length - 1];
  const values = plot.data
    .slice(1)
    .flatMap((column) => [...column].slice(from, to + 1))
    .filter((value): value is number => value != null && Number.isFinite(value))
    .sort((a, b) => a - b);
  const at = (part: number): number | null =>
    values[Math.round(part * (values.length - 1))] ?? null;
  return yRange(plot, at(0.01), at(0.99));
}
