"""`%media`, `nbtrack.show_media`: rich values over steps, runs side by side.

One page without a script: a row of dots, one a step, goes through the steps by mouse
or arrow keys, and each run shows what it had there. It stands in a frame that is
sealed (no scripts, nothing fetched), so it also works in a saved notebook, without a
kernel. HTML of a run stands in a sealed frame of its own within it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nbtrack.analysis.media_view import RichValue, media
from nbtrack.errors import OptionError
from nbtrack.notebook.arguments import Option, parse_arguments, unquoted
from nbtrack.records import RunRecord
from nbtrack.text import escape, shorten, visible

if TYPE_CHECKING:
    import pandas as pd

    from nbtrack.store import Store
    from nbtrack.tracking.run import Run

BYTES_MAX = 8 * 2**20  # of pictures in one page; of more steps an even share is shown
STEPS_MAX = 60
RUNS_MAX = 6
ROWS_SHOWN = 20
TEXT_SHOWN = 4000  # characters
_HEIGHT = (180, 620)  # px of the frame
_DATA_IMAGES = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/svg+xml"}
)
_SEALED = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "img-src data:; media-src data:; font-src data:; style-src 'unsafe-inline'\">"
)
_STYLE = """
body{margin:0;font:13px system-ui,sans-serif;color:#222;background:#fff}
.row,.head{display:flex;gap:12px;align-items:flex-start;margin:4px}
.row>div,.head>div{flex:1;min-width:0}
.row img,.row video{max-width:100%;image-rendering:auto;border:1px solid #ddd}
.row img.small{image-rendering:pixelated;min-width:160px}
.row iframe{width:100%;height:320px;border:1px solid #ddd}
.note{color:#777}.step{display:none}pre{white-space:pre-wrap;overflow-wrap:anywhere}
table{border-collapse:collapse}td,th{border:1px solid #ddd;padding:1px 5px}
h4{margin:6px 4px 0}input{margin:2px}
"""
OPTIONS = (Option("name", "one", ("-n", "--name")),)


@dataclass(frozen=True)
class MediaSheet:
    """Rich values of runs as they are shown; `values` are those in it."""

    runs: tuple[str, ...]
    values: tuple[tuple[RichValue, ...], ...] = field(repr=False)  # of each run

    def __repr__(self) -> str:
        lines = [
            f"{visible(run)}: {visible(value.name)} step {value.step} ({value.type})"
            for run, values in zip(self.runs, self.values, strict=True)
            for value in values[:ROWS_SHOWN]
        ]
        return "\n".join(lines) or "no rich values"

    def _repr_html_(self) -> str:
        page = self.page()
        low, high = _HEIGHT
        height = min(high, max(low, 120 + 260 * page.count("<h4>")))
        return (
            f'<iframe sandbox srcdoc="{_attribute(page)}" style="width:100%;'
            f'height:{height}px;border:0;resize:vertical"></iframe>'
        )

    def page(self) -> str:
        """The page within the frame: no script, nothing from outside."""
        names = dict.fromkeys(v.name for values in self.values for v in values)
        room = BYTES_MAX // max(1, len(names))
        parts = [self._section(name, at, room) for at, name in enumerate(names)]
        head = _row("head", [f"<b>{escape(run)}</b>" for run in self.runs])
        body = head + "".join(parts) if parts else "<p>no rich values</p>"
        return (
            f"<!doctype html><html><head>{_SEALED}<style>{_STYLE}</style></head>"
            f"<body>{body}</body></html>"
        )

    def _section(self, name: str, at: int, room: int) -> str:
        """One name: its dots, and what each run has at each step."""
        of_runs = [
            {v.step: v for v in values if v.name == name} for values in self.values
        ]
        every = sorted({step for values in of_runs for step in values})
        steps = _that_fit(every, of_runs, room)
        dots = "".join(_dot(at, k, step, len(steps)) for k, step in enumerate(steps))
        shown = "".join(
            f'<div class="step s{at}-{k}">{_at_step(of_runs, step)}</div>'
            for k, step in enumerate(steps)
        )
        rules = "".join(
            f"#d{at}-{k}:checked~.s{at}-{k}{{display:block}}" for k in range(len(steps))
        )
        left_out = len(every) - len(steps)
        note = f'<span class="note">{left_out} steps left out</span>'
        return (
            f"<style>{rules}</style><div><h4>{escape(name)}</h4>{dots}"
            f"{note if left_out else ''}{shown}</div>"
        )


def show_media(
    *runs: Run | RunRecord | str, name: str | None = None, store: Store | None = None
) -> MediaSheet:
    """Show rich values of runs, side by side at the same step.

    Parameters
    ----------
    *runs : Run, RunRecord or str
        Default: the last run.
    name : str, optional
        Only values of this name.

    Returns
    -------
    MediaSheet
        Which a notebook shows.

    Raises
    ------
    RunNotFoundError, OptionError
        When a run, or something of that name, is not there.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     run.log_text("a sample", "sample")
    >>> nbtrack.show_media("base")
    base: sample step 0 (text)
    """
    chosen = runs or ("last",)
    if len(chosen) > RUNS_MAX:
        raise OptionError(f"{len(chosen)} runs do not fit: show at most {RUNS_MAX}.")
    found = [tuple(media(run, name, store=store)) for run in chosen]
    labels = [
        values[0].run if values else _label(run)
        for run, values in zip(chosen, found, strict=True)
    ]
    return MediaSheet(tuple(labels), tuple(found))


def media_magic(line: str) -> MediaSheet:
    """`%media [RUN...] [--name NAME]`.

    Raises
    ------
    OptionError, RunNotFoundError
        For a slip in the line.
    """
    asked = parse_arguments(line, OPTIONS)
    return show_media(*map(unquoted, asked.words), name=asked.one("name"))


# ---- steps


def _that_fit(
    steps: Sequence[int], of_runs: list[dict[int, RichValue]], room: int
) -> list[int]:
    """The steps that are shown: all, or an even share with the first and the last."""
    sizes = {
        step: sum((v[step].record.size_bytes or 0) for v in of_runs if step in v)
        for step in steps
    }
    n = min(len(steps), STEPS_MAX)
    while n > 1 and sum(sizes[step] for step in _share(steps, n)) * 4 > room * 3:
        n = n * 2 // 3
    return _share(steps, n)


def _share(steps: Sequence[int], n: int) -> list[int]:
    if n <= 1:
        return list(steps[-1:])
    last = len(steps) - 1
    return [steps[round(k * last / (n - 1))] for k in range(n)]


def _dot(at: int, k: int, step: int, n: int) -> str:
    checked = " checked" if k == n - 1 else ""
    hidden = " hidden" if n == 1 else ""
    return (
        f'<input type="radio" name="n{at}" id="d{at}-{k}" title="step {step}"'
        f"{checked}{hidden}>"
    )


def _at_step(of_runs: list[dict[int, RichValue]], step: int) -> str:
    cells = [
        _shown(values[step]) if step in values else '<span class="note">–</span>'
        for values in of_runs
    ]
    return f'<div class="note">step {step}</div>' + _row("row", cells)


def _row(kind: str, cells: Sequence[str]) -> str:
    return f'<div class="{kind}">{"".join(f"<div>{c}</div>" for c in cells)}</div>'


# ---- values


def _shown(value: RichValue) -> str:
    body = _BY_TYPE.get(value.type, _as_hint)(value)
    caption = value.caption
    return body + (f"<div>{escape(caption)}</div>" if caption else "")


def _picture(value: RichValue) -> str:
    mime = value.record.mime or ""
    if mime not in _DATA_IMAGES:
        return _as_hint(value)
    small = ' class="small"' if value.data.get("width", 1000) < 100 else ""
    return _with_data(value, lambda uri: f'<img{small} src="{uri}" alt="">')


def _sound(value: RichValue) -> str:
    return _with_data(value, lambda uri: f'<audio controls src="{uri}"></audio>')


def _film(value: RichValue) -> str:
    if value.record.mime == "image/gif":
        return _picture(value)
    return _with_data(value, lambda uri: f'<video controls src="{uri}"></video>')


def _with_data(value: RichValue, element: Callable[[str], str]) -> str:
    """An element whose data stands in the page itself."""
    body = value.body() or b""
    if len(body) > BYTES_MAX:
        return f'<span class="note">{len(body) / 2**20:.0f} MiB, not shown here</span>'
    mime = escape(value.record.mime or "application/octet-stream")
    return element(f"data:{mime};base64,{base64.b64encode(body).decode()}")


def _text(value: RichValue) -> str:
    return f"<pre>{escape_lines(shorten(value.load(), TEXT_SHOWN))}</pre>"


def _html(value: RichValue) -> str:
    html = value.load()
    if len(html) > BYTES_MAX // 4:
        return _as_hint(value)
    return f'<iframe sandbox srcdoc="{_attribute(_SEALED + html)}"></iframe>'


def _table(value: RichValue) -> str:
    return _as_table(value.load())


def _matrix(value: RichValue) -> str:
    return _as_table(value.load().reset_index())


def _as_table(frame: pd.DataFrame) -> str:
    head = "".join(f"<th>{_cell(name)}</th>" for name in frame.columns)
    rows = "".join(
        f"<tr>{''.join(f'<td>{_cell(entry)}</td>' for entry in row)}</tr>"
        for row in frame.head(ROWS_SHOWN).itertuples(index=False, name=None)
    )
    rest = len(frame) - ROWS_SHOWN
    more = f'<div class="note">… and {rest} more rows</div>' if rest > 0 else ""
    return f"<table><tr>{head}</tr>{rows}</table>{more}"


def _histogram(value: RichValue) -> str:
    """Bars as a small picture."""
    counts, edges = value.load()
    peak = max(1, int(counts.max(initial=0)))
    bars = "".join(
        f"<rect x='{k * 4}' y='{80 - 80 * int(n) / peak:.1f}' width='3' "
        f"height='{80 * int(n) / peak:.1f}' fill='#2f86c5'/>"
        for k, n in enumerate(counts[:256])
    )
    width = 4 * min(256, len(counts))
    return (
        f"<svg width='{width}' height='80'>{bars}</svg>"
        f'<div class="note">{edges[0]:.4g} … {edges[-1]:.4g}</div>'
    )


def _features(value: RichValue) -> str:
    series = value.load().head(ROWS_SHOWN)
    rows = "".join(
        f"<tr><td>{_cell(name)}</td><td>{size:.4g}</td></tr>"
        for name, size in series.items()
    )
    return f"<table>{rows}</table>"


def _as_hint(value: RichValue) -> str:
    """What needs plotly: where to see it, and the number that stands for it."""
    area = value.data.get("auc", value.data.get("average_precision"))
    told = "" if area is None else f"{area:.4g} · "
    how = _HOW.get(value.type, "nbtrack.media(run)[…].load()")
    return f'<span class="note">{escape(told + value.type)}: {escape(how)}</span>'


_HOW = {"roc": "nbtrack.plot_roc(run)", "pr": "nbtrack.plot_pr(run)"}
_BY_TYPE: dict[str, Callable[[RichValue], str]] = {
    "image": _picture,
    "figure": _picture,
    "text": _text,
    "html": _html,
    "audio": _sound,
    "video": _film,
    "table": _table,
    "predictions": _table,
    "confusion_matrix": _matrix,
    "histogram": _histogram,
    "importance": _features,
    "shap": _features,
}


# ---- text


def escape_lines(text: str) -> str:
    """Text of several lines: each escaped, the breaks kept."""
    return "\n".join(escape(line) for line in text.split("\n"))


def _cell(value: object) -> str:
    return escape(shorten(str(value), 80))


def _attribute(page: str) -> str:
    """A page within a quoted attribute; it is markup already, and sealed."""
    return page.replace("&", "&amp;").replace('"', "&quot;")


def _label(run: Run | RunRecord | str) -> str:
    return run if isinstance(run, str) else run.name
