/** Exporting a run: a job of the server, its progress in the page, then a download. */

import { Notification } from '@jupyterlab/apputils';
import type { Api } from '../api/client';
import type { Job } from '../api/rows';

const EVERY_MS = 250;

export async function exportScript(api: Api, run: string): Promise<void> {
  const { job } = await api.startJob('script', run);
  const id = Notification.emit('Making the script…', 'in-progress', {
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

function progressText({ message, progress }: Job): string {
  const part = progress === null ? '' : ` (${Math.round(progress * 100)} %)`;
  return `${message || 'Making the script'}${part}`;
}

function lastWords(job: Job): {
  message: string;
  type: 'success' | 'error' | 'info';
  autoClose: number | false;
} {
  if (job.state === 'done') {
    const message = `${job.filename ?? 'The file'} is ready. ${job.message}`.trim();
    return { message, type: 'success', autoClose: job.message ? 15000 : 5000 };
  }
  if (job.state === 'cancelled')
    return { message: 'Cancelled.', type: 'info', autoClose: 3000 };
  return { message: job.message, type: 'error', autoClose: false };
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
