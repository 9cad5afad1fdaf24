/** The side bar: yesterday's runs without a cell, live while it is open. */

import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Widget } from '@lumino/widgets';
import * as React from 'react';
import { createPortal } from 'react-dom';
import type { AlertFeed } from '../alerts/feed';
import type { Api } from '../api/client';
import type { RunDetail, RunRow } from '../api/rows';
import { Ids } from '../commands/ids';
import { RunCard } from './card';
import { Choice } from './choice';
import { dragFrom } from './drag';
import { RunFeed } from './feed';
import { Head, Troubles } from './head';
import { runsIcon } from '../icon';
import { RunTree, type ListActions } from './list';
import { linesOf, type Line } from './tree';

const HOVER_MS = 350;
const CARD_PX = 320;

interface Card {
  run: RunDetail;
  top: number;
  left: number;
}

/** What is kept over a reload. */
export interface SideState {
  query: string;
  store: string;
  isGrouped: boolean;
  closed: string[];
}

export class RunsSidebar extends ReactWidget {
  readonly feed: RunFeed;
  readonly choice = new Choice();
  isGrouped = true;
  private readonly closed = new Set<string>();
  private card: Card | null = null;
  private hovering = 0;

  constructor(
    private readonly api: Api,
    private readonly commands: CommandRegistry,
    private readonly makePane: (runs: string[]) => Widget,
    private readonly save: (state: SideState) => void,
    private readonly alerts: AlertFeed,
    isBusy: () => boolean,
  ) {
    super();
    this.id = 'nbtrack-runs';
    this.title.caption = 'nbtrack: experiment runs';
    this.title.icon = runsIcon;
    this.addClass('nbt-sidebar');
    this.feed = new RunFeed(api, () => this.isVisible, isBusy);
    this.feed.changed.connect(this.onChange, this);
    this.choice.changed.connect(this.update, this);
    alerts.changed.connect(this.update, this);
  }

  override dispose(): void {
    this.feed.dispose();
    this.hover(null, null);
    super.dispose();
  }

  /** What the keys and the palette act on: those that are chosen, else the active. */
  get runs(): string[] {
    const chosen = this.choice.runs;
    if (chosen.length) return chosen;
    return this.rowOf(this.choice.active) ? [this.choice.active] : [];
  }

  rowOf(run: string): RunRow | undefined {
    return this.feed.rows.find((row) => row.id === run);
  }

  restore(state: SideState): void {
    this.isGrouped = state.isGrouped;
    for (const key of state.closed) this.closed.add(key);
    this.feed.ask({ query: state.query, store: state.store });
  }

  protected override onAfterShow(): void {
    this.feed.look();
  }

  protected override onBeforeHide(): void {
    this.hover(null, null);
  }

  protected override render(): React.JSX.Element {
    return <UseSignal signal={this.feed.changed}>{() => this.page()}</UseSignal>;
  }

  private page(): React.JSX.Element {
    const { feed } = this;
    return (
      <>
        <Head
          asked={feed.asked}
          stores={feed.stores}
          total={feed.total}
          isGrouped={this.isGrouped}
          error={feed.error}
          does={{
            ask: (part) => this.ask(part),
            group: (isGrouped) => this.group(isGrouped),
            refresh: () => this.refresh(),
            compareAll: () => this.compareAll(),
          }}
        />
        <Troubles stores={feed.stores} />
        {feed.isKnown && feed.rows.length === 0 ? this.nothing() : null}
        <RunTree
          lines={this.lines()}
          active={this.choice.active}
          sparks={feed.sparks}
          isChosen={(run) => this.choice.has(run)}
          alertsOf={(run) => this.alerts.unseen(run)}
          storeName={this.storeName}
          does={this.does}
        />
        {this.choice.runs.length ? this.chosenBar() : null}
        {this.card ? createPortal(this.hoverCard(this.card), document.body) : null}
      </>
    );
  }

  private hoverCard(card: Card): React.JSX.Element {
    const own = this.alerts.alerts.filter((alert) => alert.run === card.run.id);
    return <RunCard {...card} alerts={own} />;
  }

  private nothing(): React.JSX.Element {
    const { asked, stores } = this.feed;
    const text = asked.query
      ? 'No run answers to this.'
      : asked.trashed
        ? 'The trash is empty.'
        : stores.length
          ? 'No runs yet. Put %%track on a cell of a notebook and run it.'
          : 'No store yet. Put %%track on a cell of a notebook and run it.';
    return <p className="nbt-nothing">{text}</p>;
  }

