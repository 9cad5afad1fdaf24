/** The tree of runs: only the lines in view are in the page; keys do what clicks do. */

import * as React from 'react';
import type { AlertRow, Spark } from '../api/rows';
import { alertLine, worst } from '../shared/alerts';
import { sparkPath, SPARK_PX } from '../shared/spark';
import { number } from '../shared/format';
import type { Heading, Line, RunLine } from './tree';

export const LINE_PX = 26;
const AROUND = 6; // lines kept above and below the view
const INDENT_PX = 12;

export interface ListProps {
  lines: readonly Line[];
  active: string;
  sparks: ReadonlyMap<string, Spark>;
  isChosen: (run: string) => boolean;
  /** Alerts of a run that nobody has seen, the newest first. */
  alertsOf: (run: string) => readonly AlertRow[];
  /** Several stores are shown: a line says which one it is of. */
  storeName: (store: string) => string;
  does: ListActions;
}

export interface ListActions {
  focus(line: string): void;
  open(run: string): void;
  toggle(run: string): void;
  star(run: string, on: boolean): void;
  context(run: string): void;
  fold(group: string): void;
  hover(run: string | null, line: HTMLElement | null): void;
  drag(run: string, event: React.MouseEvent): void;
  inView(lines: readonly Line[], isAtEnd: boolean): void;
  key(event: React.KeyboardEvent, line: Line): void;
}

export function RunTree(props: ListProps): React.JSX.Element {
  const { lines, does } = props;
  const box = React.useRef<HTMLDivElement>(null);
  const [top, setTop] = React.useState(0);
  const height = useHeight(box);
  const first = Math.max(0, Math.floor(top / LINE_PX) - AROUND);
  const last = Math.ceil((top + height) / LINE_PX) + AROUND;
  const shown = lines.slice(first, last);
  const keys = shown.map((line) => line.key).join('\n');
  React.useEffect(() => does.inView(shown, last >= lines.length), [keys, lines.length]);
  useScrollTo(box, lines, props.active);
  return (
    <div
      ref={box}
      className="nbt-tree"
      role="tree"
      aria-label="Runs"
      aria-multiselectable="true"
      tabIndex={0}
      aria-activedescendant={props.active ? idOf(props.active) : undefined}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
      onMouseLeave={() => does.hover(null, null)}
      onKeyDown={(event) => onKey(event, props)}
    >
      <div role="presentation" style={{ height: lines.length * LINE_PX }}>
        <div
          role="presentation"
          style={{ transform: `translateY(${first * LINE_PX}px)` }}
        >
          {shown.map((line) =>
            line.kind === 'run' ? (
              <Run key={line.key} line={line} {...props} />
            ) : (
              <Group key={line.key} line={line} {...props} />
            ),
          )}
        </div>
      </div>
    </div>
  );
}

function Group(props: ListProps & { line: Heading }): React.JSX.Element {
  const { line, active, does } = props;
  const store = line.kind === 'notebook' ? props.storeName(line.store) : '';
  return (
    <div
      id={idOf(line.key)}
      role="treeitem"
      className={`nbt-item nbt-item-${line.kind}`}
      aria-level={line.level}
      aria-expanded={line.isOpen}
      aria-label={[line.text, store, `${line.n} runs`].filter(Boolean).join(', ')}
      data-active={line.key === active || undefined}
      style={{ paddingLeft: indent(line) }}
      onClick={() => {
        does.focus(line.key);
        does.fold(line.key);
      }}
    >
      <span className="nbt-fold" aria-hidden="true" data-open={line.isOpen} />
      <span className="nbt-item-name">{line.text}</span>
      <span className="nbt-item-store">{store}</span>
      <span className="nbt-item-n">{line.n}</span>
    </div>
  );
}

