/** The server extension's REST interface, as `nbtrack/server/openapi.json` has it. */

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { State, ToKernel } from '../shared/compare/wire';
import type { FrameHead } from '../shared/wire';
import type {
  AlertList,
  CellDiff,
  CellRuns,
  Job,
  ModelRow,
  ModelVersion,
  RestoredCells,
  RunChange,
  RunDetail,
  RunDiff,
  RunList,
  RunPage,
  RunRow,
  Spark,
  StaticOutput,
  StoreRow,
  Unchanged,
} from './rows';

type Query = Record<string, string>;

/** A message of the server in a comparison, its packed numbers as base64. */
export interface Told {
  packed: string | null;
  [part: string]: unknown;
}

export interface Conversation {
  conversation: string;
  messages: Told[];
}

/** What the server said instead of an answer. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export class Api {
  constructor(private readonly settings: ServerConnection.ISettings) {}

  stores(): Promise<{ stores: StoreRow[]; version: string }> {
    return this.get('stores');
  }

  runs(query: Query): Promise<RunList> {
    return this.get('runs', query);
  }

  /** The same, or only that nothing is new since the version `seen`. */
  runsSince(seen: string, query: Query): Promise<RunList | Unchanged> {
    return this.get('runs', seen ? { ...query, seen } : query);
  }

  run(run: string): Promise<RunDetail> {
    return this.get(`runs/${run}`);
  }

  async sparks(runs: readonly string[]): Promise<Record<string, Spark>> {
    const query = { runs: runs.join(',') };
    return (await this.get<{ sparks: Record<string, Spark> }>('sparks', query)).sparks;
  }

  async cells(ids: readonly string[]): Promise<Record<string, CellRuns>> {
    const query = { ids: ids.join(',') };
    return (await this.get<{ cells: Record<string, CellRuns> }>('cells', query)).cells;
  }

  alerts(): Promise<AlertList> {
    return this.get('alerts');
  }

  edit(run: string, change: RunChange): Promise<RunRow> {
    return this.send('PATCH', `runs/${run}`, change);
  }

  async stop(run: string): Promise<void> {
    await this.send('POST', `runs/${run}/control`, { command: 'stop' });
  }

  frame(run: string, cursor: string | null): Promise<FrameHead> {
    return this.get(`runs/${run}/frame`, cursor ? { cursor } : {});
  }

  staticOutput(run: string): Promise<StaticOutput> {
    return this.get(`runs/${run}/static`);
  }

  page(run: string): Promise<RunPage> {
    return this.get(`runs/${run}/page`);
  }

  compare(
    conversation: string | null,
    open: Partial<State>,
    messages: readonly ToKernel[],
  ): Promise<Conversation> {
    return this.send('POST', 'compare', { conversation, open, messages });
  }

  diff(a: string, b: string): Promise<RunDiff> {
    return this.get('diff', { a, b });
  }

  cellDiff(run: string, source: string): Promise<CellDiff> {
    return this.send('POST', `runs/${run}/cell-diff`, { source });
  }

  restoredCells(run: string): Promise<RestoredCells> {
    return this.get(`runs/${run}/cells`);
  }

  startJob(kind: string, run: string): Promise<{ job: string }> {
    return this.send('POST', 'jobs', { kind, run });
  }

  job(job: string): Promise<Job> {
    return this.get(`jobs/${job}`);
  }

  cancelJob(job: string): Promise<Job> {
    return this.send('DELETE', `jobs/${job}`);
  }

  async models(): Promise<ModelRow[]> {
    return (await this.get<{ models: ModelRow[] }>('models')).models;
  }

  promote(of: {
    store: string;
    name: string;
    version: string;
    stage: string;
    note: string;
  }): Promise<ModelVersion> {
    return this.send('POST', 'models/promote', of);
  }

  /** Where a page finds a file to save; the server sends it as an attachment. */
  fileUrl(run: string, digest: string): string {
    return this.url(`runs/${run}/files/${digest}`, this.token());
  }

  jobFileUrl(job: string): string {
    return this.url(`jobs/${job}/file`, this.token());
  }

  private get<T>(path: string, query: Query = {}): Promise<T> {
    return this.request<T>(path, query, {});
  }

  private send<T>(method: string, path: string, body?: object): Promise<T> {
    const told = body === undefined ? {} : { body: JSON.stringify(body) };
    return this.request<T>(path, {}, { method, ...told });
  }

  private async request<T>(path: string, query: Query, init: RequestInit): Promise<T> {
    const url = this.url(path, query);
    const response = await ServerConnection.makeRequest(url, init, this.settings);
    const body: unknown = await response.json();
    if (!response.ok) throw new ApiError(response.status, messageOf(body));
    return body as T;
  }

  private url(path: string, query: Query): string {
    const url = URLExt.join(this.settings.baseUrl, 'nbtrack', path);
    return url + URLExt.objectToQueryString(query);
  }

  /** A link carries no header: where there is no cookie it needs the token. */
  private token(): Query {
    const { token, appendToken } = this.settings;
    return appendToken && token ? { token } : {};
  }
}

export function isUnchanged(answer: RunList | Unchanged): answer is Unchanged {
  return 'unchanged' in answer;
}

/** What went wrong, in the words of whoever says so. */
export function wordsOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}

function messageOf(body: unknown): string {
  const message = (body as { message?: unknown } | null)?.message;
  return typeof message === 'string' ? message : 'The server did not say why.';
}
