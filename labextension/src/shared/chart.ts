/** One chart of a metric family: curves, the ghost of an earlier run, legend, hover. */

import uPlot from 'uplot';

import { align, type Curve } from './align';
import { h, setText } from './dom';
import { number, tickLabel } from './format';
import { drawDiamond, indexAt, isClick, onCurve } from './marking';
import { markIndex, pickAt, type Pick } from './marks';
import type { Family, PanelModel, Series } from './model';
import { remarks } from './table';
import { colourIndices, themeOf, type Theme } from './theme';
import type { CheckpointMeta, Disposable } from './wire';
import { label, xOf, type XChoice } from './xaxis';

const HEIGHT = 144; // px, as .nbt-plot
const FEW_POINTS = 60; // up to here single points are marked
const GHOST = '\u0000ghost'; // no metric is called that: controls are escaped in names
const FONT = '11px system-ui, sans-serif';

/** How the curves of all charts are drawn. */
export interface XSettings {
  choice: XChoice;
  spread: boolean;
  syncKey: string;
}

interface Line {
  key: string;
  /** What one button of the legend shows or hides. */
  group: string;
  name: string;
  isGhost: boolean;
  colour: number;
}

export class FamilyChart implements Disposable {
  readonly element = h('div', { class: 'nbt-chart' });
  private readonly legend = h('span', { class: 'nbt-legends' });
  private readonly note = h('span', { class: 'nbt-chart-note' });
  private readonly plotHome = h('div', { class: 'nbt-plot', role: 'img' });
  private readonly hidden = new Set<string>();
  private plot: uPlot | null = null;
  private lines: Line[] = [];
  private curves: Curve[] = [];
  private readonly values = new Map<string, HTMLElement>();
  private drawn = '';
  private theme: Theme;

  constructor(
    private readonly model: PanelModel,
    readonly name: string,
    private readonly onPick: (pick: Pick) => void,
  ) {
    this.theme = themeOf(this.element);
    this.element.append(
      h(
        'div',
        { class: 'nbt-chart-head' },
        h('span', { class: 'nbt-chart-title' }, name),
        this.legend,
        this.note,
      ),
      this.plotHome,
    );
  }

  /** Draw what is new; a chart without a width (a hidden tab) waits. */
  update(family: Family, x: XSettings): void {
    const lines = this.linesOf(family);
    const shape = JSON.stringify([lines, x.choice, x.spread]);
    if (
      shape !== JSON.stringify([this.lines, this.drawnX?.choice, this.drawnX?.spread])
    ) {
      this.lines = lines;
      this.drawnX = x;
      this.rebuildLegend();
      this.destroyPlot();
    }
    setText(this.note, family.metrics.map(remarks).filter(Boolean).join(' · '));
    this.plotHome.setAttribute('aria-label', describe(family));
    this.draw(x);
  }

  /** Fit a new width, or colours of a new theme. */
  refresh(): void {
    const theme = themeOf(this.element);
    if (JSON.stringify(theme) !== JSON.stringify(this.theme)) {
      this.theme = theme;
      this.rebuildLegend();
      this.destroyPlot();
    }
    const width = this.plotHome.clientWidth;
    if (this.plot && width && width !== this.plot.width)
      this.plot.setSize({ width, height: HEIGHT });
    if (this.drawnX) this.draw(this.drawnX);
  }

  dispose(): void {
    this.destroyPlot();
    this.element.remove();
  }

  private drawnX: XSettings | null = null;

  private draw(x: XSettings): void {
    const width = this.plotHome.clientWidth;
    const version = this.versions();
    if (!width || (this.plot && version === this.drawn)) return;
    this.drawn = version;
    this.curves = this.lines.map((line) => this.curve(line, x));
    const data = align(this.curves) as uPlot.AlignedData;
    if (!this.plot) this.plot = new uPlot(this.options(width, x), data, this.plotHome);
    else this.plot.setData(data, !this.isZoomed());
    this.showValues();
  }

  private versions(): string {
    const versions = this.lines.map(
      (line) => `${line.key}${this.series(line)?.version ?? 0}`,
    );
    return [this.model.marksVersion, ...versions].join('\n');
  }

  private curve(line: Line, x: XSettings): Curve {
    const series = this.series(line);
    const startedAt = this.startOf(line);
    const xs = series ? xOf(series, x.choice, { startedAt, spread: x.spread }) : null;
    return xs && series ? { x: xs, y: series.value.view() } : { x: [], y: [] };
  }

