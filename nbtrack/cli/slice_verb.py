"""`nbtrack slice`: the cells that made a run, as a script that runs alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nbtrack.cli.frame import Verb, opened, said, say_json, say_text, with_options
from nbtrack.text import shorten, visible

if TYPE_CHECKING:
    from nbtrack.slices.slice import Slice


@click.command("slice", cls=Verb)
@click.argument("run")
@click.option("-o", "--output", metavar="FILE", help="Write it there.")
@with_options
def slice_(
    run: str, output: str | None, *, store_path: str | None, as_json: bool
) -> None:
    """Print the cells that made a run, as a script.

    Its grade and the reason for each cell are said on stderr. With -o the files that
    belong beside the script are written too.
    """
    from nbtrack.slices.slice import slice_of_record, without_cells

    with opened(store_path) as store:
        record = store.run(run)
        found = slice_of_record(store, record)
    if found is None:
        raise click.ClickException(said(without_cells(record)))
    path = None if output is None else _written(found, Path(output).expanduser())
    if as_json:
        say_json(
            {"run": record.id, "name": record.name, "grade": found.grade.letter,
             "reasons": list(found.grade.lines), "executions": list(found.executions),
             "missing": dict(found.missing), "script": found.source,
             "path": None if path is None else str(path)}
        )  # fmt: skip
        return
    _explain(found, path)
    if path is None:
        say_text(found.source)


def _explain(found: Slice, path: Path | None) -> None:
    from nbtrack.slices.slice_view import slice_text

    for line in slice_text(found).splitlines():
        click.echo(line, err=True)
    for note in found.script.notes:
        click.echo(visible(note), err=True)
    if path is not None:
        click.echo(f"wrote {visible(str(path))}", err=True)
    elif found.script.files:
        click.echo("-o FILE writes what belongs beside it, too:", err=True)
        for name in found.script.files:
            click.echo(f"  {visible(name)}", err=True)


def _written(found: Slice, path: Path) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return found.script.write(path.parent, path.name)
    except OSError as exc:
        shown = shorten(visible(str(path)), 80)
        raise click.ClickException(
            f"{shown} cannot be written: {exc.strerror}."
        ) from exc
