/** The panel's style sheet, put into the page once; every class starts with `nbt-`. */

import { ALERTS_CSS } from './alertStyle';

const CSS = `
.nbt-panel {
  --nbt-text: var(--jp-content-font-color1, #212121);
  --nbt-muted: var(--jp-content-font-color2, #616161);
  --nbt-line: var(--jp-border-color2, #dcdcdc);
  --nbt-surface: var(--jp-layout-color1, #fff);
  --nbt-raised: var(--jp-layout-color2, #f2f2f2);
  --nbt-brand: var(--jp-brand-color1, #1976d2);
  --nbt-danger: var(--jp-error-color1, #c62828);
  container-type: inline-size;
  box-sizing: border-box;
  max-width: 1080px;
  margin: 4px 2px 6px;
  border: 1px solid var(--nbt-line);
  border-radius: 6px;
  overflow: hidden;
  background: var(--nbt-surface);
  color: var(--nbt-text);
  font: 13px/1.45 var(--jp-ui-font-family, system-ui, sans-serif);
  font-variant-numeric: tabular-nums;
}
.nbt-panel *, .nbt-panel *::before { box-sizing: border-box; }
.nbt-panel[data-dark="true"]:not([data-jp]) {
  --nbt-text: #e0e0e0; --nbt-muted: #a8a8a8; --nbt-line: #424242;
  --nbt-surface: #1b1b1b; --nbt-raised: #2a2a2a; --nbt-brand: #64b5f6; --nbt-danger: #ef9a9a;
}
.nbt-progress { height: 2px; background: transparent; }
.nbt-progress > div {
  height: 100%; width: 0; background: var(--nbt-brand); transition: width 0.25s linear;
}
.nbt-head {
  display: flex; flex-wrap: wrap; align-items: center; gap: 2px 14px;
  padding: 8px 12px 0;
}
.nbt-title { display: flex; align-items: center; gap: 8px; min-width: 0; }
.nbt-dot {
  flex: none; width: 9px; height: 9px; border-radius: 50%; background: var(--nbt-muted);
}
.nbt-dot[data-status="running"] { background: #2e9d57; animation: nbt-pulse 1.8s ease-in-out infinite; }
.nbt-dot[data-status="finished"] { background: #2e9d57; }
.nbt-dot[data-status="failed"], .nbt-dot[data-status="crashed"] { background: #d64545; border-radius: 1px; }
.nbt-dot[data-status="stopped"], .nbt-dot[data-status="pruned"] { background: #d98f00; border-radius: 1px; }
@keyframes nbt-pulse { 50% { opacity: 0.35; } }
@media (prefers-reduced-motion: reduce) {
  .nbt-dot { animation: none !important; }
  .nbt-progress > div { transition: none; }
}
.nbt-name {
  font-weight: 600; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
  max-width: 36ch; unicode-bidi: isolate;
}
.nbt-grade {
  flex: none; padding: 0 4px; border: 1px solid currentColor; border-radius: 3px;
  font-size: 11px; color: var(--nbt-muted); cursor: default;
}
.nbt-grade[hidden] { display: none; }
.nbt-grade[data-grade="A"] { color: #2e9d57; }
.nbt-grade[data-grade="B"] { color: #5b84b1; }
.nbt-grade[data-grade="C"] { color: #d98f00; }
.nbt-grade[data-grade="D"] { color: #d64545; }
.nbt-muted { color: var(--nbt-muted); }
.nbt-time { color: var(--nbt-muted); white-space: nowrap; }
.nbt-controls { display: flex; align-items: center; gap: 8px; margin-left: auto; }
.nbt-panel select, .nbt-panel button {
  font: inherit; color: inherit; border-radius: 4px; cursor: pointer;
}
.nbt-x { color: var(--nbt-muted); display: flex; align-items: center; gap: 4px; }
.nbt-panel select {
  padding: 1px 2px; border: 1px solid var(--nbt-line);
  background: var(--nbt-surface); color: var(--nbt-text);
}
.nbt-stop {
  display: inline-flex; align-items: center; gap: 6px; padding: 1px 10px;
  border: 1px solid var(--nbt-line); background: transparent;
}
.nbt-stop[hidden] { display: none; }
.nbt-stop::before { content: ""; width: 8px; height: 8px; background: var(--nbt-danger); border-radius: 1px; }
.nbt-stop:hover:not(:disabled) { background: var(--nbt-raised); border-color: var(--nbt-danger); }
.nbt-stop:disabled { color: var(--nbt-muted); cursor: default; }
.nbt-panel :focus-visible { outline: 2px solid var(--nbt-brand); outline-offset: 1px; }
.nbt-best { display: flex; flex-wrap: wrap; gap: 0 18px; padding: 2px 12px 0; min-height: 21px; overflow-wrap: anywhere; }
.nbt-best b { font-weight: 600; }
.nbt-error { padding: 2px 12px 0; color: var(--nbt-danger); overflow-wrap: anywhere; }
.nbt-charts {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(min(240px, 100%), 1fr));
  gap: 4px 16px; padding: 8px 12px 0;
}
.nbt-chart { min-width: 0; display: grid; grid-row: span 2; grid-template-rows: subgrid; gap: 0; margin-bottom: 4px; }
.nbt-chart-head { display: flex; flex-wrap: wrap; align-items: baseline; align-content: flex-end; gap: 0 4px; min-height: 22px; }
.nbt-chart-title { font-weight: 600; margin-right: 6px; overflow-wrap: anywhere; unicode-bidi: isolate; }
.nbt-chart-note { color: var(--nbt-muted); font-size: 11px; }
.nbt-panel .nbt-legend {
  display: inline-flex; align-items: baseline; gap: 5px; padding: 0 4px; font-size: 12px;
  border: 0; background: transparent; max-width: 100%;
}
.nbt-legend:hover { background: var(--nbt-raised); }
.nbt-legend[aria-pressed="false"] { opacity: 0.45; text-decoration: line-through; }
.nbt-legends { display: contents; }
.nbt-swatch { flex: none; align-self: center; width: 14px; height: 0; border-top: 2px solid currentColor; }
.nbt-legend-name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; max-width: 22ch; unicode-bidi: isolate; }
.nbt-legend-value { min-width: 5ch; text-align: right; color: var(--nbt-muted); }
.nbt-plot { position: relative; height: 144px; min-width: 0; overflow: hidden; }
.nbt-pick {
  display: flex; flex-wrap: wrap; align-items: center; gap: 2px 8px; margin: 4px 12px 0;
  padding: 4px 8px; border: 1px solid var(--nbt-line); border-radius: 4px; background: var(--nbt-raised);
}
.nbt-pick[hidden], .nbt-pick [hidden] { display: none; }
.nbt-pick b { overflow-wrap: anywhere; unicode-bidi: isolate; }
.nbt-panel .nbt-load {
  padding: 1px 6px; border-radius: 3px; background: var(--nbt-surface); color: var(--nbt-text);
  font-size: 12px; overflow-wrap: anywhere; user-select: all;
}
.nbt-panel .nbt-copy, .nbt-panel .nbt-close {
  padding: 0 8px; border: 1px solid var(--nbt-line); background: var(--nbt-surface);
}
.nbt-panel .nbt-close { margin-left: auto; border-color: transparent; background: transparent; }
.nbt-plot .u-over { cursor: crosshair; }
.nbt-table-scroll { overflow-x: auto; padding: 6px 12px 0; }
.nbt-panel .nbt-table { border-collapse: collapse; font-size: 12px; margin: 0; table-layout: auto; width: auto; border: 0; }
.nbt-panel .nbt-table th, .nbt-panel .nbt-table td {
  padding: 1px 0 1px 16px; text-align: right; white-space: nowrap; font-weight: 400;
  border: 0; background: transparent; max-width: none; vertical-align: baseline;
}
.nbt-panel .nbt-table tr { background: transparent; }
.nbt-panel .nbt-table th:first-child { text-align: left; padding-left: 0; unicode-bidi: isolate; }
.nbt-panel .nbt-table thead th { color: var(--nbt-muted); font-size: 11px; }
.nbt-panel .nbt-table tbody th { max-width: 30ch; overflow: hidden; text-overflow: ellipsis; }
.nbt-panel .nbt-table td { color: var(--nbt-muted); }
.nbt-panel .nbt-table td.nbt-last { color: var(--nbt-text); font-weight: 600; }
.nbt-panel .nbt-table td.nbt-note { text-align: left; font-size: 11px; }
/* The last and the best value are in view before those that came earlier. */
@container (max-width: 720px) { .nbt-table tr > :is(:nth-child(2), :nth-child(3)) { display: none; } }
@container (max-width: 520px) { .nbt-table tr > :is(:nth-child(4), :nth-child(5)) { display: none; } }
.nbt-foot {
  display: flex; flex-wrap: wrap; gap: 0 14px; padding: 5px 12px 7px;
  color: var(--nbt-muted); font-size: 11px; min-height: 26px;
}
.nbt-empty { padding: 6px 12px 0; color: var(--nbt-muted); }
.nbt-sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.nbt-panel .uplot, .nbt-panel .uplot *, .nbt-panel .uplot *::before { box-sizing: border-box; }
.nbt-panel .uplot { width: min-content; line-height: 1.5; }
.nbt-panel .u-wrap { position: relative; user-select: none; }
.nbt-panel .u-over, .nbt-panel .u-under { position: absolute; }
.nbt-panel .u-under { overflow: hidden; }
.nbt-panel .uplot canvas { display: block; position: relative; width: 100%; height: 100%; }
.nbt-panel .u-axis { position: absolute; }
.nbt-panel .u-select { background: var(--nbt-muted); opacity: 0.18; position: absolute; pointer-events: none; }
.nbt-panel .u-cursor-x, .nbt-panel .u-cursor-y { position: absolute; left: 0; top: 0; pointer-events: none; will-change: transform; }
.nbt-panel .u-hz .u-cursor-x { height: 100%; border-right: 1px solid var(--nbt-muted); opacity: 0.6; }
.nbt-panel .u-hz .u-cursor-y { display: none; }
.nbt-panel .u-cursor-pt {
  position: absolute; top: 0; left: 0; border-radius: 50%; border: 0 solid; pointer-events: none;
  will-change: transform; background-clip: padding-box !important;
}
.nbt-panel .u-off { display: none; }
${ALERTS_CSS}`;

const ID = 'nbt-panel-style';

/** Add a sheet to the document (or shadow root) that holds `element`. */
export function ensureStyle(element: Element, id = ID, css = CSS): void {
  const root = element.getRootNode();
  const home = root instanceof ShadowRoot ? root : document.head;
  const known = home.querySelector(`#${id}`);
  // A page that outlives a reinstall keeps the old sheet: take over its text.
  if (known?.textContent === css) return;
  known?.remove();
  const sheet = document.createElement('style');
  sheet.id = id;
  sheet.textContent = css;
  home.append(sheet);
}
