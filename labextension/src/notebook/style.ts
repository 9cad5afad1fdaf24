/** The look of what stands in the notebook: badges, a cell that was gone to. */

export const NOTEBOOK_CSS = `
.nbt-badge-line { display: flex; justify-content: flex-end; padding: 3px 0 1px; }
.nbt-badge { display: inline-flex; align-items: center; gap: 6px; max-width: 60ch; height: 18px;
  padding: 0 8px; color: var(--jp-ui-font-color2); background: transparent;
  border: 1px solid var(--jp-border-color2); border-radius: 9px; cursor: pointer;
  font: var(--jp-ui-font-size0)/1 var(--jp-ui-font-family); font-variant-numeric: tabular-nums; }
.nbt-badge span:not(.nbt-dot) { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.nbt-badge .nbt-dot { width: 7px; height: 7px; }
.nbt-badge svg { height: 12px; width: 48px; color: var(--jp-brand-color1); }
.nbt-badge:hover { background: var(--jp-layout-color2); color: var(--jp-ui-font-color1); }
.nbt-flash { animation: nbt-flash 1.6s ease-out; }
@keyframes nbt-flash { 0%, 40% { box-shadow: inset 4px 0 var(--jp-brand-color1);
  background: var(--jp-layout-color2); } }
`;
