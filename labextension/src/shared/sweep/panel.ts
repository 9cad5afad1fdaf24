/**
 * The panel of a sweep: the form that launches it, and the monitor that follows it.
 *
 * It knows no host: whoever mounts it hands it a way to say something to the kernel and
 * feeds it what comes back. Without a form (a sweep that runs as a cell) it is the
 * monitor alone.
 */

import { copyButton } from '../copy';
import { FrameScheduler, h, setAttribute, setText } from '../dom';
import { ensureStyle } from '../style';
import { isDarkPage } from '../theme';
import type { Disposable } from '../wire';
import { Board } from './board';
import { BestCurve } from './curve';
import { Form, show } from './form';
import { Outbox } from './outbox';
import { SWEEP_CSS } from './style';
import {
  type Command,
  type FormState,
  type FromKernel,
  type SweepState,
  type Message,
  type ToKernel,
} from './wire';

const CHARTS = {
  importances: 'importance',
  parallel: 'parallel coordinates',
  contour: 'contour',
  slice: 'slice',
};
const ANSWER_MS = 4000; // a button that is not answered by then can be pressed again

export interface SweepPanel extends Disposable {
  readonly from: FromKernel;
}

/** Mount the panel into `el`; feed `from` with what the kernel says. */
export function mountSweep(
  el: HTMLElement,
  send: (message: ToKernel) => void,
): SweepPanel {
  return new Panel(el, send);
}

class Panel implements SweepPanel {
  readonly from: FromKernel;
  private readonly root = h('section', { class: 'nbt-panel nbt-sweep', 'aria-label': 'Sweep' }); // prettier-ignore
  private readonly progress = h('div');
  private readonly bar = h('div', { class: 'nbt-progress', role: 'progressbar', 'aria-label': 'Trials that have ended' }, this.progress); // prettier-ignore
  private readonly dot = h('span', { class: 'nbt-dot', 'aria-hidden': 'true' });
  private readonly headline = h('span', { class: 'nbt-headline', role: 'status' });
  private readonly pause = this.button('Pause', 'nbt-copy', () => this.pressPause());
  private readonly stop = this.button('Stop', 'nbt-stop', () => this.press('stop'));
  private readonly head = h(
    'div',
    { class: 'nbt-head' },
    h('div', { class: 'nbt-title' }, this.dot, this.headline),
    h('div', { class: 'nbt-controls' }, this.pause, this.stop),
  );
  private readonly summary = h('summary', {});
  private readonly launcher = h('details', { class: 'nbt-launcher', open: '' });
  private readonly formPart: Form;
  private readonly notes = h('div', { class: 'nbt-notes' });
  private readonly error = h('div', { class: 'nbt-error', role: 'alert' });
  private readonly curve = new BestCurve();
  private readonly curveBox: HTMLElement;
  private readonly curveTitle = h('div', { class: 'nbt-chart-title' });
  private readonly board: Board;
  private readonly charts = h('div', { class: 'nbt-charts-row' });
  private readonly said = h('div', { class: 'nbt-said', role: 'status' });
  private readonly cell = h('div', { class: 'nbt-cell-text' });
  private readonly code = h('code', { class: 'nbt-load' });
  private readonly scheduler = new FrameScheduler(() => this.draw());
  private readonly sizes = new ResizeObserver(() => this.scheduler.request());
  private readonly theme = new MutationObserver(() => this.markTheme());
  private readonly outbox: Outbox;
  private formState: FormState | null = null;
  private sweep: SweepState | null = null;
  private readonly pressed = new Set<Command>();

  constructor(el: HTMLElement, send: (message: ToKernel) => void) {
    this.outbox = new Outbox(send);
    this.formPart = new Form({
      change: (form) => this.say({ type: 'form', form }),
      start: () => this.press('start'),
    });
    this.board = new Board((number) => this.say({ type: 'promote', number }));
    this.launcher.append(this.summary, this.formPart.element);
    this.curveBox = h('div', { class: 'nbt-curve-box' }, this.curveTitle);
    this.curveBox.append(this.curve.element);
    this.addCharts();
    this.root.append(this.bar, this.head, this.notes, this.error, this.launcher);
    this.root.append(this.curveBox, this.board.element, this.charts);
    this.root.append(this.said, this.cell);
    this.root.append(h('div', { class: 'nbt-line' }, this.code, copyButton(this.code)));
    el.append(this.root);
    ensureStyle(this.root, 'nbt-sweep-style', SWEEP_CSS);
    ensureStyle(this.root);
    this.from = this.listeners();
    this.sizes.observe(this.root);
    this.theme.observe(document.body, { attributes: true });
    this.markTheme();
    this.draw();
    this.say({ type: 'hello' });
  }

  dispose(): void {
    this.outbox.dispose();
    this.scheduler.dispose();
    this.sizes.disconnect();
    this.theme.disconnect();
    this.root.remove();
  }

  private listeners(): FromKernel {
    return {
      form: (form) => {
        this.formState = form;
        if (form.problem !== '') this.pressed.delete('start');
        this.scheduler.request();
      },
      sweep: (sweep) => {
        const isOther = this.sweep?.name !== sweep.name;
        // The form stays as it was opened; a new sweep takes its place.
        if (isOther) this.launcher.open = false;
        if (isOther || sweep.is_over) this.pressed.clear();
        this.sweep = sweep;
        this.scheduler.request();
      },
      heard: (id) => this.outbox.heard(id),
      said: (text, isError) => {
        show(this.said, text);
        this.said.toggleAttribute('data-error', isError);
      },
      cell: (number, text) => this.showCell(number, text),
      chart: (chart, code) => this.showCharted(chart, code),
    };
  }

