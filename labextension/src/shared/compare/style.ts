/** The style of the comparison, beside the panel's own sheet. */

export const COMPARE_CSS = `
.nbt-compare { max-width: none; }
.nbt-bar { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 12px; padding: 6px 12px; }
.nbt-panel .nbt-query {
  flex: 1 1 260px; min-width: 140px; max-width: 520px; padding: 2px 6px;
  font: 12px/1.5 var(--jp-code-font-family, ui-monospace, monospace);
  border: 1px solid var(--nbt-line); border-radius: 4px;
  background: var(--nbt-surface); color: var(--nbt-text);
}
.nbt-bar .nbt-error { flex-basis: 100%; padding: 0; }
.nbt-bar .nbt-error[hidden], .nbt-compare [hidden] { display: none; }
.nbt-check { display: inline-flex; align-items: center; gap: 4px; color: var(--nbt-muted); white-space: nowrap; }
.nbt-check input[type="range"] { width: 90px; }
.nbt-columns { position: relative; color: var(--nbt-muted); }
.nbt-columns summary { cursor: pointer; }
.nbt-column-list {
  position: absolute; z-index: 5; display: grid; gap: 1px 14px; max-height: 300px; overflow: auto;
  padding: 8px 12px; border: 1px solid var(--nbt-line); border-radius: 4px; background: var(--nbt-surface);
}
.nbt-grid {
  contain: content; max-height: 432px; overflow: auto; border-block: 1px solid var(--nbt-line);
  background: linear-gradient(var(--nbt-raised) 24px, transparent 24px); /* the head, to the right end */
}
.nbt-panel .nbt-rows { border-collapse: separate; border-spacing: 0; margin: 0; font-size: 12px; border: 0; table-layout: fixed; }
.nbt-panel .nbt-rows th, .nbt-panel .nbt-rows td {
  height: 24px; padding: 0 8px; text-align: right; white-space: nowrap; font-weight: 400; border: 0;
  max-width: none; overflow: hidden; text-overflow: ellipsis; vertical-align: middle; background: var(--nbt-surface); color: var(--nbt-text);
}
.nbt-panel .nbt-rows .nbt-left { text-align: left; }
.nbt-panel .nbt-rows thead th { position: sticky; top: 0; z-index: 2; background: var(--nbt-raised); font-weight: 600; }
.nbt-panel .nbt-rows tbody th { unicode-bidi: isolate; font-weight: 600; }
.nbt-panel .nbt-rows tr.nbt-gap, .nbt-panel .nbt-rows tr.nbt-gap td { padding: 0; border: 0; background: transparent; }
.nbt-panel .nbt-rows tr { background: transparent; }
.nbt-panel .nbt-rows tbody tr:hover th, .nbt-panel .nbt-rows tbody tr:hover td { background: var(--nbt-raised); }
.nbt-panel .nbt-rows tr.nbt-base th, .nbt-panel .nbt-rows tr.nbt-base td { background: var(--nbt-raised); font-weight: 600; }
.nbt-panel .nbt-rows tr.nbt-group th, .nbt-panel .nbt-rows tr.nbt-group td { background: var(--nbt-raised); color: var(--nbt-muted); }
.nbt-panel .nbt-rows small { color: var(--nbt-muted); font-size: 10px; }
.nbt-panel .nbt-rows .nbt-delta[data-good="true"] { color: #2e9d57; }
.nbt-panel .nbt-rows .nbt-delta[data-good="false"] { color: #d64545; }
.nbt-panel .nbt-rows td.nbt-is-best { color: #2e9d57; font-weight: 700; }
.nbt-panel .nbt-rows td.nbt-is-worst { color: #d64545; }
.nbt-panel .nbt-rows svg { display: block; color: var(--nbt-muted); }
.nbt-panel .nbt-sort, .nbt-panel .nbt-icon { padding: 0 2px; border: 0; background: transparent; font-weight: inherit; }
.nbt-panel .nbt-icon { color: var(--nbt-muted); opacity: 0.45; width: 17px; text-align: center; }
.nbt-panel .nbt-icon:hover, .nbt-panel .nbt-icon:focus-visible, .nbt-panel .nbt-icon[aria-pressed="true"] { opacity: 1; color: var(--nbt-text); }
.nbt-panel thead .nbt-icon { visibility: hidden; }
/* They take no room, or a head would not end where its numbers end. */
.nbt-panel thead th:not(.nbt-left) .nbt-icon { position: absolute; left: 2px; top: 2px; background: var(--nbt-raised); opacity: 1; }
.nbt-panel thead th:not(.nbt-left) .nbt-icon + .nbt-icon { left: 19px; }
.nbt-panel thead th:hover .nbt-icon, .nbt-panel thead .nbt-icon:focus-visible, .nbt-panel thead .nbt-icon[aria-pressed="true"] { visibility: visible; }
.nbt-overlay { padding: 0 12px; }
.nbt-legends-wide { display: flex; flex-wrap: wrap; gap: 0 8px; min-height: 20px; }
.nbt-legends-wide .nbt-legend { display: inline-flex; align-items: baseline; gap: 5px; font-size: 12px; }
.nbt-plot-tall { contain: content; position: relative; height: 260px; min-width: 0; overflow: hidden; }
.nbt-compare .u-label { color: var(--nbt-muted); }
.nbt-line { display: flex; align-items: center; gap: 8px; padding: 5px 12px 7px; }
.nbt-line .nbt-load { flex: 1 1 auto; background: var(--nbt-raised); overflow-wrap: anywhere; }
`;
