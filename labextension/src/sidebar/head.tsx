/** What stands above the runs: the search, which store, how they are grouped. */

import { refreshIcon, type LabIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import type { StoreRow } from '../api/rows';
import { compareIcon } from '../icon';
import type { Asked } from './feed';

export interface HeadProps {
  asked: Asked;
  stores: readonly StoreRow[];
  total: number;
  isGrouped: boolean;
  error: string;
  does: HeadActions;
}

export interface HeadActions {
  ask(part: Partial<Asked>): void;
  group(isGrouped: boolean): void;
  refresh(): void;
  compareAll(): void;
}

const TYPED_MS = 300; // after the last key the runs are asked for

export function Head(props: HeadProps): React.JSX.Element {
  const { asked, does } = props;
  return (
    <header className="nbt-side-head">
      <div className="nbt-side-title">
        <h2>Runs</h2>
        <span className="nbt-quiet" role="status">
          {counted(props.total, asked.query !== '')}
        </span>
        <Tool icon={refreshIcon} title="Ask the stores again" onClick={does.refresh} />
        <Tool icon={compareIcon} title="Compare these runs" onClick={does.compareAll} />
      </div>
      <Search query={asked.query} error={props.error} ask={does.ask} />
      <div className="nbt-side-tools">
        <Which stores={props.stores} asked={asked} ask={does.ask} />
        <Toggle
          isOn={props.isGrouped}
          text="By cell"
          title="Runs under their notebook and cell, or one below the other"
          onClick={() => does.group(!props.isGrouped)}
        />
        <Toggle
          isOn={asked.trashed}
          text="Trash"
          title="The runs in the trash instead of the others"
          onClick={() => does.ask({ trashed: !asked.trashed })}
        />
      </div>
    </header>
  );
}

function Search(props: {
  query: string;
  error: string;
  ask: HeadActions['ask'];
}): React.JSX.Element {
  const [text, setText] = React.useState(props.query);
  React.useEffect(() => setText(props.query), [props.query]);
  React.useEffect(() => {
    if (text === props.query) return undefined;
    const typed = setTimeout(() => props.ask({ query: text.trim() }), TYPED_MS);
    return () => clearTimeout(typed);
  }, [text]);
  return (
    <>
      <input
        type="search"
        className="nbt-search"
        aria-label="Search runs"
        aria-invalid={props.error !== ''}
        aria-describedby="nbt-search-error"
        placeholder="val_acc > .9 and lr < .1"
        title={'The query language of %runs: loss < .3 and "base" in tags'}
        value={text}
        spellCheck={false}
        onChange={(event) => setText(event.target.value)}
      />
      <p id="nbt-search-error" className="nbt-problem" role="alert">
        {props.error}
      </p>
    </>
  );
}

/** Which store; said only where there are several. */
function Which(props: {
  stores: readonly StoreRow[];
  asked: Asked;
  ask: HeadActions['ask'];
}): React.JSX.Element {
  if (props.stores.length < 2) return <span className="nbt-side-gap" />;
  return (
    <select
      className="nbt-which"
      aria-label="Store"
      value={props.asked.store}
      onChange={(event) => props.ask({ store: event.target.value })}
    >
      <option value="">All {props.stores.length} stores</option>
      {props.stores.map((store) => (
        <option key={store.id} value={store.id} title={store.where}>
          {store.name}
          {store.state === 'ok' ? ` (${store.n_runs})` : ` (${store.state})`}
        </option>
      ))}
    </select>
  );
}

/** What is wrong with stores; the others are shown all the same. */
export function Troubles({
  stores,
}: {
  stores: readonly StoreRow[];
}): React.JSX.Element {
  const troubled = stores.filter((store) => store.state !== 'ok');
  return (
    <ul className="nbt-troubles" aria-label="Stores with a problem">
      {troubled.map((store) => (
        <li
          key={store.id}
          title={`${store.where}\n${store.message ?? store.state}`}
          data-state={store.state}
        >
          <strong>{store.name}</strong> {store.message ?? store.state}
        </li>
      ))}
    </ul>
  );
}

interface Pressed {
  title: string;
  onClick: () => void;
}

function Tool({ icon, ...told }: Pressed & { icon: LabIcon }): React.JSX.Element {
  return (
    <button type="button" className="nbt-tool" aria-label={told.title} {...told}>
      <icon.react tag="span" width="16px" height="16px" />
    </button>
  );
}

function Toggle({
  text,
  isOn,
  ...told
}: Pressed & { isOn: boolean; text: string }): React.JSX.Element {
  return (
    <button type="button" className="nbt-toggle" aria-pressed={isOn} {...told}>
      {text}
    </button>
  );
}

function counted(n: number, isFiltered: boolean): string {
  if (n === 0) return '';
  return isFiltered ? `${n} found` : String(n);
}
