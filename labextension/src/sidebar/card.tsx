/** What hovering a run shows: when and where it ran, its params, its best values. */

import * as React from 'react';
import type { AlertRow, RunDetail } from '../api/rows';
import { alertLine } from '../shared/alerts';
import { duration, number } from '../shared/format';

const PARAMS_MAX = 12;
const METRICS_MAX = 6;
const ALERTS_MAX = 3;

export function RunCard({ run, alerts, top, left }: CardProps): React.JSX.Element {
  const params = run.params.slice(0, PARAMS_MAX);
  const more = run.params.length - params.length;
  return (
    <div className="nbt-card" role="tooltip" id="nbt-card" style={{ top, left }}>
      <header>
        <span className="nbt-dot" data-status={run.status} aria-hidden="true" />
        <strong>{run.name}</strong>
        <span className="nbt-quiet">{run.status}</span>
      </header>
      <p className="nbt-quiet">{momentLine(run)}</p>
      {alerts.slice(0, ALERTS_MAX).map((alert) => (
        <p className="nbt-card-alert" data-level={alert.level} key={alert.key}>
          {alertLine(alert)} <span className="nbt-quiet">{alert.text}</span>
        </p>
      ))}
      <Pairs title="Best" pairs={bests(run)} />
      <Pairs title="Params" pairs={params.map(([name, text]) => [name, text])} />
      {more > 0 ? <p className="nbt-quiet">and {more} more</p> : null}
      {run.tags.length ? <p>{run.tags.map((tag) => `#${tag}`).join(' ')}</p> : null}
      {run.notes ? <p className="nbt-card-notes">{run.notes}</p> : null}
      {run.error ? <p className="nbt-problem">{run.error}</p> : null}
    </div>
  );
}

interface CardProps {
  run: RunDetail;
  /** Of this run, the newest first. */
  alerts: readonly AlertRow[];
  top: number;
  left: number;
}

function Pairs(props: { title: string; pairs: [string, string][] }): React.JSX.Element {
  if (props.pairs.length === 0) return <></>;
  return (
    <dl aria-label={props.title}>
      {props.pairs.map(([name, text]) => (
        <React.Fragment key={name}>
          <dt>{name}</dt>
          <dd>{text}</dd>
        </React.Fragment>
      ))}
    </dl>
  );
}

function bests(run: RunDetail): [string, string][] {
  const judged = run.metrics.filter((metric) => metric.goal);
  return (judged.length ? judged : run.metrics)
    .slice(0, METRICS_MAX)
    .map((metric) => [
      metric.name,
      metric.goal
        ? `${number(metric.best)} @ step ${metric.best_step}`
        : number(metric.last),
    ]);
}

function momentLine(run: RunDetail): string {
  const at = new Date(run.started_at);
  const when = Number.isNaN(at.getTime()) ? run.started_at : at.toLocaleString();
  const took = run.duration_s === null ? '' : duration(run.duration_s);
  return [when, took, run.notebook_path ?? run.experiment].filter(Boolean).join(' · ');
}
