/** The look of the side bar. */

export const SIDEBAR_CSS = `
.nbt-side-head { padding: 6px 8px 4px; border-bottom: 1px solid var(--nbt-edge); }
.nbt-side-title { display: flex; align-items: center; gap: 8px; }
.nbt-side-title h2 { margin: 0; font-size: var(--jp-ui-font-size1); font-weight: 600; }
.nbt-side-title [role="status"] { flex: 1; }
.nbt-side-tools { display: flex; gap: 4px; align-items: center; margin-top: 4px; }
.nbt-side-gap { flex: 1; }
.nbt-which { flex: 1; min-width: 0; }
.nbt-search { width: 100%; margin-top: 4px; padding: 3px 6px; font-family: var(--jp-code-font-family); }
.nbt-search[aria-invalid="true"] { border-color: var(--jp-error-color1); }
.nbt-sidebar :is(input, select, button), .nbt-page :is(textarea, nav button),
.nbt-diff-pick select {
  box-sizing: border-box; color: inherit; background: var(--jp-layout-color1);
  border: 1px solid var(--jp-border-color1); border-radius: 3px;
  font-size: var(--jp-ui-font-size1); }
.nbt-sidebar button, .nbt-page nav button { padding: 1px 7px; cursor: pointer; }
.nbt-sidebar button:disabled, .nbt-page nav button:disabled { opacity: 0.45; cursor: default; }
.nbt-sidebar .nbt-tool { border: 0; padding: 2px 4px; height: 22px; }
.nbt-sidebar button:hover:not(:disabled), .nbt-page nav button:hover:not(:disabled) {
  background: var(--jp-layout-color2); }
.nbt-sidebar .nbt-toggle[aria-pressed="true"] {
  background: var(--jp-layout-color3); border-color: var(--jp-brand-color1); }
.nbt-sidebar :focus-visible, .nbt-page :focus-visible, .nbt-tabs :focus-visible {
  outline: 2px solid var(--jp-brand-color1); outline-offset: -1px; }
.nbt-troubles { margin: 0; padding: 0; list-style: none; }
.nbt-troubles li { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3;
  overflow: hidden; margin: 2px 0; padding: 0 8px; border-bottom: 1px solid var(--nbt-edge);
  border-left: 3px solid var(--jp-warn-color1); overflow-wrap: anywhere; }
.nbt-troubles li[data-state="problem"] { border-left-color: var(--jp-error-color1); }
.nbt-tree { flex: 1; min-height: 0; overflow: auto; padding: 2px 0; }
.nbt-item { display: flex; align-items: center; gap: 6px; height: 26px; padding-right: 4px;
  box-sizing: border-box; cursor: pointer; }
.nbt-item:hover { background: var(--jp-layout-color2); }
.nbt-tree:focus-visible { outline: none; }
.nbt-tree:focus .nbt-item[data-active], .nbt-tree:focus-within .nbt-item[data-active] {
  box-shadow: inset 2px 0 var(--jp-brand-color1); background: var(--jp-layout-color2); }
.nbt-run[aria-selected="true"] { background: color-mix(in srgb, var(--jp-brand-color1) 18%, transparent); }
.nbt-item-notebook { font-weight: 600; }
.nbt-fold::before { content: "▸"; display: inline-block; width: 10px; color: var(--nbt-muted); }
.nbt-fold[data-open="true"]::before { transform: rotate(90deg); }
.nbt-item-name { flex: 1 0 9ch; width: 9ch; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; unicode-bidi: isolate; }
.nbt-item-n, .nbt-item-store { color: var(--nbt-muted); font-weight: 400; }
.nbt-item-store { flex: 0 1 auto; max-width: 12ch; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; }
.nbt-sidebar [data-level], .nbt-card [data-level] { --nbt-level: #5b84b1; }
:is(.nbt-sidebar, .nbt-card) [data-level="warn"] { --nbt-level: #b87800; }
:is(.nbt-sidebar, .nbt-card) [data-level="error"] { --nbt-level: #d64545; }
.nbt-alert-mark { flex: none; min-width: 15px; padding: 0 4px; border-radius: 8px; text-align: center;
  box-sizing: border-box; font-size: 10px; font-weight: 600; line-height: 15px; color: #fff;
  background: var(--nbt-level); }
.nbt-card .nbt-card-alert { padding-left: 6px; border-left: 3px solid var(--nbt-level); }
.nbt-item-best { flex: none; min-width: 6ch; text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap; }
.nbt-item-spark { flex: 0 1 56px; min-width: 0; height: 16px; color: var(--jp-brand-color1); }
.nbt-item-spark svg { width: 100%; height: 100%; display: block; }
.nbt-item-spark path { fill: none; vector-effect: non-scaling-stroke; stroke: currentColor; stroke-width: 1.25; }
.nbt-box { flex: none; width: 11px; height: 11px; border: 1px solid var(--jp-ui-font-color2, #616161);
  border-radius: 50%; opacity: 0.7; box-sizing: border-box; }
.nbt-item:hover .nbt-box, .nbt-box[data-on], [data-active] .nbt-box { opacity: 1; }
.nbt-box[data-on] { background: var(--jp-brand-color1); border-color: var(--jp-brand-color1); }
.nbt-star-mark { flex: none; color: var(--nbt-muted); opacity: 0; background: none; border: 0;
  cursor: pointer; font-size: 13px; }
.nbt-item:hover .nbt-star-mark, [data-active] .nbt-star-mark, .nbt-page .nbt-star-mark { opacity: 0.7; }
.nbt-star-mark[data-on] { opacity: 1; color: #d98f00; }
.nbt-dragged { padding: 2px 10px; color: var(--jp-ui-font-color1); background: var(--jp-layout-color1);
  border: 1px solid var(--jp-brand-color1); border-radius: 3px; opacity: 0.9; }
.nbt-chosen { display: flex; flex-wrap: wrap; gap: 4px; align-items: center; padding: 6px 8px;
  border-top: 1px solid var(--nbt-edge); }
.nbt-chosen [role="status"] { flex: 1; white-space: nowrap; }
.nbt-card { position: fixed; z-index: 1000; width: 320px; max-height: 60vh; overflow: hidden;
  box-sizing: border-box; padding: 8px 12px; pointer-events: none;
  color: var(--jp-ui-font-color1); background: var(--jp-layout-color1);
  border: 1px solid var(--jp-border-color1); border-radius: 4px;
  box-shadow: var(--jp-elevation-z8, 0 4px 12px rgb(0 0 0 / 30%)); }
.nbt-card header { display: flex; gap: 8px; align-items: center; }
.nbt-card strong { overflow: hidden; text-overflow: ellipsis; unicode-bidi: isolate; }
.nbt-card p { margin: 2px 0; overflow-wrap: anywhere; }
.nbt-card dl { display: grid; grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); margin: 6px 0;
  column-gap: 10px; border-top: 1px solid var(--nbt-edge); padding-top: 4px; }
.nbt-card dt { color: var(--nbt-muted); overflow: hidden; text-overflow: ellipsis; }
.nbt-card dd { margin: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
.nbt-card-notes { white-space: pre-line; }
`;
