/**
 * The alerts of a run in its panel: a toast for each that comes while somebody looks, a
 * bell with the list of all. The mirror of `nbtrack/analysis/alerts.py`.
 */

import { h, setAttribute, setText } from './dom';
import { number } from './format';
import type { PanelModel } from './model';
import type { AlertMeta, Level, RunMeta } from './wire';

const TOASTS_MAX = 3; // the others are behind the bell
const INFO_MS = 12_000; // what is only good to know goes by itself
const NEW_S = 60; // as old may be what came before the panel was there
const RANKS: readonly Level[] = ['info', 'warn', 'error'];
const BELL =
  'M8 1.5a1 1 0 0 1 1 1v.6a4.2 4.2 0 0 1 3.2 4.1v3l1.3 1.8v.8h-11V12l1.3-1.8v-3' +
  'A4.2 4.2 0 0 1 7 3.1v-.6a1 1 0 0 1 1-1zM6.4 13.6h3.2a1.6 1.6 0 0 1-3.2 0z';

let nLists = 0;

/** The alert in one line, with the step where it has one. */
export function alertLine(alert: { title: string; step: number | null }): string {
  return alert.step === null
    ? alert.title
    : `${alert.title} @ step ${number(alert.step)}`;
}

/** The level that matters most among these. */
export function worst(alerts: Iterable<{ level: Level }>): Level {
  const ranks = [...alerts].map(({ level }) => RANKS.indexOf(level));
  return RANKS[Math.max(0, ...ranks)] ?? 'info';
}

export class Alerts {
  readonly bell = h('button', { class: 'nbt-bell', type: 'button', hidden: '' });
  readonly list = h('ul', { class: 'nbt-alerts', 'aria-label': 'Alerts', hidden: '' });
  readonly toasts = h('div', { class: 'nbt-toasts' });
  private readonly count = h('span');
  private readonly known = new Set<string>();
  private isFirst = true;
  private drawn = '';

  constructor(private readonly model: PanelModel) {
    this.list.id = `nbt-alerts-${(nLists += 1)}`;
    this.bell.setAttribute('aria-label', 'Alerts');
    this.bell.setAttribute('aria-controls', this.list.id);
    this.bell.setAttribute('aria-expanded', 'false');
    this.bell.append(bellIcon(), this.count);
    this.bell.addEventListener('click', () => this.toggle());
  }

  update(run: RunMeta): void {
    const all = [...this.model.alerts.values()];
    for (const alert of all) {
      if (this.known.has(alert.key)) continue;
      this.known.add(alert.key);
      if (!this.isFirst || isNew(run, alert)) this.toast(alert);
    }
    this.isFirst = false;
    const keys = all.map(({ key }) => key).join('\n\n');
    if (keys === this.drawn) return;
    this.drawn = keys;
    this.draw(all);
  }

  private draw(all: readonly AlertMeta[]): void {
    this.bell.hidden = all.length === 0;
    this.list.hidden &&= true;
    setText(this.count, String(all.length));
    setAttribute(this.bell, 'data-level', worst(all));
    const said = all.length === 1 ? '1 alert' : `${all.length} alerts`;
    setAttribute(this.bell, 'aria-label', said);
    setAttribute(this.bell, 'title', said);
    this.list.replaceChildren(...all.map(lineOf).reverse());
  }

  private toggle(): void {
    this.list.hidden = !this.list.hidden;
    setAttribute(this.bell, 'aria-expanded', String(!this.list.hidden));
    if (this.list.hidden) return;
    this.toasts.replaceChildren(); // all of them stand in the list
  }

  private toast(alert: AlertMeta): void {
    const close = h('button', { class: 'nbt-close', type: 'button' }, '×');
    close.setAttribute('aria-label', `Dismiss: ${alert.title}`);
    const toast = h(
      'div',
      {
        class: 'nbt-toast',
        'data-level': alert.level,
        role: alert.level === 'error' ? 'alert' : 'status',
      },
      h(
        'div',
        { class: 'nbt-toast-said' },
        h('b', {}, alertLine(alert)),
        ...text(alert),
      ),
      close,
    );
    close.addEventListener('click', () => toast.remove());
    toast.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') toast.remove();
    });
    this.toasts.prepend(toast);
    while (this.toasts.children.length > TOASTS_MAX) this.toasts.lastChild?.remove();
    if (alert.level === 'info') setTimeout(() => toast.remove(), INFO_MS);
  }
}

/** Whether it came so lately that who opens the panel has not seen it. */
function isNew(run: RunMeta, alert: AlertMeta): boolean {
  const now = run.started_at + run.elapsed_s;
  return run.status === 'running' && now - alert.at < NEW_S;
}

function lineOf(alert: AlertMeta): HTMLElement {
  const at = new Date(alert.at * 1000);
  return h(
    'li',
    { 'data-level': alert.level },
    h('time', { datetime: at.toISOString() }, at.toLocaleTimeString()),
    h('b', {}, alertLine(alert)),
    ...text(alert),
  );
}

function text(alert: AlertMeta): HTMLElement[] {
  return alert.text ? [h('span', { class: 'nbt-muted' }, alert.text)] : [];
}

function bellIcon(): SVGElement {
  const make = (tag: string, props: Record<string, string>): SVGElement => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [name, value] of Object.entries(props))
      element.setAttribute(name, value);
    return element;
  };
  const icon = make('svg', { viewBox: '0 0 16 16', 'aria-hidden': 'true' });
  icon.append(make('path', { d: BELL, fill: 'currentColor' }));
  return icon;
}