  private startOf(line: Line): number {
    const run = this.model.run;
    return (line.isGhost ? run?.ghost?.started_at : run?.started_at) ?? 0;
  }

  private series(line: Line): Series | undefined {
    return (line.isGhost ? this.model.ghosts : this.model.series).get(line.name);
  }

  private linesOf(family: Family): Line[] {
    const colours = colourIndices(family.metrics);
    const own = family.metrics.map(({ name }, i): Line => {
      return { key: name, group: name, name, isGhost: false, colour: colours[i] ?? 0 };
    });
    const ghosts = own.filter((line) => this.model.ghosts.has(line.name));
    // Ghosts come first, so that they lie under the curves of this run.
    return [
      ...ghosts.map((line) => {
        return { ...line, key: `ghost ${line.key}`, group: GHOST, isGhost: true };
      }),
      ...own,
    ];
  }

  private options(width: number, x: XSettings): uPlot.Options {
    const axis: uPlot.Axis = {
      stroke: this.theme.text,
      font: FONT,
      grid: { stroke: this.theme.grid, width: 1 },
      ticks: { show: false },
    };
    return {
      width,
      height: HEIGHT,
      padding: [8, 8, 0, 0],
      legend: { show: false },
      cursor: {
        sync: { key: x.syncKey, setSeries: false },
        points: { size: 6 },
        drag: { x: true, y: false },
      },
      scales: { x: { time: false }, y: { range: yRange } },
      axes: [
        {
          ...axis,
          size: 22,
          gap: 2,
          space: 60,
          values: tickLabels,
          ...wholeTicks(x.choice),
        },
        { ...axis, size: 44, gap: 4, space: 28, values: tickLabels },
      ],
      series: [
        { label: label(x.choice, x.spread) },
        ...this.lines.map((l) => this.style(l)),
      ],
      hooks: {
        setCursor: [() => this.showValues()],
        draw: [(plot) => this.drawMarks(plot)],
        ready: [(plot) => this.hearClicks(plot)],
      },
    };
  }

  private style(line: Line): uPlot.Series {
    const stroke = this.colour(line);
    return {
      label: line.key,
      show: !this.hidden.has(line.group),
      stroke,
      width: line.isGhost ? 1.25 : 1.75,
      points: {
        show: (plot, index) => !line.isGhost && isSparse(plot.data[index]),
        size: 4,
        fill: stroke,
        width: 0,
      },
    };
  }

  private colour(line: Line): string {
    if (line.isGhost) return this.theme.ghost;
    return this.theme.palette[line.colour] ?? this.theme.text;
  }

  /** One button per curve of this run, and one for all of the earlier run. */
  private rebuildLegend(): void {
    const own = this.lines.filter((line) => !line.isGhost);
    const ghost = this.lines.find((line) => line.isGhost);
    this.values.clear();
    this.legend.replaceChildren(...own.map((line) => this.legendEntry(line)));
    if (ghost) this.legend.append(this.legendEntry(ghost));
  }

  private legendEntry(line: Line): HTMLElement {
    const swatch = h('span', { class: 'nbt-swatch', 'aria-hidden': 'true' });
    swatch.style.color = this.colour(line);
    const name = line.isGhost ? (this.model.run?.ghost?.name ?? 'earlier') : line.name;
    const button = h(
      'button',
      {
        class: 'nbt-legend',
        type: 'button',
        'aria-pressed': String(!this.hidden.has(line.group)),
        title: line.isGhost ? 'The best earlier run: show or hide' : 'Show or hide',
      },
      swatch,
      h('span', { class: 'nbt-legend-name' }, name),
    );
    if (!line.isGhost) {
      const value = h('span', { class: 'nbt-legend-value' });
      this.values.set(line.key, value);
      button.append(value);
    }
    button.addEventListener('click', () => this.toggle(line.group, button));
    return button;
  }

  private toggle(group: string, button: HTMLElement): void {
    const isShown = this.hidden.delete(group);
    if (!isShown) this.hidden.add(group);
    button.setAttribute('aria-pressed', String(isShown));
    this.lines.forEach((line, i) => {
      if (line.group === group) this.plot?.setSeries(i + 1, { show: isShown });
    });
  }

  /** The values under the cursor, or the last ones. */
  private showValues(): void {
    this.lines.forEach((line, i) => {
      const element = this.values.get(line.key);
      if (element) setText(element, this.valueText(line, i));
    });
  }

