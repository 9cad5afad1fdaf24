/** The look of alerts in a panel: the bell, its list, and toasts. */

export const ALERTS_CSS = `
.nbt-panel [data-level] { --nbt-level: #5b84b1; }
.nbt-panel [data-level="warn"] { --nbt-level: #d98f00; }
.nbt-panel [data-level="error"] { --nbt-level: #d64545; }
.nbt-panel .nbt-bell {
  display: inline-flex; align-items: center; gap: 3px; padding: 1px 7px; line-height: inherit;
  border: 1px solid var(--nbt-level); background: transparent; font-weight: 600;
}
.nbt-panel .nbt-bell[hidden], .nbt-alerts[hidden] { display: none; }
.nbt-bell svg { width: 13px; height: 13px; color: var(--nbt-level); }
.nbt-bell:hover, .nbt-bell[aria-expanded="true"] { background: var(--nbt-raised); }
.nbt-panel .nbt-alerts {
  list-style: none; margin: 6px 12px 0; padding: 0; max-height: 150px; overflow-y: auto;
  border: 1px solid var(--nbt-line); border-radius: 4px; background: var(--nbt-raised);
}
.nbt-panel .nbt-alerts li {
  display: flex; flex-wrap: wrap; gap: 0 10px; margin: 0; padding: 2px 8px;
  border-left: 3px solid var(--nbt-level); overflow-wrap: anywhere;
}
.nbt-alerts li > * { min-width: 0; unicode-bidi: isolate; }
.nbt-alerts time { color: var(--nbt-muted); }
.nbt-alerts b, .nbt-toast b { font-weight: 600; }
/* In a row of their own: over a chart they would hide its newest points. */
.nbt-toasts { display: flex; flex-direction: column; gap: 4px; margin: 6px 12px 0; }
.nbt-toasts:empty { display: none; }
.nbt-toast {
  display: flex; align-items: flex-start; gap: 8px; padding: 3px 4px 3px 8px;
  border: 1px solid var(--nbt-line); border-left: 3px solid var(--nbt-level);
  border-radius: 4px; background: var(--nbt-raised); animation: nbt-toast 0.18s ease-out;
}
.nbt-toast-said {
  flex: 1; display: flex; flex-wrap: wrap; gap: 0 10px; min-width: 0;
  overflow-wrap: anywhere; unicode-bidi: isolate;
}
.nbt-toast-said > span {
  display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 4; overflow: hidden;
}
.nbt-panel .nbt-toast .nbt-close { margin: 0; line-height: 1.4; }
@keyframes nbt-toast { from { opacity: 0; transform: translateY(-6px); } }
@media (prefers-reduced-motion: reduce) { .nbt-toast { animation: none; } }
`;
