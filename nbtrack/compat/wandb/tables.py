"""`wandb.Table`: rows that grow, kept as a table of the run."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from nbtrack.compat.wandb.configured import plain
from nbtrack.compat.wandb.media import Image, keep_images
from nbtrack.compat.wandb.saying import say_ignored, say_once
from nbtrack.compat.wandb.values import Media

if TYPE_CHECKING:
    import pandas as pd

    from nbtrack.tracking.run import Run

_COLUMNS = ("Input", "Output", "Expected")  # wandb's own, where none are named


class Table(Media):
    """Rows and named columns; cells may be pictures.

    >>> table = Table(columns=["word", "n"])
    >>> table.add_data("cat", 2)
    >>> table.add_column("ok", [True])
    >>> table.data, table.get_column("word")
    ([['cat', 2, True]], ['cat'])
    """

    MAX_ROWS = 10_000

    def __init__(
        self,
        columns: Sequence[Any] | None = None,
        data: Any = None,
        rows: Any = None,
        dataframe: pd.DataFrame | None = None,
        dtype: Any = None,
        optional: bool | Sequence[bool] = True,
        allow_mixed_types: bool = False,
        log_mode: Literal["IMMUTABLE", "MUTABLE", "INCREMENTAL"] | None = "IMMUTABLE",
    ) -> None:
        others = {"dtype": dtype, "log_mode": log_mode != "IMMUTABLE"}
        say_ignored("Table", [name for name, value in others.items() if value])
        self.columns: list[Any] = list(_COLUMNS if columns is None else columns)
        self.data: list[list[Any]] = []
        given: Any = (
            dataframe if dataframe is not None else rows if data is None else data
        )
        if given is None:
            return
        if hasattr(given, "columns") and hasattr(given, "to_numpy"):
            self.columns = [str(column) for column in given.columns]
            cells = [given.iloc[:, at].tolist() for at in range(len(self.columns))]
            given = zip(*cells, strict=True)
        elif hasattr(given, "tolist"):
            given = given.tolist()
        for row in given:
            self.add_data(*row)

    def add_data(self, *data: Any) -> None:
        """Add a row.

        Raises
        ------
        ValueError
            When it has more or fewer cells than there are columns.
        """
        if len(data) != len(self.columns):
            raise ValueError(
                f"This table expects {len(self.columns)} columns: {self.columns}, "
                f"found {len(data)}"
            )
        self.data.append(list(data))

    def add_row(self, *row: Any) -> None:
        """As `add_data`."""
        self.add_data(*row)

    def add_column(self, name: str, data: Any, optional: bool = False) -> None:
        """Add a column of as many cells as there are rows.

        Raises
        ------
        ValueError
            When the lengths differ, or there is a column of that name.
        """
        cells = data.tolist() if hasattr(data, "tolist") else list(data)
        if name in self.columns:
            raise ValueError(f"This table has a column {name!r} already")
        if self.data and len(cells) != len(self.data):
            raise ValueError(f"Expected length {len(self.data)}, found {len(cells)}")
        if not self.data:
            if self.columns == list(_COLUMNS):
                self.columns = []
            self.data = [[] for _ in cells]
        self.columns.append(name)
        for row, cell in zip(self.data, cells, strict=True):
            row.append(cell)

    def add_computed_columns(self, fn: Callable[[int, dict[str, Any]], Any]) -> None:
        """Add the columns that `fn(index, row)` returns for each row."""
        new: defaultdict[str, list[Any]] = defaultdict(list)
        for at, row in self.iterrows():
            named = dict(zip(self.columns, row, strict=True))
            for name, value in fn(at, named).items():
                new[name].append(value)
        for name, cells in new.items():
            self.add_column(name, cells)

    def get_column(
        self, name: str, convert_to: Literal["numpy"] | None = None
    ) -> list[Any] | Any:
        """The cells of a column, as an array where that is asked for."""
        at = self.columns.index(name)
        cells = [row[at] for row in self.data]
        if convert_to is None:
            return cells
        import numpy as np

        return np.array(cells)

    def get_index(self) -> list[int]:
        """The numbers of the rows."""
        return list(range(len(self.data)))

    def get_dataframe(self) -> pd.DataFrame:
        """The table as a frame."""
        import pandas as pd

        return pd.DataFrame.from_records(self.data, columns=self.columns)

    def iterrows(self) -> Iterator[tuple[int, list[Any]]]:
        """Number and cells of each row."""
        yield from enumerate(self.data)

    def __len__(self) -> int:
        return len(self.data)

    def keep(self, run: Run, name: str, step: int | None) -> None:
        """Hand it to the run; pictures stand beside it, a sheet for each column."""
        pictures: dict[str, list[Any]] = {}
        rows = [
            [self._cell(name, column, cell, pictures) for column, cell in zipped]
            for zipped in (zip(self.columns, row, strict=True) for row in self.data)
        ]
        run.log_table(rows, name, columns=self.columns, step=step)
        for shown, values in pictures.items():
            images = [value for value in values if isinstance(value, Image)]
            keep_images(run, shown, images, step)
            others = (value for value in values if not isinstance(value, Image))
            for at, other in enumerate(others):
                other.keep(run, f"{shown}/{at}", step)

    def as_json(self) -> str:
        """The table as a file of an artifact, in the form that wandb's own has."""
        rows = [[_json_cell(cell) for cell in row] for row in self.data]
        told = {
            "_type": "table", "columns": self.columns, "data": rows,
            "ncols": len(self.columns), "nrows": len(rows),
        }  # fmt: skip
        return json.dumps(told, default=str)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Table:
        """The table of such a file."""
        return cls(columns=told["columns"], data=told["data"])

    def _cell(
        self, name: str, column: Any, cell: Any, pictures: dict[str, list[Any]]
    ) -> Any:
        if not isinstance(cell, Media):
            return cell
        say_once(
            "pictures in a table",
            "pictures and sounds in a Table are kept beside it, under its name and the "
            "column's",
        )
        shown = f"{name}.{column}"
        pictures.setdefault(shown, []).append(cell)
        return f"{shown}[{len(pictures[shown]) - 1}]"


def _json_cell(cell: Any) -> Any:
    return f"<{type(cell).__name__}>" if isinstance(cell, Media) else plain(cell)
