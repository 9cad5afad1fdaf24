/** The style of the panel of a sweep, beside the panel's own sheet. */

export const SWEEP_CSS = `
.nbt-sweep { padding-bottom: 2px; }
.nbt-sweep [hidden] { display: none !important; }
.nbt-headline { font-weight: 600; overflow-wrap: anywhere; unicode-bidi: isolate; }
.nbt-sweep .nbt-head { flex-wrap: nowrap; align-items: flex-start; }
.nbt-sweep .nbt-notes, .nbt-sweep .nbt-said { padding: 2px 12px 0; color: var(--nbt-muted); overflow-wrap: anywhere; }
.nbt-sweep .nbt-said { padding: 4px 12px; }
.nbt-sweep .nbt-said[data-error] { color: var(--nbt-danger); }
.nbt-launcher { padding: 6px 12px 4px; }
.nbt-launcher > summary { cursor: pointer; font-weight: 600; width: fit-content; }
.nbt-offers-scroll { max-height: 330px; overflow: auto; margin-top: 4px; }
.nbt-panel .nbt-offers, .nbt-panel .nbt-trials { border-collapse: collapse; margin: 0; border: 0; font-size: 12px; table-layout: auto; }
.nbt-panel .nbt-offers tr, .nbt-panel .nbt-trials tr { background: transparent; }
.nbt-panel .nbt-offers th, .nbt-panel .nbt-offers td {
  padding: 2px 12px 2px 0; text-align: left; vertical-align: top; border: 0; font-weight: 400;
  background: transparent; color: var(--nbt-text); white-space: nowrap; max-width: none; line-height: 22px;
}
.nbt-panel .nbt-offers thead th, .nbt-panel .nbt-trials thead th { color: var(--nbt-muted); font-size: 11px; line-height: 16px; }
.nbt-panel .nbt-offers tbody th {
  font-weight: 600; max-width: 26ch; overflow: hidden; text-overflow: ellipsis; unicode-bidi: isolate;
  font-family: var(--jp-code-font-family, ui-monospace, monospace);
}
.nbt-panel .nbt-offers tr[data-on="false"] th { font-weight: 400; }
.nbt-panel .nbt-offers .nbt-now { max-width: 22ch; overflow: hidden; text-overflow: ellipsis; }
.nbt-panel .nbt-offers code { background: transparent; color: var(--nbt-muted); padding: 0; font-size: 12px; }
.nbt-panel .nbt-offers td.nbt-from { color: var(--nbt-muted); font-size: 11px; }
.nbt-panel .nbt-offers input[type="checkbox"] { margin: 4px 0 0; vertical-align: top; }
.nbt-panel .nbt-offers .nbt-values { white-space: normal; }
.nbt-panel .nbt-offers .nbt-error { padding: 0; max-width: 62ch; line-height: 1.35; font-size: 12px; }
.nbt-sweep input[type="text"] {
  padding: 0 6px; height: 22px; font: 12px/1.5 var(--jp-code-font-family, ui-monospace, monospace);
  border: 1px solid var(--nbt-line); border-radius: 4px; background: var(--nbt-surface); color: var(--nbt-text);
}
.nbt-sweep .nbt-space { width: 34ch; max-width: 100%; }
.nbt-sweep tr[data-on="false"] .nbt-space { color: var(--nbt-muted); }
.nbt-sweep input[aria-invalid="true"] { border-color: var(--nbt-danger); }
.nbt-fields { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 14px; padding-top: 8px; }
.nbt-sweep .nbt-check { display: inline-flex; align-items: center; gap: 5px; color: var(--nbt-muted); white-space: nowrap; }
.nbt-sweep select { height: 22px; font-size: 12px; }
.nbt-form > .nbt-error { padding: 3px 0 0; }
.nbt-launch { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 14px; padding-top: 8px; }
.nbt-panel .nbt-start {
  padding: 2px 16px; border: 1px solid transparent; background: var(--nbt-brand); color: var(--nbt-surface); font-weight: 600;
}
.nbt-panel .nbt-start:disabled { background: var(--nbt-raised); color: var(--nbt-muted); border-color: var(--nbt-line); cursor: default; }
.nbt-budget { color: var(--nbt-text); }
.nbt-curve-box { padding: 8px 12px 0; min-width: 0; }
.nbt-best-curve { display: block; max-width: 100%; font-size: 11px; fill: var(--nbt-muted); font-family: inherit; }
.nbt-best-curve .nbt-grid-line { stroke: var(--nbt-line); fill: none; }
.nbt-best-curve .nbt-best-line { fill: none; stroke: var(--nbt-brand); stroke-width: 2; stroke-linejoin: round; }
.nbt-best-curve .nbt-dot-trial { fill: var(--nbt-muted); opacity: 0.55; }
.nbt-best-curve .nbt-dot-off { fill: none; stroke: var(--nbt-muted); }
.nbt-board { padding: 4px 12px 0; }
.nbt-trials-scroll { overflow: auto; max-height: 420px; }
.nbt-panel .nbt-trials th, .nbt-panel .nbt-trials td {
  padding: 1px 14px 1px 0; text-align: right; white-space: nowrap; border: 0; font-weight: 400; line-height: 22px;
  max-width: 24ch; overflow: hidden; text-overflow: ellipsis; background: transparent; color: var(--nbt-text); vertical-align: baseline;
}
.nbt-panel .nbt-trials thead th { position: sticky; top: 0; z-index: 1; background: var(--nbt-surface); font-weight: 600; }
.nbt-panel .nbt-trials thead th:nth-last-child(2) { text-align: left; }
.nbt-panel .nbt-trials .nbt-left { text-align: left; max-width: 44ch; }
.nbt-panel .nbt-trials td.nbt-muted { color: var(--nbt-muted); }
.nbt-panel .nbt-trials td.nbt-is-best { color: #2e9d57; font-weight: 700; }
.nbt-panel .nbt-trials .nbt-dot { display: inline-block; width: 7px; height: 7px; margin-right: 6px; }
.nbt-panel .nbt-trials .nbt-why { color: var(--nbt-muted); }
.nbt-panel .nbt-trials tbody tr:hover { background: var(--nbt-raised); }
.nbt-panel .nbt-trials tbody tr:hover td, .nbt-panel .nbt-trials tbody tr:hover th { background: transparent; }
.nbt-panel .nbt-promote {
  padding: 0 6px; border: 1px solid var(--nbt-line); background: transparent; font-size: 11px; color: var(--nbt-muted); line-height: 17px;
}
.nbt-panel .nbt-promote:hover, .nbt-panel .nbt-promote:focus-visible { color: var(--nbt-text); border-color: var(--nbt-muted); }
.nbt-rest { display: flex; align-items: center; gap: 10px; padding-top: 2px; }
.nbt-charts-row { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 8px; padding: 8px 12px 2px; }
.nbt-cell-text { padding: 4px 12px; }
.nbt-panel .nbt-cell-text pre {
  margin: 4px 0 0; padding: 6px 8px; max-height: 240px; overflow: auto; border: 1px solid var(--nbt-line); border-radius: 4px;
  background: var(--nbt-raised); font: 12px/1.45 var(--jp-code-font-family, ui-monospace, monospace);
}
.nbt-panel .nbt-cell-text code { background: transparent; color: var(--nbt-text); font: inherit; padding: 0; white-space: pre; }
.nbt-sweep .nbt-line { display: flex; align-items: center; gap: 8px; padding: 6px 12px 7px; }
.nbt-sweep .nbt-line .nbt-load { flex: 1 1 auto; background: var(--nbt-raised); overflow-wrap: anywhere; }
`;
