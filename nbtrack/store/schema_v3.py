"""The tables of version 3, frozen: what version 4 begins from."""

from __future__ import annotations

SCHEMA_V3 = """\
create table sessions (
  id text primary key,
  pid integer,
  host text,
  started_at text not null,
  seen_at text,
  ended_at text,
  facts text not null default '{}',
  segment integer not null default 1,
  slot integer not null default 1,
  holes text not null default '[]'
);
create table sources (
  digest text primary key,
  body text not null
);
create table runs (
  id text primary key,
  name text not null,
  experiment text not null,
  status text not null,
  started_at text not null,
  ended_at text,
  duration_s real,
  "group" text,
  parent text,
  notes text not null default '',
  notebook text,
  cell_id text,
  execution integer,
  source_digest text references sources(digest),
  error text,
  reason text,
  trashed_at text,
  session text references sessions(id),
  forked_from text,
  fork_step integer,
  peak_rss_bytes integer,
  peak_vram_bytes integer,
  model_bytes integer,
  grade text,
  grade_why text
);
create index runs_started on runs(started_at);
create index runs_session on runs(session);
create table lives (
  run text not null references runs(id) on delete cascade,
  session text not null references sessions(id),
  started_at text not null,
  before_s real not null default 0,
  primary key (run, session)
);
create index lives_session on lives(session);
create table params (
  run text not null references runs(id) on delete cascade,
  name text not null,
  value text,
  origin text not null,
  cell text,
  primary key (run, name)
);
create table tags (
  run text not null references runs(id) on delete cascade,
  name text not null,
  value text,
  primary key (run, name)
);
create table metrics (
  id integer primary key autoincrement,
  run text not null references runs(id) on delete cascade,
  name text not null,
  axis_of text,
  goal text,
  n integer not null default 0,
  last real,
  last_step integer,
  min real,
  min_step integer,
  max real,
  max_step integer,
  n_nan integer not null default 0,
  first_nan_step integer,
  thinned integer not null default 1,
  deleted_at text,
  shared_from integer
);
create unique index metrics_name
  on metrics(run, name, coalesce(axis_of, ''), coalesce(deleted_at, ''));
create table series (
  session text not null references sessions(id),
  series integer not null,
  metric integer not null references metrics(id) on delete cascade,
  primary key (session, series)
);
create index series_metric on series(metric);
create table chunks (
  id integer primary key,
  metric integer not null references metrics(id) on delete cascade,
  start integer not null,
  n integer not null,
  body blob not null
);
create unique index chunks_start on chunks(metric, start);
create table checkpoints (
  id integer primary key,
  run text not null references runs(id) on delete cascade,
  name text not null,
  version integer not null,
  type text not null,
  digest text not null,
  size_bytes integer not null,
  path text not null,
  step integer,
  metrics text not null default '{}',
  created_at text not null
);
create unique index checkpoints_version on checkpoints(run, name, version);
create index checkpoints_name on checkpoints(name, version);
create index checkpoints_digest on checkpoints(digest);
create table notices (
  id integer primary key,
  run text not null references runs(id) on delete cascade,
  text text not null
);
create index notices_run on notices(run);
create table facts (
  run text not null references runs(id) on delete cascade,
  name text not null,
  value text,
  missing text,
  primary key (run, name)
);
create table texts (
  run text not null references runs(id) on delete cascade,
  role text not null,
  name text not null,
  digest text,
  source_digest text references sources(digest),
  n_redacted integer not null default 0,
  missing text,
  primary key (run, role, name)
);
create index texts_source on texts(source_digest);
create table inputs (
  run text not null references runs(id) on delete cascade,
  name text not null,
  type text not null,
  digest text,
  size_bytes integer,
  n_rows integer,
  detail text not null default '{}',
  missing text,
  primary key (run, type, name)
);
create table media (
  id integer primary key,
  run text not null references runs(id) on delete cascade,
  name text not null,
  type text not null,
  step integer not null,
  at real not null,
  mime text,
  digest text,
  size_bytes integer,
  data text
);
create index media_name on media(run, name, step);
create index media_digest on media(digest);
create table cells (
  session text not null references sessions(id) on delete cascade,
  seq integer not null,
  cell_id text,
  execution integer,
  digest text not null,
  source_digest text references sources(digest),
  started_at text not null,
  duration_s real,
  ok integer,
  error text,
  rng text not null default '{}',
  flow text,
  primary key (session, seq)
);
create index cells_source on cells(source_digest);
create table edits (
  id integer primary key,
  at text not null,
  what text not null,
  undone_at text
);
create table controls (
  id integer primary key,
  run text not null,
  command text not null,
  by text not null,
  at text not null,
  seen_at text
);
create index controls_waiting on controls(run) where seen_at is null;
create table unread (
  id integer primary key,
  session text,
  at text not null,
  reason text not null,
  body text not null
);
create view summaries as
select
  runs.id as run,
  runs.name as run_name,
  runs.experiment,
  metrics.name,
  metrics.goal,
  metrics.n,
  metrics.last,
  metrics.last_step,
  metrics.min,
  metrics.min_step,
  metrics.max,
  metrics.max_step,
  case metrics.goal when 'min' then metrics.min when 'max' then metrics.max
    else metrics.last end as best,
  case metrics.goal when 'min' then metrics.min_step when 'max' then metrics.max_step
    else metrics.last_step end as best_step,
  metrics.n_nan,
  metrics.first_nan_step,
  metrics.thinned
from metrics join runs on runs.id = metrics.run
where metrics.axis_of is null and metrics.n > 0 and metrics.deleted_at is null;
create view points as
select
  metrics.run,
  metrics.name as metric,
  metrics.axis_of,
  json_extract(point.value, '$[0]') as step,
  json_extract(point.value, '$[1]') as value,
  json_extract(point.value, '$[2]') as at
from metrics
join chunks on chunks.metric = metrics.id
join json_each(nbtrack_points(chunks.body)) as point
where metrics.deleted_at is null
union all
select
  metrics.run,
  metrics.name,
  metrics.axis_of,
  json_extract(point.value, '$[0]'),
  json_extract(point.value, '$[1]'),
  json_extract(point.value, '$[2]')
from metrics
join json_each(nbtrack_shared(metrics.id)) as point
where metrics.shared_from is not null and metrics.deleted_at is null;
"""
