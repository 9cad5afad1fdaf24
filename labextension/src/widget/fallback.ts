/** Stop by the Jupyter server, for kernels that cannot hear the widget while busy. */

/** Ask nbtrack's server extension; a page without one has lost nothing. */
export function stopByServer(runId: string): void {
  const config = pageConfig();
  if (!config) return;
  const url = `${config.baseUrl}nbtrack/runs/${encodeURIComponent(runId)}/control`;
  void fetch(url, {
    method: 'POST',
    headers: { 'X-XSRFToken': cookie('_xsrf'), 'Content-Type': 'application/json' },
    body: JSON.stringify({ command: 'stop' }),
    credentials: 'same-origin',
  }).catch(() => undefined);
}

/** JupyterLab and Notebook say in the page where their server is. */
export function pageConfig(): { baseUrl: string } | null {
  const element = document.getElementById('jupyter-config-data');
  if (!element?.textContent) return null;
  const parsed: unknown = JSON.parse(element.textContent);
  const base = (parsed as { baseUrl?: unknown }).baseUrl;
  return typeof base === 'string' ? { baseUrl: base.replace(/\/?$/, '/') } : null;
}

function cookie(name: string): string {
  const found = document.cookie.split('; ').find((part) => part.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : '';
}
