"""How `%models` shows its tables and a version's page: static HTML, and plain text.

All of it is text of people and goes through `short` and `escape`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbtrack.analysis.model_page import KnownModel, model_headline, sections_of_model
from nbtrack.notebook.run_page import plain_section, section_html
from nbtrack.notebook.runs_display import as_html, as_text, short
from nbtrack.text import escape, visible

if TYPE_CHECKING:
    import pandas as pd

ROWS_SHOWN = 100
_HINT = "no models yet: nbtrack.models.register(run, 'name') adds one"
_DROPPED = ("run", "created_by")  # said on the version's page


@dataclass(frozen=True)
class ModelsTable:
    """A table of the registry; `df` is the frame behind it, with all rows."""

    df: pd.DataFrame

    def __len__(self) -> int:
        return len(self.df)

    def __repr__(self) -> str:
        return as_text(*self._cells()) if len(self.df) else _HINT

    def _repr_html_(self) -> str:
        return as_html(*self._cells()) if len(self.df) else f"<div>{_HINT}</div>"

    def _cells(self) -> tuple[list[str], list[list[str]], list[str]]:
        heads = [name for name in self.df.columns if name not in _DROPPED]
        heads = [name for name in heads if any(map(_worded, self.df[name]))]
        some = self.df.tail(ROWS_SHOWN)
        columns = [[short(_worded(value)) for value in some[name]] for name in heads]
        rest = len(self.df) - len(some)
        more = [f"… and {rest:,} before; .df has all"] * (rest > 0)
        shown = [name.replace("_", " ") for name in heads]
        return (
            [short(n) for n in shown],
            [list(r) for r in zip(*columns, strict=True)],
            more,
        )


def _worded(value: Any) -> str:
    import pandas as pd

    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, pd.Timestamp):
        return f"{value.to_pydatetime().astimezone():%Y-%m-%d %H:%M}"
    if isinstance(value, float):
        return "" if value != value else f"{value:.6g}"  # NaN is no number
    return "" if value is None else str(value)


@dataclass(frozen=True)
class ModelPage:
    """One version with all that is known of it; `known` holds the records."""

    known: KnownModel

    def __repr__(self) -> str:
        lines = [visible(model_headline(self.known.version))]
        for section in sections_of_model(self.known):
            lines += ["", section.title, *plain_section(section)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = f"<div><b>{escape(model_headline(self.known.version))}</b></div>"
        sections = sections_of_model(self.known)
        shown = ("Load", "Facts", "Inputs and outputs", "History")
        return f"<div>{head}{''.join(section_html(s, shown) for s in sections)}</div>"


@dataclass(frozen=True)
class Card:
    """A model card; `str` is the Markdown, to be written to a file."""

    markdown: str

    def __str__(self) -> str:
        return self.markdown

    def __repr__(self) -> str:
        return self.markdown

    def _repr_markdown_(self) -> str:
        return self.markdown


Shown = ModelsTable | ModelPage | Card
