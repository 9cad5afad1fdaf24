/** Alerts as JupyterLab's own notifications, with the way to the run. */

import { Notification } from '@jupyterlab/apputils';
import type { AlertRow } from '../api/rows';
import { alertLine, worst } from '../shared/alerts';
import type { Level } from '../shared/wire';

const AT_ONCE_MAX = 3;
const INFO_MS = 8000;
const TEXT_CHARS = 130; // JupyterLab cuts at 140
const TYPES = { info: 'info', warn: 'warning', error: 'error' } as const;

/** Show what came; a run whose panel can be seen shows it there. */
export function showToasts(
  alerts: readonly AlertRow[],
  open: (run: string) => void,
): void {
  const told = alerts.filter(({ run }) => !isPanelInView(run));
  const all = told.length <= AT_ONCE_MAX;
  for (const alert of all ? told : told.slice(0, AT_ONCE_MAX - 1)) show(alert, open);
  const rest = all ? [] : told.slice(AT_ONCE_MAX - 1);
  if (rest.length) emit(`${rest.length} more alerts: see the side bar`, worst(rest));
}

function show(alert: AlertRow, open: (run: string) => void): void {
  const actions = [{ label: 'Open run', callback: () => open(alert.run) }];
  const said = [`${alert.run_name}: ${alertLine(alert)}`, alert.text];
  emit(said.filter(Boolean).join(' · '), alert.level, actions);
}

function emit(text: string, level: Level, actions: Notification.IAction[] = []): void {
  const message = text.length > TEXT_CHARS ? `${text.slice(0, TEXT_CHARS - 1)}…` : text;
  const autoClose = level === 'info' ? INFO_MS : false;
  Notification.emit(message, TYPES[level], { autoClose, actions });
}

function isPanelInView(run: string): boolean {
  const panels = [...document.querySelectorAll<HTMLElement>('.nbt-panel[data-run]')];
  return panels.some((panel) => {
    if (panel.dataset['run'] !== run || panel.offsetParent === null) return false;
    const { top, bottom } = panel.getBoundingClientRect();
    return bottom > 0 && top < window.innerHeight;
  });
}
