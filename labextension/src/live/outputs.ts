/** Which outputs of a cell are a run's panel, and the static picture in their place. */

import type { CodeCell } from '@jupyterlab/cells';
import type { IDisplayData, IMimeBundle, IOutput } from '@jupyterlab/nbformat';
import { ApiError, type Api } from '../api/client';

const WIDGET_VIEW = 'application/vnd.jupyter.widget-view+json';

/** Indices of the outputs that carry `{"nbtrack": {"run": id}}`. */
export function outputsOf(cell: CodeCell, run: string): number[] {
  return outputsJson(cell).flatMap((output, i) => (runOf(output) === run ? [i] : []));
}

/** Runs whose live panel was saved in the cell, and cannot live again there. */
export function stalePanels(cell: CodeCell): string[] {
  return outputsJson(cell).flatMap((output) => {
    const run = runOf(output);
    return run !== null && isLive(output) ? [run] : [];
  });
}

/** Put what the ended run leaves into the cell, once, in the live panel's place. */
export async function putStaticOutput(
  api: Api,
  cell: CodeCell,
  run: string,
): Promise<void> {
  const bundle = await api.staticOutput(run).catch(ignoreRefusal);
  if (!bundle || cell.isDisposed) return;
  const output: IDisplayData = { output_type: 'display_data', ...bundle };
  const [first] = outputsOf(cell, run);
  if (first === undefined) cell.model.outputs.add(output);
  else if (isLive(cell.model.outputs.get(first).toJSON()))
    cell.model.outputs.set(first, output);
}

/** The run may be in a store that is not here: what was saved stays as it is. */
function ignoreRefusal(reason: unknown): null {
  if (reason instanceof ApiError) return null;
  throw reason;
}

function outputsJson(cell: CodeCell): IOutput[] {
  return cell.model.outputs.toJSON();
}

function runOf(output: IOutput): string | null {
  const about = output['metadata'] as { nbtrack?: { run?: unknown } } | undefined;
  const run = about?.nbtrack?.run;
  return typeof run === 'string' ? run : null;
}

function isLive(output: IOutput): boolean {
  return WIDGET_VIEW in ((output['data'] ?? {}) as IMimeBundle);
}