  private chosenBar(): React.JSX.Element {
    const n = this.choice.runs.length;
    const button = (text: string, command: string): React.JSX.Element => (
      <button
        type="button"
        key={command}
        disabled={!this.commands.isEnabled(command)}
        onClick={() => void this.commands.execute(command)}
      >
        {text}
      </button>
    );
    return (
      <footer className="nbt-chosen" aria-label="Selected runs">
        <span role="status">{n} selected</span>
        {button('Compare', Ids.compare)}
        {button('Tag', Ids.tag)}
        {this.feed.asked.trashed
          ? button('Restore', Ids.restore)
          : button('Trash', Ids.trash)}
        <button type="button" onClick={() => this.choice.set([])}>
          Clear
        </button>
      </footer>
    );
  }

  private lines(): Line[] {
    return linesOf(this.feed.rows, this.isGrouped, this.closed);
  }

  private readonly storeName = (store: string): string => {
    if (this.feed.stores.length < 2 || this.feed.asked.store) return '';
    return this.feed.stores.find((one) => one.id === store)?.name ?? '';
  };

  private readonly does: ListActions = {
    focus: (line) => this.choice.focus(line),
    open: (run) => {
      this.hover(null, null);
      void this.commands.execute(Ids.open, { run });
    },
    toggle: (run) => this.choice.toggle(run),
    star: (run, on) => void this.commands.execute(Ids.star, { run, on }),
    context: (run) => this.aim(run),
    fold: (group) => this.fold(group),
    hover: (run, line) => this.hover(run, line),
    drag: (run, event) => this.drag(run, event),
    inView: (lines, isAtEnd) => {
      this.feed.show(lines.flatMap((line) => (line.kind === 'run' ? [line.run] : [])));
      if (isAtEnd) this.feed.more();
    },
    key: (event, line) => this.onKey(event, line),
  };

  private onKey(event: React.KeyboardEvent, line: Line): void {
    if (event.key === 'Escape' && this.card) this.hover(null, null);
    else if (event.key === 'Escape') this.choice.set([]);
    else if (line.kind === 'run') this.onRunKey(event, line.run);
    else if (foldKeys(line.isOpen).includes(event.key)) this.fold(line.key);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private onRunKey(event: React.KeyboardEvent, { id, starred }: RunRow): void {
    const run = (command: string, more = {}): void =>
      void this.commands.execute(command, { run: id, ...more });
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Enter') run(Ids.open);
    if (event.key === ' ') this.choice.toggle(id);
    if (event.key === 's') run(Ids.star, { on: !starred });
    if (event.key === 'F2') run(Ids.rename);
    if (event.key === 'Delete') void this.commands.execute(Ids.trash); // all selected
  }

  /** The menu is for the run below the mouse, and for all selected if it is one. */
  private aim(run: string): void {
    if (!this.choice.has(run)) this.choice.set([]);
    this.choice.focus(run);
  }

  private drag(run: string, event: React.MouseEvent): void {
    const chosen = this.choice.has(run) ? this.choice.runs : [run];
    const text = chosen.length > 1 ? `${chosen.length} runs` : this.rowOf(run)?.name;
    dragFrom(event, text ?? run, () => this.makePane(chosen));
  }

  private fold(group: string): void {
    if (!this.closed.delete(group)) this.closed.add(group);
    this.remember();
    this.update();
  }

  private group(isGrouped: boolean): void {
    this.isGrouped = isGrouped;
    this.remember();
    this.update();
  }

  private ask(part: Partial<RunFeed['asked']>): void {
    this.feed.ask(part);
    this.remember();
    this.update();
  }

  private refresh(): void {
    this.feed.forget();
    this.feed.look();
  }

  private compareAll(): void {
    const { query } = this.feed.asked;
    void this.commands.execute(Ids.compare, { state: { query } });
  }

  private remember(): void {
    const { query, store } = this.feed.asked;
    const { isGrouped } = this;
    this.save({ query, store, isGrouped, closed: [...this.closed] });
  }

  private onChange(): void {
    this.alerts.wake(); // a run may have begun that no notebook knows of
    this.choice.keep(new Set(this.feed.rows.map((run) => run.id)));
    this.update();
  }

  private hover(run: string | null, line: HTMLElement | null): void {
    clearTimeout(this.hovering);
    if (this.card) {
      this.card = null;
      this.update();
    }
    if (run === null || line === null) return;
    this.hovering = window.setTimeout(() => void this.showCard(run, line), HOVER_MS);
  }

  private async showCard(run: string, line: HTMLElement): Promise<void> {
    const found = await this.api.run(run).catch(() => null);
    if (!found || !line.isConnected || !line.matches(':hover')) return;
    const { top } = line.getBoundingClientRect();
    const side = this.node.getBoundingClientRect();
    const isLeft = side.left < window.innerWidth / 2;
    const left = isLeft ? side.right + 6 : side.left - CARD_PX - 6;
    this.card = { run: found, top: Math.min(top, window.innerHeight - 300), left };
    this.update();
  }
}

function foldKeys(isOpen: boolean): string[] {
  return ['Enter', ' ', isOpen ? 'ArrowLeft' : 'ArrowRight'];
}
