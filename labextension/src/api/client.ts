/** The server extension's REST interface, in the words of `nbtrack/server`. */

import { URLExt } from '@jupyterlab/coreutils';
import type { IMimeBundle } from '@jupyterlab/nbformat';
import { ServerConnection } from '@jupyterlab/services';
import type { FrameHead, Goal, Status } from './shared/wire';

export interface MetricRow {
  name: string;
  goal: Goal | null;
  n: number;
  last: number | null;
  best: number | null;
  best_step: number;
}

export interface RunRow {
  id: string;
  name: string;
  experiment: string;
  status: Status;
  started_at: string;
  ended_at: string | null;
  duration_s: number | null;
  notebook: string | null;
  cell_id: string | null;
  kernel_id: string | null;
  best: MetricRow | null;
  metrics: MetricRow[];
}

export interface RunList {
  runs: RunRow[];
  problems: { store: string; message: string }[];
}

export interface StaticOutput {
  data: IMimeBundle;
  metadata: { nbtrack: { run: string } };
}

type Query = Record<string, string>;

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

  runs(query: Query): Promise<RunList> {
    return this.request<RunList>('runs', query);
  }

  frame(run: string, cursor: string | null): Promise<FrameHead> {
    return this.request<FrameHead>(`runs/${run}/frame`, cursor ? { cursor } : {});
  }

  staticOutput(run: string): Promise<StaticOutput> {
    return this.request<StaticOutput>(`runs/${run}/static`);
  }

  async stop(run: string): Promise<void> {
    const body = JSON.stringify({ command: 'stop' });
    await this.request(`runs/${run}/control`, {}, { method: 'POST', body });
  }

  private async request<T>(
    path: string,
    query: Query = {},
    init: RequestInit = {},
  ): Promise<T> {
    const url = URLExt.join(this.settings.baseUrl, 'nbtrack', path);
    const response = await ServerConnection.makeRequest(
      url + URLExt.objectToQueryString(query),
      init,
      this.settings,
    );
    const body: unknown = await response.json();
    if (!response.ok) throw new ApiError(response.status, messageOf(body));
    return body as T;
  }
}

function messageOf(body: unknown): string {
  const message = (body as { message?: unknown } | null)?.message;
  return typeof message === 'string' ? message : 'The server did not say why.';
}
