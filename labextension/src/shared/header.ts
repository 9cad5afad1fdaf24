/** The panel's first lines: name, status, times, progress, best so far, Stop. */

import { Alerts } from './alerts';
import { h, setAttribute, setText } from './dom';
import { duration, number } from './format';
import type { PanelModel } from './model';
import type { MetricMeta, PanelActions, RunMeta } from './wire';
import { STEP, choices, key, type XChoice } from './xaxis';

export class Header {
  readonly element = h('div', { class: 'nbt-top' });
  private readonly bar = h('div');
  private readonly progress = h(
    'div',
    { class: 'nbt-progress', role: 'progressbar', 'aria-label': 'Progress' },
    this.bar,
  );
  private readonly dot = h('span', { class: 'nbt-dot', 'aria-hidden': 'true' });
  private readonly name = h('span', { class: 'nbt-name' }, '…');
  private readonly status = h('span', { class: 'nbt-muted', 'aria-live': 'polite' });
  private readonly grade = h('span', { class: 'nbt-grade', hidden: '' });
  private readonly time = h('span', { class: 'nbt-time' });
  private readonly select = h('select');
  private readonly stop = h('button', { class: 'nbt-stop', type: 'button' }, 'Stop');
  private readonly best = h('div', { class: 'nbt-best' });
  private readonly error = h('div', { class: 'nbt-error', hidden: '' });
  private readonly alerts: Alerts;
  private stopPressed = false;

  constructor(
    private readonly model: PanelModel,
    actions: PanelActions,
    onChoice: (choice: XChoice) => void,
  ) {
    const alerts = (this.alerts = new Alerts(model));
    const x = h('label', { class: 'nbt-x' }, 'x', this.select);
    this.element.append(
      this.progress,
      h(
        'div',
        { class: 'nbt-head' },
        h('div', { class: 'nbt-title' }, this.dot, this.name, this.status, this.grade),
        this.time,
        h('div', { class: 'nbt-controls' }, alerts.bell, x, this.stop),
      ),
      this.best,
      this.error,
      alerts.list,
      alerts.toasts,
    );
    this.select.addEventListener('change', () => onChoice(this.chosen()));
    this.stop.addEventListener('click', () => this.press(actions));
    if (!actions.stop) this.stop.hidden = true;
  }

  /** Everything that changes with a frame. */
  update(choice: XChoice): void {
    const run = this.model.run;
    if (!run) return;
    setText(this.name, run.name);
    setAttribute(this.name, 'title', run.name);
    setAttribute(this.dot, 'data-status', run.status);
    setText(this.status, this.statusText(run));
    this.updateGrade(run);
    this.updateStop(run);
    this.updateChoices(choice);
    this.updateBest(run);
    this.error.hidden = !run.error;
    setText(this.error, lastLine(run.error ?? ''));
    this.alerts.update(run);
    this.tick(performance.now());
  }

  /** What changes with the clock alone. */
  tick(now: number): void {
    const run = this.model.run;
    if (!run) return;
    const left = this.model.remaining(now);
    const parts = [duration(this.model.elapsed(now))];
    if (left !== null) parts.push(`about ${duration(left)} left`);
    const progress = run.progress;
    if (progress)
      parts.push(`${progress.axis} ${number(progress.done)}/${number(progress.total)}`);
    setText(this.time, parts.join(' · '));
    this.updateProgress(run);
  }

  private press(actions: PanelActions): void {
    this.stopPressed = true;
    if (this.model.run) this.update(this.chosen());
    actions.stop?.();
  }

  private statusText(run: RunMeta): string {
    if (run.status === 'running' && (run.stopping || this.stopPressed))
      return 'stopping…';
    return run.reason ? `${run.status} · ${run.reason}` : run.status;
  }

  private updateGrade(run: RunMeta): void {
    // Of a kernel with an older nbtrack it is undefined.
    const { letter, why } = run.grade ?? { letter: '', why: [] };
    this.grade.hidden = !letter;
    setText(this.grade, letter ? `grade ${letter}` : '');
    setAttribute(this.grade, 'data-grade', letter);
    setAttribute(this.grade, 'title', why.join('\n'));
  }

  private updateStop(run: RunMeta): void {
    const isOver = run.status !== 'running';
    this.stop.hidden ||= isOver;
    // A second press must stay possible: it does not wait for the end of the epoch.
    setText(this.stop, this.stopPressed || run.stopping ? 'Stop now' : 'Stop');
    setAttribute(this.stop, 'aria-label', `Stop run ${run.name}`);
  }

  private updateChoices(choice: XChoice): void {
    const all = choices(this.model);
    const wanted = all.map(key).join('\n');
    if (this.select.dataset['keys'] !== wanted) {
      this.select.dataset['keys'] = wanted;
      this.select.replaceChildren(
        ...all.map((one) =>
          h('option', { value: key(one) }, one.kind === 'axis' ? one.name : one.kind),
        ),
      );
      this.select.setAttribute('aria-label', 'Horizontal axis');
    }
    if (this.select.value !== key(choice)) this.select.value = key(choice);
  }

  private chosen(): XChoice {
    const found = choices(this.model).find((one) => key(one) === this.select.value);
    return found ?? STEP;
  }

  private updateBest(run: RunMeta): void {
    const best = run.headline
      .map((name) => this.model.metrics.get(name))
      .filter((meta) => meta !== undefined && meta.best !== null) as MetricMeta[];
    const text = best
      .map((meta) => `${meta.name}=${meta.best}@${meta.best_step}`)
      .join();
    if (this.best.dataset['shows'] === text) return;
    this.best.dataset['shows'] = text;
    this.best.replaceChildren(...best.map(bestOf));
  }

  private updateProgress(run: RunMeta): void {
    const { done, total } = run.progress ?? { done: 0, total: 1 };
    const share = Math.min(1, Math.max(0, done / total));
    this.bar.style.width = `${(100 * share).toFixed(1)}%`;
    this.progress.style.visibility = run.progress ? 'visible' : 'hidden';
    setAttribute(this.progress, 'aria-valuenow', String(Math.round(100 * share)));
  }
}

function bestOf(meta: MetricMeta): HTMLElement {
  return h(
    'span',
    {},
    h('span', { class: 'nbt-muted' }, `best ${meta.name} `),
    h('b', {}, number(meta.best)),
    h('span', { class: 'nbt-muted' }, ` @ step ${number(meta.best_step)}`),
  );
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