  private draw(): void {
    const { sweep, formState } = this;
    this.launcher.hidden = formState === null;
    const isRunning = sweep !== null && !sweep.is_over;
    setText(this.summary, sweep ? 'Sweep this cell again' : 'Sweep this cell');
    if (formState)
      this.formPart.update(formState, isRunning || this.isPressed('start'));
    const line = (isRunning || !formState ? sweep?.line : formState.line) ?? '';
    setText(this.code, line);
    (this.code.parentElement as HTMLElement).hidden = line === '';
    for (const part of [
      this.bar,
      this.head,
      this.notes,
      this.curveBox,
      this.board.element,
    ])
      // prettier-ignore
      part.hidden = sweep === null;
    show(this.error, sweep ? trouble(sweep) : '');
    this.charts.hidden = !sweep?.has_kernel || sweep.curve.length < 2;
    if (sweep) this.drawSweep(sweep, isRunning);
  }

  private drawSweep(sweep: SweepState, isRunning: boolean): void {
    const isPaused = sweep.state === 'paused';
    setText(this.headline, sweep.headline);
    setAttribute(this.dot, 'data-status', isPaused ? 'stopped' : sweep.state);
    const share = sweep.n ? Math.min(1, sweep.n_done / sweep.n) : 0;
    this.progress.style.width = `${100 * (sweep.is_over ? 0 : share)}%`;
    setAttribute(this.bar, 'aria-valuenow', String(sweep.n_done));
    setAttribute(this.bar, 'aria-valuemax', String(sweep.n ?? sweep.n_done));
    this.pause.hidden = this.stop.hidden = !isRunning;
    setText(this.pause, this.isPaused() ? 'Go on' : 'Pause');
    setText(this.stop, this.isPressed('stop') ? 'Stopping' : 'Stop');
    this.stop.disabled = this.isPressed('stop');
    const waits = isRunning && sweep.rows.length === 0;
    const notes = waits ? [...sweep.notes, 'Getting ready: the first trial runs twice, to see that trials are independent.'] : sweep.notes; // prettier-ignore
    this.notes.replaceChildren(...notes.map((note) => h('div', {}, note)));
    this.curveBox.hidden = sweep.curve.length === 0;
    setText(this.curveTitle, `best ${sweep.metric} so far`);
    const width = this.root.clientWidth - 24; // its padding
    this.curve.update(sweep.curve, sweep.goal, sweep.metric, width);
    this.board.update(sweep);
  }

  private say(message: Message): void {
    this.outbox.say(message);
  }

  // ---- buttons

  private button(text: string, kind: string, press: () => void): HTMLButtonElement {
    const button = h('button', { type: 'button', class: kind }, text);
    button.addEventListener('click', press);
    return button;
  }

  private pressPause(): void {
    const isPaused = this.isPaused();
    this.press(isPaused ? 'go_on' : 'pause');
    this.pressed.delete(isPaused ? 'pause' : 'go_on');
    this.scheduler.request();
  }

  /** What was pressed counts until the kernel has said how it stands. */
  private isPaused(): boolean {
    if (this.isPressed('pause')) return true;
    return !this.isPressed('go_on') && this.sweep?.state === 'paused';
  }

  private press(command: Command): void {
    this.pressed.add(command);
    show(this.said, '');
    this.say({ type: command });
    this.scheduler.request();
    // Trials that run go on in a pause: it shows only when they have ended.
    if (command === 'pause') return;
    setTimeout(() => {
      this.pressed.delete(command);
      this.scheduler.request();
    }, ANSWER_MS);
  }

  private isPressed(command: Command): boolean {
    return this.pressed.has(command);
  }

  // ---- charts, cells

  private addCharts(): void {
    const buttons = Object.entries(CHARTS).map(([chart, name]) =>
      this.button(name, 'nbt-copy', () => {
        show(this.said, 'drawing …');
        this.say({ type: 'chart', chart });
      }),
    );
    this.charts.append(h('span', { class: 'nbt-muted' }, 'charts'), ...buttons);
  }

  private showCharted(chart: string, code: string): void {
    const line = h('code', { class: 'nbt-load' }, code);
    this.said.replaceChildren(`${chart} below, as `, line, ' ', copyButton(line));
    this.said.hidden = false;
    this.said.removeAttribute('data-error');
  }

  private showCell(number: number, text: string): void {
    const code = h('code', {}, text);
    const close = this.button('×', 'nbt-close', () => (this.cell.hidden = true));
    close.setAttribute('aria-label', 'Close');
    const head = h('div', { class: 'nbt-rest' }, h('span', {}, `Trial ${number} as a cell:`), copyButton(code), close); // prettier-ignore
    this.cell.replaceChildren(head, h('pre', {}, code));
    this.cell.hidden = false;
  }

  private markTheme(): void {
    const isDark = isDarkPage(this.root.parentElement ?? this.root);
    this.root.dataset['dark'] = String(isDark);
    const isJupyter = document.body.dataset['jpThemeLight'] !== undefined;
    this.root.toggleAttribute('data-jp', isJupyter);
  }
}

/** Why it failed; where it never came to a trial, what to do instead. */
function trouble({ error, state, rows, line, has_kernel }: SweepState): string {
  if (error === '') return '';
  const isRefused = state === 'failed' && rows.length === 0 && has_kernel;
  return isRefused ? `${error} — or run it as a cell: ${line}` : error;
}
