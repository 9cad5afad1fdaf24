"""The style sheet of a bundle's page: the house look, and what only this page has."""

from __future__ import annotations

from nbtrack.analysis.report.style import CSS

STYLE = f"""{CSS}
.part{{padding:22px 0 26px;border-bottom:1px solid var(--edge)}}
.verdict{{border:1px solid var(--edge);border-left-width:5px;border-radius:8px;
padding:10px 14px;margin:.8rem 0 1.2rem}}
.verdict b{{letter-spacing:.03em;margin-right:.4em}}
.verdict.good,.verdict.bad{{color:var(--ink)}}
.verdict.good{{border-left-color:var(--best)}}.verdict.good b{{color:var(--best)}}
.verdict.bad{{border-left-color:var(--worst)}}.verdict.bad b{{color:var(--worst)}}
.checks{{width:100%;table-layout:fixed;min-width:46rem}}
.checks th,.checks td{{padding:5px 14px 5px 0;text-align:left;vertical-align:top;
border-bottom:1px solid var(--edge);overflow-wrap:anywhere;font-weight:400}}
.checks thead th{{color:var(--muted);border-bottom-width:2px}}
.checks th.group{{font-weight:600;padding-top:14px}}
.checks col.item{{width:11rem}}.checks col.state{{width:6.5rem}}
.checks col.fix{{width:38%}}
.checks td.fix{{color:var(--muted)}}
.pill{{display:inline-block;border:1px solid currentColor;border-radius:99px;
padding:0 9px;font-size:12px;line-height:1.6}}
.pill.good{{color:var(--best)}}.pill.bad{{color:var(--worst)}}
.pill.open{{color:var(--muted);border-style:dashed}}
.cell{{margin:0 0 1.1rem}}.cell h3{{margin:.9rem 0 .1rem}}
.cell p{{font-size:13px;margin:.1rem 0}}
.mark{{font-size:12px;font-weight:400;color:var(--muted);margin-left:.5em}}
figure img{{display:block;width:100%;height:auto;max-width:440px}}
figcaption{{font:12px ui-monospace,Menlo,Consolas,monospace}}
.dense tbody th{{white-space:normal;min-width:9rem}}
"""
