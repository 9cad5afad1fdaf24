"""The style sheet of a report: system fonts, light and dark as the reader's system is.

Pages are sections: with a target in the address only that one is shown, without one
all are, and so on paper. No script is needed.
"""

from __future__ import annotations

CSS = """
:root{color-scheme:light dark;--ink:#1f2328;--muted:#656d76;--paper:#fff;--edge:#d8dee4;
--tint:#f6f8fa;--link:#0969da;--best:#1a7f45;--worst:#c93c37}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--muted:#9198a1;--paper:#0f1318;
--edge:#30363d;--tint:#171c23;--link:#6cb1ff;--best:#56c27f;--worst:#f2827c}}
*{box-sizing:border-box}
html{scroll-padding-top:3.2rem}
body{margin:0;background:var(--paper);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
header,main,footer{max-width:1180px;margin:0 auto;padding:0 20px}
header{padding-top:24px}
h1{font-size:1.7rem;line-height:1.25;margin:0;overflow-wrap:anywhere}
h2{font-size:1.3rem;margin:0 0 .5rem;overflow-wrap:anywhere}
h3{font-size:1.02rem;margin:1.5rem 0 .4rem;overflow-wrap:anywhere}
h4{font-size:.95rem;margin:1rem 0 .3rem;overflow-wrap:anywhere}
p{margin:.4rem 0;overflow-wrap:anywhere}
.made,.muted,figcaption,footer{color:var(--muted)}
.made{margin:.2rem 0 .6rem}
nav{position:sticky;top:0;z-index:1;background:var(--paper);
border-bottom:1px solid var(--edge)}
nav div{max-width:1180px;margin:0 auto;padding:8px 20px;display:flex;flex-wrap:wrap;
gap:2px 18px}
a{color:var(--link);text-decoration:none}
a:hover,a:focus-visible{text-decoration:underline}
section{padding:22px 0 26px;border-bottom:1px solid var(--edge)}
main:has(section:target) section:not(:target){display:none}
.wide{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;font-size:13.5px;font-variant-numeric:tabular-nums}
.grid{margin:.3rem 0 .6rem}
.grid th,.grid td{padding:3px 14px 3px 0;text-align:left;vertical-align:top;
border-bottom:1px solid var(--edge);font-weight:400;max-width:34rem;
overflow-wrap:anywhere}
.grid thead th{color:var(--muted);white-space:nowrap;
border-bottom-width:2px}
.grid tbody tr:hover{background:var(--tint)}
.grid tbody th{font-weight:500;min-width:6rem}
.dense td,.dense tbody th{white-space:nowrap}
.grid .n{text-align:right}
.best{color:var(--best);font-weight:600}
.worst,.bad{color:var(--worst)}
.good{color:var(--best)}
small{font-size:.85em;color:var(--muted);white-space:nowrap}
small.good{color:var(--best)}small.bad{color:var(--worst)}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(330px,1fr));gap:14px;
margin:.5rem 0}
figure{margin:0;padding:10px 12px;border:1px solid var(--edge);border-radius:8px;
break-inside:avoid}
figure svg{display:block;width:100%;height:auto;max-width:440px}
figcaption{font-size:13px;margin-bottom:4px;overflow-wrap:anywhere}
pre{background:var(--tint);border:1px solid var(--edge);border-radius:6px;
margin:.4rem 0;padding:10px 12px;overflow:auto;max-height:32em;
font:12.5px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
details.card{border:1px solid var(--edge);border-radius:8px;padding:8px 14px;
margin:.5rem 0}
summary{cursor:pointer}
footer{padding:14px 20px 40px;font-size:13px}
@media print{nav{display:none}main section,
main:has(section:target) section:not(:target){display:block}
body{font-size:11px;background:#fff}section{break-before:page}
section:first-child{break-before:auto}.wide,pre{overflow:visible;max-height:none}
pre{white-space:pre-wrap}}
"""
