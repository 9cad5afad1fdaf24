/**
 * The live panel of one run: feed it frames, it draws at most once per animation frame.
 *
 * It knows no host: the notebook's widget and the sidebar both hand it a source of
 * frames and what Stop does. Text from a run only ever becomes text nodes.
 */

import { FamilyChart } from './chart';
import { FrameScheduler, h, setText } from './dom';
import { bytes, number } from './format';
import { Header } from './header';
import { PanelModel } from './model';
import { PickCard } from './pick';
import { ensureStyle } from './style';
import { LastValues } from './table';
import { isDarkPage } from './theme';
import type { Disposable, Frame, PanelActions, PanelSource } from './wire';
import { choices, defaultChoice, isSpread, key, type XChoice } from './xaxis';

const CHARTS_MAX = 12;
const TICK_MS = 500;

let nPanels = 0;

/** Mount a panel into `el`; `dispose` takes it down and leaves the source. */
export function mountPanel(
  el: HTMLElement,
  source: PanelSource,
  actions: PanelActions,
): Disposable {
  return new Panel(el, source, actions);
}

class Panel implements Disposable {
  private readonly model = new PanelModel();
  private readonly root = h('section', { class: 'nbt-panel' });
  private readonly header: Header;
  private readonly charts = h('div', { class: 'nbt-charts' });
  private readonly empty = h('div', { class: 'nbt-empty' }, 'no metrics yet');
  private readonly pickCard = new PickCard();
  private readonly table = new LastValues(this.model);
  private readonly foot = h('div', { class: 'nbt-foot' });
  private readonly byFamily = new Map<string, FamilyChart>();
  private readonly scheduler = new FrameScheduler(() => this.draw());
  private readonly syncKey = `nbt-${(nPanels += 1)}`;
  private readonly disposables: (() => void)[] = [];
  private readonly sizes = new ResizeObserver(() => this.refresh());
  private picked: XChoice | null = null;

  constructor(
    el: HTMLElement,
    private readonly source: PanelSource,
    actions: PanelActions,
  ) {
    this.header = new Header(this.model, actions, (choice) => this.pick(choice));
    this.root.append(this.header.element, this.empty, this.charts);
    this.root.append(this.pickCard.element, this.table.element, this.foot);
    el.append(this.root);
    ensureStyle(this.root);
    this.watchPage();
    const subscription = source.subscribe((frame) => this.receive(frame));
    this.disposables.push(() => subscription.dispose());
  }

  dispose(): void {
    for (const undo of this.disposables) undo();
    this.scheduler.dispose();
    for (const chart of this.byFamily.values()) chart.dispose();
    this.root.remove();
  }

  private receive(frame: Frame): void {
    if (!this.model.apply(frame, performance.now())) this.source.resync();
    this.scheduler.request();
  }

  private pick(choice: XChoice): void {
    this.picked = choice;
    this.scheduler.request();
  }

  private draw(): void {
    if (!this.model.run) return;
    const choice = this.choice();
    this.root.setAttribute('aria-label', `Run ${this.model.run.name}`);
    this.root.dataset['run'] = this.model.run.id;
    this.header.update(choice);
    this.drawCharts(choice);
    this.table.update();
    this.drawFoot();
  }

  private choice(): XChoice {
    const picked = this.picked;
    const isKnown =
      picked && choices(this.model).some((one) => key(one) === key(picked));
    return picked && isKnown ? picked : defaultChoice(this.model);
  }

  private drawCharts(choice: XChoice): void {
    const families = this.model.families().slice(0, CHARTS_MAX);
    const settings = {
      choice,
      spread: isSpread(this.model, choice),
      syncKey: this.syncKey,
    };
    this.empty.hidden = families.length > 0;
    this.dropCharts(new Set(families.map((family) => family.name)));
    for (const family of families) this.chart(family.name).update(family, settings);
  }

  private chart(name: string): FamilyChart {
    let chart = this.byFamily.get(name);
    if (!chart) {
      chart = new FamilyChart(this.model, name, (pick) => {
        const { run, marks } = this.model;
        const hasOlder = (run?.n_checkpoints ?? 0) > marks.size;
        this.pickCard.show(run?.id ?? '', pick, hasOlder);
      });
      this.byFamily.set(name, chart);
      this.charts.append(chart.element);
      // A chart that joins a row makes the others narrower.
      this.sizes.observe(chart.element);
    }
    return chart;
  }

  private dropCharts(keep: Set<string>): void {
    for (const [name, chart] of this.byFamily) {
      if (keep.has(name)) continue;
      this.sizes.unobserve(chart.element);
      chart.dispose();
      this.byFamily.delete(name);
    }
  }

  private drawFoot(): void {
    const parts = footTexts(this.model);
    while (this.foot.children.length < parts.length) this.foot.append(h('span'));
    [...this.foot.children].forEach((child, i) => {
      setText(child as HTMLElement, parts[i] ?? '');
    });
  }

  /** The clock, the width and the theme of the page. */
  private watchPage(): void {
    const timer = setInterval(() => this.header.tick(performance.now()), TICK_MS);
    this.sizes.observe(this.root);
    const theme = new MutationObserver(() => this.refresh());
    theme.observe(document.body, { attributes: true });
    this.disposables.push(
      () => clearInterval(timer),
      () => this.sizes.disconnect(),
      () => theme.disconnect(),
    );
    this.markTheme();
  }

  private refresh(): void {
    this.markTheme();
    for (const chart of this.byFamily.values()) chart.refresh();
  }

  private markTheme(): void {
    this.root.dataset['dark'] = String(
      isDarkPage(this.root.parentElement ?? this.root),
    );
    const isJupyter = document.body.dataset['jpThemeLight'] !== undefined;
    this.root.toggleAttribute('data-jp', isJupyter);
  }
}

function footTexts(model: PanelModel): string[] {
  const run = model.run;
  const system = run?.system;
  const parts: string[] = [];
  if (system) {
    parts.push(`CPU ${number(Math.round(system.cpu_percent))} %`);
    parts.push(
      `RAM ${bytes(system.rss_bytes)} (machine ${Math.round(system.ram_percent)} %)`,
    );
  }
  if (run?.ghost)
    parts.push(`grey: ${run.ghost.name}, the best earlier run of this cell`);
  if (model.marks.size > 0)
    parts.push('◆ a saved checkpoint: click a curve to load the one before');
  const hidden = model.families().length - CHARTS_MAX;
  if (hidden > 0) parts.push(`${hidden} more charts are not drawn`);
  return parts;
}
