/** The page that compares runs: the table and curves of `%compare`, and the diff. */

import { ReactWidget } from '@jupyterlab/ui-components';
import { Poll } from '@lumino/polling';
import { Signal, type ISignal } from '@lumino/signaling';
import { PanelLayout, Widget } from '@lumino/widgets';
import * as React from 'react';
import { isUnchanged, wordsOf, type Api } from '../api/client';
import type { RunDiff } from '../api/rows';
import { compareIcon } from '../icon';
import { mountCompare, type ComparePanel } from '../shared/compare/panel';
import type { State } from '../shared/compare/wire';
import { Conversation } from './conversation';
import { DiffView } from './diffView';

const EVERY_MS = 3000; // 5,000 runs take the server 0.2 s
const BACKOFF_MAX_MS = 15_000;

export class ComparePane extends Widget {
  state: Partial<State>;
  private readonly table = new Widget();
  private readonly diff: DiffPane;
  private readonly tabs: Tabs;
  private readonly panel: ComparePanel;
  private readonly conversation: Conversation;
  private readonly poll: Poll;
  private readonly changes = new Signal<this, void>(this);
  private version = '';

  constructor(
    private readonly api: Api,
    open: Partial<State>,
    isDiff = false,
  ) {
    super();
    this.state = open;
    this.addClass('nbt-compare-pane');
    this.title.icon = compareIcon;
    this.title.label = 'Compare runs';
    this.title.closable = true;
    this.diff = new DiffPane(api);
    this.tabs = new Tabs((isOn) => this.showDiff(isOn));
    this.conversation = new Conversation(
      api,
      open,
      () => this.panel.from,
      (state) => this.took(state),
      (ids, names) => this.diff.name(ids, names),
    );
    this.panel = mountCompare(this.table.node, (said) => this.conversation.send(said));
    this.poll = this.polled();
    const layout = (this.layout = new PanelLayout());
    for (const part of [this.tabs, this.table, this.diff]) layout.addWidget(part);
    this.table.addClass('nbt-compare-table');
    this.showDiff(isDiff);
  }

  /** The state is another one: it is to be kept for the next reload. */
  get stateChanged(): ISignal<this, void> {
    return this.changes;
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.poll.dispose();
    this.conversation.dispose();
    this.panel.dispose();
    Signal.clearData(this);
    super.dispose();
  }

  private took(state: State): void {
    this.state = state;
    const runs = state.selected.length >= 2 ? state.selected : state.runs;
    this.diff.offer([...new Set([state.baseline, ...runs].filter(Boolean))]);
    this.changes.emit();
  }

  private showDiff(isOn: boolean): void {
    this.tabs.set(isOn);
    this.table.setHidden(isOn);
    this.diff.setHidden(!isOn);
  }

  private polled(): Poll {
    return new Poll({
      name: 'nbtrack:compare',
      factory: () => this.look(),
      frequency: { interval: EVERY_MS, backoff: true, max: BACKOFF_MAX_MS },
      standby: () => (this.isVisible ? 'when-hidden' : true),
    });
  }

  /** Read the stores again where one of them has changed. */
  private async look(): Promise<void> {
    const answer = await this.api.runsSince(this.version, { limit: '1' });
    const isFirst = this.version === '';
    this.version = answer.version;
    if (!isUnchanged(answer) && !isFirst) this.conversation.send({ type: 'refresh' });
  }
}

/** Table and curves, or the diff. */
class Tabs extends ReactWidget {
  private isDiff = false;

  constructor(private readonly pick: (isDiff: boolean) => void) {
    super();
    this.addClass('nbt-tabs');
  }

  set(isDiff: boolean): void {
    this.isDiff = isDiff;
    this.update();
  }

  protected override render(): React.JSX.Element {
    const tab = (text: string, isDiff: boolean): React.JSX.Element => (
      <button
        type="button"
        role="tab"
        aria-selected={this.isDiff === isDiff}
        onClick={() => this.pick(isDiff)}
      >
        {text}
      </button>
    );
    return (
      <div role="tablist" aria-label="Comparison">
        {tab('Table and curves', false)}
        {tab('Diff of two runs', true)}
      </div>
    );
  }
}

/** The diff of two of the runs that are selected in the table. */
class DiffPane extends ReactWidget {
  private runs: string[] = [];
  private names = new Map<string, string>();
  private pair: [string, string] | null = null;
  private diff: RunDiff | null = null;
  private error = '';
  private asked = '';

  constructor(private readonly api: Api) {
    super();
    this.addClass('nbt-diff-pane');
  }

  /** What the runs of the table are called. */
  name(ids: readonly string[], names: readonly string[]): void {
    this.names = new Map(ids.map((id, i) => [id, names[i] ?? id]));
    this.update();
  }

  /** The runs from which two are picked: the first two, until somebody picks. */
  offer(runs: string[]): void {
    if (runs.join() === this.runs.join()) return;
    this.runs = runs;
    const [a, b] = this.pair ?? [];
    if (!a || !b || !runs.includes(a) || !runs.includes(b))
      this.pair = runs[0] && runs[1] ? [runs[0], runs[1]] : null;
    void this.load();
  }

  protected override onAfterShow(): void {
    void this.load();
  }

  protected override render(): React.JSX.Element {
    if (!this.pair)
      return (
        <p className="nbt-nothing">Select two runs in the table to see what differs.</p>
      );
    return (
      <>
        <div className="nbt-diff-pick">
          {this.picker('A', 0)}
          {this.picker('B', 1)}
        </div>
        {this.error ? <p className="nbt-problem">{this.error}</p> : null}
        {this.diff ? <DiffView diff={this.diff} /> : null}
      </>
    );
  }

  private picker(label: string, side: 0 | 1): React.JSX.Element {
    return (
      <label>
        {label}{' '}
        <select
          value={this.pair?.[side]}
          onChange={(event) => this.pick(side, event.target.value)}
        >
          {this.runs.map((run) => (
            <option key={run} value={run}>
              {this.names.get(run) ?? run}
            </option>
          ))}
        </select>
      </label>
    );
  }

  private pick(side: 0 | 1, run: string): void {
    if (!this.pair) return;
    this.pair[side] = run;
    void this.load();
  }

  /** Only what is looked at is asked for, and once. */
  private async load(): Promise<void> {
    this.update();
    const wanted = this.pair?.join() ?? '';
    if (!this.pair || this.isHidden || wanted === this.asked) return;
    this.asked = wanted;
    try {
      const diff = await this.api.diff(...this.pair);
      if (this.asked !== wanted) return;
      [this.diff, this.error] = [diff, ''];
    } catch (reason) {
      this.error = wordsOf(reason);
    }
    if (!this.isDisposed) this.update();
  }
}
