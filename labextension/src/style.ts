/** The extension's style; classes start with `nbt-`, colours come from JupyterLab. */

const CSS = `
.nbt-stale-output { display: none; }
.nbt-mounted { padding-left: calc(var(--jp-cell-prompt-width) + var(--jp-cell-padding)); }
.nbt-sidebar {
  display: flex; flex-direction: column; overflow: hidden;
  color: var(--jp-ui-font-color1); background: var(--jp-layout-color1);
  font: var(--jp-ui-font-size1)/1.5 var(--jp-ui-font-family);
}
.nbt-runs-head { display: flex; align-items: center; padding: 6px 12px; }
.nbt-runs-head h2 { flex: 1; margin: 0; font-size: var(--jp-ui-font-size1); }
.nbt-runs-head button { font: inherit; color: inherit; background: transparent;
  border: 1px solid var(--jp-border-color1); border-radius: 3px; cursor: pointer; }
.nbt-runs-note { margin: 0; padding: 0 12px; white-space: pre-line;
  color: var(--jp-ui-font-color2); overflow-wrap: anywhere; }
.nbt-runs { flex: 1; margin: 0; padding: 4px 0; overflow: auto; list-style: none; }
.nbt-runs li { display: flex; align-items: center; gap: 8px; padding: 2px 12px; }
.nbt-runs li:hover { background: var(--jp-layout-color2); }
.nbt-runs .nbt-dot { flex: none; width: 9px; height: 9px; border-radius: 50%;
  background: var(--jp-ui-font-color3); }
.nbt-runs .nbt-dot[data-status="running"] { background: var(--jp-brand-color1); }
.nbt-runs .nbt-dot[data-status="finished"] { background: var(--jp-success-color1); }
.nbt-runs .nbt-dot[data-status="failed"],
.nbt-runs .nbt-dot[data-status="crashed"] { background: var(--jp-error-color1); }
.nbt-runs .nbt-dot[data-status="stopped"],
.nbt-runs .nbt-dot[data-status="pruned"] { background: var(--jp-warn-color1); }
.nbt-run-name { flex: 1; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
  unicode-bidi: isolate; }
.nbt-run-best { color: var(--jp-ui-font-color2); white-space: nowrap;
  font-variant-numeric: tabular-nums; }
.nbt-sr { position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap; }
`;

const ID = 'nbt-extension-style';

/** Add the sheet to the page, once. */
export function ensureStyle(): void {
  if (document.getElementById(ID)) return;
  const sheet = document.createElement('style');
  sheet.id = ID;
  sheet.textContent = CSS;
  document.head.append(sheet);
}
