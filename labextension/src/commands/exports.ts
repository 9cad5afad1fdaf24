/** Exporting a run: a job of the server, its progress in the page, then a download. */

import { Notification } from '@jupyterlab/apputils';
import type { Api } from '../api/client';
import type { Job } from '../api/rows';

const EVERY_MS = 250;
const SHORT_MS = 5_000;
const LONG_MS = 15_000; // for a text that wants to be read

/** What can be made of a run; a `bundle` has its cells run again, to prove it. */
export type Kind = 'script' | 'bundle' | 'bundle-unproven';

export async function exportRun(api: Api, kind: Kind, run: string): Promise<void> {
  const { job } = await api.startJob(kind, run);
  const id = Notification.emit(`Making the ${noun(kind)}…`, 'in-progress', {
    autoClose: false,
    actions: [{ label: 'Cancel', callback: () => void api.cancelJob(job) }],
  });
  try {
    const ended = await followed(api, job, (now) => {
      Notification.update({ id, message: progressText(now), type: 'in-progress' });
    });
    if (ended.state === 'done') download(api.jobFileUrl(job));
    Notification.update({ id, ...lastWords(ended), actions: [] });
  } catch (reason) {
    Notification.dismiss(id);
    throw reason;
  }
}

async function followed(api: Api, job: string, tell: (now: Job) => void): Promise<Job> {
  for (;;) {
    const now = await api.job(job);
    if (now.state !== 'running') return now;
    tell(now);
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}

function noun(kind: string): string {
  return kind === 'script' ? 'script' : 'bundle';
}

function progressText({ kind, message, progress }: Job): string {
  const part = progress === null ? '' : ` (${Math.round(progress * 100)} %)`;
  if (kind === 'script') return `${message || 'Making the script'}${part}`;
  return `Making the bundle${message ? `: ${message}` : '…'}${part}`;
}

interface Words {
  message: string;
  type: 'success' | 'warning' | 'error' | 'info';
  autoClose: number | false;
}

function lastWords(job: Job): Words {
  if (job.state === 'cancelled')
    return { message: 'Cancelled.', type: 'info', autoClose: 3000 };
  if (job.state !== 'done')
    return { message: job.message, type: 'error', autoClose: false };
  if (job.kind === 'script') {
    const message = `${job.filename ?? 'The file'} is ready. ${job.message}`.trim();
    const autoClose = job.message ? LONG_MS : SHORT_MS;
    return { message, type: 'success', autoClose };
  }
  // Where its cells were run for nothing, that is to be seen for as long as it takes.
  const isWarning = job.kind === 'bundle' && job.message.includes(' · UNPROVEN: ');
  if (isWarning) return { message: job.message, type: 'warning', autoClose: false };
  return { message: job.message, type: 'success', autoClose: LONG_MS };
}

/** As if somebody had clicked a link. */
function download(url: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = '';
  document.body.append(link);
  link.click();
  link.remove();
}