  private valueText(line: Line, i: number): string {
    const column = this.plot?.data[i + 1];
    const index = this.plot?.cursor.idx;
    if (!column || index == null) return number(this.series(line)?.value.view().at(-1));
    return number(nearest(column as (number | null | undefined)[], index));
  }

  /** A diamond where each checkpoint was saved, hollow where its file is gone. */
  private drawMarks(plot: uPlot): void {
    this.eachShown((line, series, curve) => {
      let last = -Infinity;
      for (const mark of this.model.marks.values()) {
        const place = markIndex(mark, series);
        const at = onCurve(plot, curve, place);
        if (!at || Math.abs(at.x - last) < at.width) continue;
        last = at.x;
        drawDiamond(plot.ctx, at, this.colour(line), mark.gone !== null);
      }
    });
  }

  private hearClicks(plot: uPlot): void {
    let pressed: MouseEvent | null = null;
    plot.over.addEventListener('mousedown', (event) => (pressed = event));
    plot.over.addEventListener('click', (event) => {
      if (isClick(pressed, event)) this.pick(plot, event.offsetX, event.offsetY);
    });
  }

  /** The curve nearest to the click, at its point nearest to it. */
  private pick(plot: uPlot, left: number, top: number): void {
    let nearest = Infinity;
    let chosen: [Series, number] | null = null;
    this.eachShown((_, series, curve) => {
      const index = indexAt(plot, curve, left);
      const far = Math.abs(plot.valToPos(curve.y[index] ?? NaN, 'y') - top);
      if (index < 0 || !(far < nearest || chosen === null)) return;
      [nearest, chosen] = [far, [series, index]];
    });
    if (chosen) this.onPick(pickAt(...(chosen as [Series, number]), this.marks()));
  }

  private marks(): CheckpointMeta[] {
    return [...this.model.marks.values()];
  }

  private eachShown(visit: (line: Line, series: Series, curve: Curve) => void): void {
    this.lines.forEach((line, i) => {
      const [series, curve] = [this.series(line), this.curves[i]];
      const isShown = !line.isGhost && !this.hidden.has(line.group);
      if (isShown && series && curve?.x.length) visit(line, series, curve);
    });
  }

  private isZoomed(): boolean {
    const scale = this.plot?.scales['x'];
    const xs = this.plot?.data[0];
    if (!scale || !xs?.length) return false;
    const tolerance = 1e-9 * Math.abs((xs.at(-1) ?? 0) - (xs[0] ?? 0));
    return (
      (scale.min ?? -Infinity) > (xs[0] ?? 0) + tolerance ||
      (scale.max ?? Infinity) < (xs.at(-1) ?? 0) - tolerance
    );
  }

  private destroyPlot(): void {
    this.plot?.destroy();
    this.plot = null;
    this.drawn = '';
  }
}

/** The value at `index`, or the closest one before it. */
function nearest(
  column: readonly (number | null | undefined)[],
  index: number,
): number | null {
  for (let i = index; i >= 0; i -= 1) {
    const value = column[i];
    if (value === null) return NaN;
    if (value !== undefined) return value;
  }
  return null;
}

function isSparse(column: ArrayLike<number | null | undefined> | undefined): boolean {
  let n = 0;
  for (let i = 0; column && i < column.length && n <= FEW_POINTS; i += 1)
    if (column[i] != null) n += 1;
  return n <= FEW_POINTS;
}

/** Steps and epochs are counted: no tick stands between two of them. */
function wholeTicks(choice: XChoice): { incrs?: number[] } {
  if (choice.kind === 'time') return {};
  return { incrs: wholeSteps() };
}

/** What may lie between two ticks of what is counted. */
export function wholeSteps(): number[] {
  const decades = Array.from({ length: 13 }, (_, i) => 10 ** i);
  return decades.flatMap((ten) => [ten, 2 * ten, 5 * ten]);
}

export function yRange(
  _: uPlot,
  min: number | null,
  max: number | null,
): uPlot.Range.MinMax {
  if (min == null || max == null) return [0, 1];
  const room = max > min ? 0.06 * (max - min) : 0.5 * Math.abs(max) || 0.5;
  return [min - room, max + room];
}

export function tickLabels(_: uPlot, ticks: number[]): string[] {
  const gap = Math.abs((ticks[1] ?? 0) - (ticks[0] ?? 0));
  return ticks.map((tick) => tickLabel(tick, gap));
}

function describe(family: Family): string {
  const parts = family.metrics.map(
    (meta) => `${meta.name}: ${meta.n} points, best ${number(meta.best)}`,
  );
  return `Chart of ${family.name}. ${parts.join('. ')}`;
}