function Run(props: ListProps & { line: RunLine }): React.JSX.Element {
  const { line, active, does } = props;
  const { run } = line;
  const isChosen = props.isChosen(run.id);
  return (
    <div
      id={idOf(run.id)}
      role="treeitem"
      className="nbt-item nbt-run"
      aria-level={line.level}
      aria-selected={isChosen}
      aria-label={labelOf(props)}
      data-run={run.id}
      data-active={line.key === active || undefined}
      style={{ paddingLeft: indent(line) }}
      onClick={(event) => {
        does.focus(run.id);
        if (event.ctrlKey || event.metaKey || event.shiftKey) does.toggle(run.id);
        else does.open(run.id);
      }}
      onContextMenu={() => does.context(run.id)}
      onMouseDown={(event) => does.drag(run.id, event)}
      onMouseEnter={(event) => does.hover(run.id, event.currentTarget)}
    >
      <Mark
        className="nbt-box"
        isOn={isChosen}
        title={isChosen ? 'Take out of the selection (Space)' : 'Select (Space)'}
        onClick={() => does.toggle(run.id)}
      />
      <span className="nbt-dot" data-status={run.status} aria-hidden="true" />
      <span className="nbt-item-name">{run.name}</span>
      <AlertMark alerts={props.alertsOf(run.id)} />
      {line.level === 1 ? (
        <span className="nbt-item-store">{props.storeName(run.store)}</span>
      ) : null}
      <SparkLine spark={props.sparks.get(run.id)} />
      <span
        className="nbt-item-best"
        title={run.best?.name}
        data-value={run.best?.best}
      >
        {run.best ? number(run.best.best) : ''}
      </span>
      <Mark
        className="nbt-star-mark"
        isOn={run.starred}
        title={run.starred ? 'Remove the star (s)' : 'Star (s)'}
        text={run.starred ? '★' : '☆'}
        onClick={() => does.star(run.id, !run.starred)}
      />
    </div>
  );
}

interface MarkProps {
  className: string;
  isOn: boolean;
  title: string;
  text?: string;
  onClick: () => void;
}

/** What can be clicked in a line; keys do the same, and the line's label says it. */
function Mark({ isOn, text, onClick, ...looks }: MarkProps): React.JSX.Element {
  const click = (event: React.MouseEvent): void => {
    event.stopPropagation();
    onClick();
  };
  return (
    <span {...looks} data-on={isOn || undefined} onClick={click}>
      {text}
    </span>
  );
}

/** How many alerts nobody has seen; the run's page shows them, and they are seen. */
function AlertMark({ alerts }: { alerts: readonly AlertRow[] }): React.JSX.Element {
  if (alerts.length === 0) return <></>;
  const title = alerts.slice(0, 5).map(alertLine).join('\n');
  return (
    <span className="nbt-alert-mark" data-level={worst(alerts)} title={title}>
      {alerts.length}
    </span>
  );
}

function SparkLine({ spark }: { spark: Spark | undefined }): React.JSX.Element {
  if (!spark || spark.y.length < 2) return <></>;
  const [width, height] = SPARK_PX;
  return (
    <span className="nbt-item-spark" title={spark.metric} aria-hidden="true">
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none">
        <path d={sparkPath(spark.y)} />
      </svg>
    </span>
  );
}

/** All that the line shows, in words. */
function labelOf(props: ListProps & { line: RunLine }): string {
  const { line, storeName, alertsOf } = props;
  const { run } = line;
  const best = run.best ? `best ${run.best.name} ${number(run.best.best)}` : '';
  const star = run.starred ? 'starred' : '';
  const [newest] = alertsOf(run.id);
  const alert = newest ? `alert: ${alertLine(newest)}` : '';
  const parts = [run.name, run.status, alert, best, star, storeName(run.store)];
  return parts.filter((part) => part !== '').join(', ');
}

function onKey(event: React.KeyboardEvent, props: ListProps): void {
  const { lines, active, does } = props;
  const at = Math.max(0, lines.findIndex((line) => line.key === active)); // prettier-ignore
  const to = (n: number): void => {
    const line = lines[Math.min(Math.max(n, 0), lines.length - 1)];
    if (line) does.focus(line.key);
    event.preventDefault();
  };
  const line = lines[at];
  if (!line) return;
  if (event.key === 'ArrowDown') to(active ? at + 1 : 0);
  else if (event.key === 'ArrowUp') to(at - 1);
  else if (event.key === 'Home') to(0);
  else if (event.key === 'End') to(lines.length - 1);
  else does.key(event, line);
}

function idOf(key: string): string {
  return `nbt-item-${key.replace(/\s/g, '_')}`;
}

function indent(line: Line): number {
  return 6 + (line.level - 1) * INDENT_PX;
}

function useHeight(box: React.RefObject<HTMLDivElement>): number {
  const [height, setHeight] = React.useState(600);
  React.useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const sizes = new ResizeObserver(() => setHeight(element.clientHeight || 600));
    sizes.observe(element);
    return () => sizes.disconnect();
  }, []);
  return height;
}

/** The line that keys act on is always in view. */
function useScrollTo(
  box: React.RefObject<HTMLDivElement>,
  lines: readonly Line[],
  active: string,
): void {
  React.useEffect(() => {
    const element = box.current;
    const at = lines.findIndex((line) => line.key === active);
    if (!element || at < 0) return;
    const [above, below] = [at * LINE_PX, (at + 1) * LINE_PX];
    if (above < element.scrollTop) element.scrollTop = above;
    else if (below > element.scrollTop + element.clientHeight)
      element.scrollTop = below - element.clientHeight;
  }, [active]);
}
