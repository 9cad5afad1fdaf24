/** The extension's style; classes start with `nbt-`, colours come from JupyterLab. */

import { NOTEBOOK_CSS } from './notebook/style';
import { PANES_CSS } from './panes/style';
import { ensureStyle as ensurePanelStyle } from './shared/style';
import { SIDEBAR_CSS } from './sidebar/style';

export const CSS = `
.nbt-stale-output { display: none; }
.nbt-mounted { padding-left: calc(var(--jp-cell-prompt-width) + var(--jp-cell-padding)); }
.nbt-sidebar { display: flex; flex-direction: column; overflow: hidden; height: 100%; }
.nbt-sidebar, .nbt-run-pane, .nbt-compare-pane, .nbt-diff-pane, .nbt-card {
  --nbt-text: var(--jp-ui-font-color1);
  --nbt-muted: var(--jp-ui-font-color2);
  --nbt-edge: var(--jp-border-color2);
  color: var(--nbt-text); background: var(--jp-layout-color1);
  font: var(--jp-ui-font-size1)/1.5 var(--jp-ui-font-family);
}
.nbt-quiet { color: var(--nbt-muted); }
.nbt-problem { color: var(--jp-error-color1); overflow-wrap: anywhere; white-space: pre-line; margin: 0; }
.nbt-nothing { margin: 0; padding: 12px; color: var(--nbt-muted); }
`;

/** Add the sheets to the page, once: ours, and that of the panels for what both show. */
export function ensureStyle(): void {
  ensurePanelStyle(document.body);
  const every = CSS + SIDEBAR_CSS + PANES_CSS + NOTEBOOK_CSS;
  ensurePanelStyle(document.body, 'nbt-extension-style', every);
}
