"""The tables, as frozen text, so that a new store is born with `sqlite3` alone.

Everything is plain rows but the points: those are packed into `chunks.body`, and the
view `points` shows them as rows wherever `nbtrack_points` is registered (see
`nbtrack.store.plugin`). `nbtrack.store.migrations` brings older stores to this text;
a test holds that both end at the same tables.
"""

from __future__ import annotations

APPLICATION_ID = 0x6E627472  # "nbtr"
VERSION = 5

SCHEMA = """\
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
create table artifacts (
  id integer primary key,
  name text not null unique,
  type text not null,
  description text not null default '',
  metric text,
  goal text,
  created_at text not null
);
create table artifact_versions (
  id integer primary key autoincrement,
  artifact integer not null references artifacts(id) on delete cascade,
  version integer not null,
  digest text not null,
  size_bytes integer not null,
  n_files integer not null,
  description text not null default '',
  metadata text not null default '{}',
  expires_at text,
  created_at text not null,
  gone_at text,
  gone_why text
);
create unique index artifact_versions_number on artifact_versions(artifact, version);
create index artifact_versions_digest on artifact_versions(digest);
create table artifact_files (
  version integer not null references artifact_versions(id) on delete cascade,
  path text not null,
  digest text,
  size_bytes integer,
  uri text,
  etag text,
  primary key (version, path)
) without rowid;
create index artifact_files_digest on artifact_files(digest);
create table artifact_aliases (
  artifact integer not null references artifacts(id) on delete cascade,
  alias text not null,
  version integer not null references artifact_versions(id) on delete cascade,
  at text not null,
  primary key (artifact, alias)
);
create index artifact_aliases_version on artifact_aliases(version);
create table artifact_tags (
  version integer not null references artifact_versions(id) on delete cascade,
  name text not null,
  value text,
  primary key (version, name)
);
create table artifact_uses (
  id integer primary key,
  run text not null references runs(id) on delete cascade,
  version integer not null references artifact_versions(id) on delete cascade,
  role text not null,
  step integer,
  metrics text not null default '{}',
  path text not null default '',
  at text not null
);
create index artifact_uses_run on artifact_uses(run);
create index artifact_uses_version on artifact_uses(version);
create table artifact_events (
  id integer primary key autoincrement,
  artifact integer not null references artifacts(id) on delete cascade,
  version integer references artifact_versions(id) on delete cascade,
  what text not null,
  detail text not null default '',
  by text not null default '',
  run text,
  at text not null
);
create index artifact_events_artifact on artifact_events(artifact);
create table files (
  digest text primary key,
  size_bytes integer not null,
  chunks blob not null,
  kept_at text not null
) without rowid;
create index files_size on files(size_bytes);
create table file_chunks (
  hash blob primary key,
  pack text not null,
  start integer not null,
  size_bytes integer not null
) without rowid;
create index file_chunks_pack on file_chunks(pack);
create table models (
  id integer primary key,
  name text not null unique,
  description text not null default '',
  created_at text not null,
  created_by text not null
);
create table model_versions (
  id integer primary key autoincrement,
  model integer not null references models(id) on delete cascade,
  version text not null,
  artifact_version integer not null references artifact_versions(id),
  run text references runs(id) on delete set null,
  stage text not null default 'development',
  signature text,
  parts text not null default '[]',
  notes text not null default '',
  created_at text not null,
  created_by text not null
);
create unique index model_versions_version on model_versions(model, version);
create unique index model_versions_production on model_versions(model)
  where stage = 'production';
create index model_versions_artifact on model_versions(artifact_version);
create table model_aliases (
  model integer not null references models(id) on delete cascade,
  alias text not null,
  version integer not null references model_versions(id) on delete cascade,
  at text not null,
  primary key (model, alias)
);
create table model_events (
  id integer primary key autoincrement,
  model integer not null references models(id) on delete cascade,
  version integer references model_versions(id) on delete cascade,
  what text not null,
  from_stage text,
  to_stage text,
  by text not null,
  why text not null default '',
  detail text not null default '{}',
  at text not null
);
create index model_events_model on model_events(model);
create table notices (
  id integer primary key,
  run text not null references runs(id) on delete cascade,
  text text not null
);
create index notices_run on notices(run);
create table alerts (
  id integer primary key,
  run text not null references runs(id) on delete cascade,
  at text not null,
  step integer,
  kind text not null,
  level text not null,
  title text not null,
  text text not null default '',
  metric text,
  rule text not null default '',
  seen_at text
);
create index alerts_run on alerts(run);
create index alerts_at on alerts(at);
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
create view checkpoints as
select
  uses.id,
  uses.run,
  artifacts.name,
  versions.version,
  artifacts.type,
  coalesce(
    (select files.digest from artifact_files as files
      where files.version = versions.id and versions.n_files = 1),
    versions.digest) as digest,
  versions.size_bytes,
  uses.path,
  uses.step,
  uses.metrics,
  uses.at as created_at,
  versions.gone_at,
  versions.gone_why
from artifact_uses as uses
join artifact_versions as versions on versions.id = uses.version
join artifacts on artifacts.id = versions.artifact
where uses.role = 'output';
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

# Ids of metrics are never used again (autoincrement): a writer that has not noticed a
# purge would add its points to somebody else's curve.

# A temporary view is trusted where the file's own views are not (trusted_schema off).
TEMP_POINTS = (
    "create temp view points as" + SCHEMA.partition("create view points as")[2]
)

STAMP = f"pragma application_id = {APPLICATION_ID}; pragma user_version = {VERSION};"
