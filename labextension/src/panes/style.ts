/** The look of the pages of runs, comparisons and differences. */

export const PANES_CSS = `
.nbt-run-pane, .nbt-compare-table, .nbt-diff-pane { overflow: auto; }
.nbt-page { padding: 12px 16px 40px; max-width: 1120px; }
.nbt-page-head { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; }
.nbt-page h1 { margin: 0; font-size: 18px; unicode-bidi: isolate; overflow-wrap: anywhere; }
.nbt-page nav { display: flex; flex-wrap: wrap; gap: 4px; margin-left: auto; }
.nbt-tag { padding: 0 6px; border: 1px solid var(--nbt-edge); border-radius: 8px;
  font-size: var(--jp-ui-font-size0); }
.nbt-page-notes { width: 100%; margin-top: 8px; padding: 6px 8px; font: inherit; resize: vertical; }
.nbt-page-curves { margin-top: 8px; }
.nbt-part { margin-top: 10px; border-top: 1px solid var(--nbt-edge); padding-top: 6px; }
.nbt-part > summary { font-weight: 600; cursor: pointer; }
.nbt-page table, .nbt-diff table { border-collapse: collapse; margin: 4px 0; }
.nbt-page :is(th, td), .nbt-diff :is(th, td) { padding: 1px 12px 1px 0; text-align: left;
  vertical-align: top; font-weight: 400; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.nbt-page th, .nbt-diff thead th { color: var(--nbt-muted); }
.nbt-page a { color: var(--jp-content-link-color); }
.nbt-long-text > summary { cursor: pointer; color: var(--nbt-muted); }
.nbt-page pre { margin: 4px 0; padding: 8px; overflow: auto; max-height: 480px;
  background: var(--jp-layout-color2); font: var(--jp-code-font-size)/1.4 var(--jp-code-font-family); }
.nbt-compare-pane { display: flex; flex-direction: column; }
.nbt-compare-table { flex: 1; min-height: 0; }
.nbt-compare-table .nbt-panel { max-width: none; border: 0; }
.nbt-tabs { flex: none; border-bottom: 1px solid var(--nbt-edge); }
.nbt-tabs button { padding: 6px 14px; border: 0; background: none; color: var(--nbt-muted);
  font: inherit; cursor: pointer; border-bottom: 2px solid transparent; }
.nbt-tabs button[aria-selected="true"] { color: var(--nbt-text); border-bottom-color: var(--jp-brand-color1); }
.nbt-diff-pane { flex: 1; min-height: 0; }
.nbt-diff { padding: 10px 16px 40px; }
.nbt-diff p { margin: 2px 0; overflow-wrap: anywhere; }
.nbt-diff h3 { margin: 14px 0 4px; font-size: var(--jp-ui-font-size1); }
.nbt-diff-pick { display: flex; gap: 16px; padding: 8px 16px 0; }
.nbt-diff table.nbt-lines { width: 100%; table-layout: fixed; border: 1px solid var(--nbt-edge); }
.nbt-diff .nbt-lines td { padding: 0 6px; white-space: pre-wrap;
  font: var(--jp-code-font-size)/1.5 var(--jp-code-font-family); }
.nbt-lines .nbt-line-no { width: 4ch; color: var(--nbt-muted); text-align: right; user-select: none; }
.nbt-lines tr:is([data-kind="changed"], [data-kind="removed"]) .nbt-left-text {
  background: color-mix(in srgb, var(--jp-error-color1) 16%, transparent); }
.nbt-lines tr:is([data-kind="changed"], [data-kind="added"]) .nbt-right-text {
  background: color-mix(in srgb, var(--jp-success-color1) 18%, transparent); }
.nbt-lines tr[data-kind="gap"] td { color: var(--nbt-muted); background: var(--jp-layout-color2); }
`;
