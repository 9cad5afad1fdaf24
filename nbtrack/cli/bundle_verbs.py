"""`nbtrack export`, `rerun` and `import`: bundles out, run again, and in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nbtrack.cli.export_verb import export_files
from nbtrack.cli.frame import Verb, opened, say, say_json, say_report, with_options
from nbtrack.cli.progress_line import progress_line, shown_runs
from nbtrack.interop.export.formats import WRITERS
from nbtrack.text import visible

if TYPE_CHECKING:
    from nbtrack.bundles.export import Exported
    from nbtrack.store import Store

ENDING = ".nbt.zip"


@click.command("export", cls=Verb)
@click.argument("runs", nargs=-1, metavar="RUN|QUERY...")
@click.option("-o", "--output", metavar="PATH", help="Default: <name>.nbt.zip.")
@click.option("--format", "file_format", type=click.Choice([*WRITERS]), help="Files.")
@click.option("--no-files", is_flag=True, help="With --format: tables alone.")
@click.option("--repeat", default=1, metavar="N", help="Run it N times: the noise.")
@click.option(
    "--data", default="auto", metavar="auto|embed|ref|none", help="What was read."
)
@click.option("--private", multiple=True, metavar="PATTERN", help="Digest alone.")
@click.option("--tolerance", multiple=True, metavar="METRIC=X", help="May be off by X.")
@click.option("--timeout", type=float, metavar="SECONDS", help="For the cells.")
@click.option("--allow-writes", is_flag=True, help="Also outside of their folder.")
@click.option("--offline", is_flag=True, help="Do not ask the index for hashes.")
@click.option("--no-proof", is_flag=True, help="Run nothing: UNPROVEN.")
@with_options
@click.pass_context
def export(
    ctx: click.Context,
    runs: Sequence[str],
    output: str | None,
    *,
    file_format: str | None,
    no_files: bool,
    repeat: int,
    data: str,
    private: Sequence[str],
    tolerance: Sequence[str],
    timeout: float | None,
    allow_writes: bool,
    offline: bool,
    no_proof: bool,
    store_path: str | None,
    as_json: bool,
) -> None:
    """Write a run as a bundle, proven first; or runs as files, with --format.

    RUN: its id, name, the beginning of an id, or last. Its cells are run again in a
    fresh folder. The exit status is 1 where they did not give the same result: the
    bundle is there then, and says UNPROVEN.

    With --format, any number of runs, or a query, are written into the folder -o as
    they are; by default all of them. Nothing is run.
    """
    if file_format is not None:
        export_files(
            runs, output, format=file_format, files=not no_files,
            store_path=store_path, as_json=as_json,
        )  # fmt: skip
        return
    if len(runs) != 1:
        raise click.UsageError("Name one run; or say --format to export several.")
    [run] = runs
    from nbtrack.bundles.export import Wanted, export_as
    from nbtrack.bundles.said import tolerances_of

    wanted = Wanted(
        repeat=repeat,
        data=data,  # type: ignore[arg-type]  # it looks itself
        private=tuple(private),
        tolerance=tolerances_of(tolerance),
        timeout_s=timeout,
        allow_writes=allow_writes,
        offline=offline,
        prove=not no_proof,
        tell=_teller(as_json=as_json),
    )
    with opened(store_path) as store:
        made = export_as(run, output, wanted, store=store)
    _say_made(made, as_json=as_json)
    ctx.exit(0 if made.proof.is_proven or no_proof else 1)


def _say_made(made: Exported, *, as_json: bool) -> None:
    if as_json:
        say_json(
            {"path": str(made.path), "bundle_id": made.bundle_id,
             "proof": made.proof.outcome, "reason": made.proof.reason,
             "bytes": made.size_bytes, "cells": made.n_cells,
             "needs": list(made.needs), "notes": list(made.notes)}
        )  # fmt: skip
        return
    say(made.line)
    if made.needs:
        say(f"needs in the environment: {', '.join(made.needs)}")


@click.command("rerun", cls=Verb)
@click.argument("what", metavar="FILE|RUN")
@click.option("--trust", is_flag=True, help="Run a bundle that is not yours.")
@click.option("--env", metavar="locked|current", help="A fresh environment, or this.")
@click.option("--find-links", multiple=True, metavar="DIR", help="Wheels; repeat it.")
@click.option("--network", is_flag=True, help="Let the cells use the network.")
@click.option("--set", "settings", multiple=True, metavar="NAME=X", help="What if.")
@click.option("--timeout", type=float, metavar="SECONDS", help="For the cells.")
@with_options
@click.pass_context
def rerun(
    ctx: click.Context,
    what: str,
    *,
    trust: bool,
    env: str | None,
    find_links: Sequence[str],
    network: bool,
    settings: Sequence[str],
    timeout: float | None,
    store_path: str | None,
    as_json: bool,
) -> None:
    """Run a bundle or a run again, and judge.

    The exit status is 1 where the result did not come again. The rerun is itself a run
    of the store.
    """
    from nbtrack.bundles.rerun import rerun as run_again
    from nbtrack.bundles.said import settings_of
    from nbtrack.bundles.verdict import GOOD

    with opened(store_path, create=is_bundle(what)) as store:
        verdict = run_again(
            what,
            trust=trust,
            environment=env,  # type: ignore[arg-type]  # it looks itself
            find_links=find_links,
            network=network,
            params=settings_of(settings),
            timeout=timeout,
            store=store,
            tell=_teller(as_json=as_json),
        )
    if as_json:
        say_json(verdict.to_dict())
    else:
        for line in verdict.lines():
            say(line)
    ctx.exit(0 if verdict.verdict in {*GOOD, "WHAT-IF"} else 1)


@click.command("import", cls=Verb)
@click.argument("place", metavar="PLACE")
@click.option("--tool", metavar="NAME", help="Who wrote it. Default: found out.")
@with_options
def import_(
    place: str, *, tool: str | None, store_path: str | None, as_json: bool
) -> None:
    """Take the run of a bundle, or the runs of another tool, into the store.

    PLACE: FILE.nbt.zip; or mlflow.db, a folder mlruns, W&B's wandb, TensorBoard's logs,
    dvclive, a database of trackio or of an Optuna study, what neptune-exporter or
    nbtrack export --format json|parquet wrote.

    Nothing of it is run; of a run all comes or nothing. To import it again changes
    nothing. A store is made where there is none.
    """
    if tool is None and (is_bundle(place) or place.endswith(".zip")):
        with opened(store_path, create=True) as store:
            _import_bundle(place, store, as_json=as_json)
    else:
        _import_runs(place, tool, store_path, as_json=as_json)


def _import_bundle(file: str, store: Store, *, as_json: bool) -> None:
    from nbtrack.bundles.importing.run_import import import_bundle

    run = import_bundle(file, store=store)
    if as_json:
        say_json({"run": run.id, "name": run.name, "status": run.status})
        return
    say(f"imported {run.name} · {run.id}")


def _import_runs(
    place: str, tool: str | None, store_path: str | None, *, as_json: bool
) -> None:
    from nbtrack.interop.importing import import_runs
    from nbtrack.store.locate import folder_for

    # A store is not made for a place that has no runs.
    folder = folder_for(store_path, None)
    with progress_line(shown_runs) as progress:
        done = import_runs(place, tool, store=folder, progress=progress)
    say_report(done, as_json=as_json)


def is_bundle(what: str) -> bool:
    """Whether a word names a bundle: a file of that kind, or its unpacked folder.

    >>> is_bundle("base.nbt.zip"), is_bundle("base")
    (True, False)
    """
    return what.endswith(ENDING) or (Path(what) / "MANIFEST.sha256").is_file()


def verify_bundle(path: str, *, as_json: bool) -> int:
    """Say what a bundle is, without running anything; the exit status."""
    from nbtrack.bundles.verify import verify

    found = verify(path)
    if as_json:
        say_json(found.to_dict())
    else:
        for line in found.lines():
            say(line)
    return 0 if found.state == "INTACT" else 1


def _teller(*, as_json: bool) -> Callable[[str], None]:
    """Says what is done now on stderr, so that stdout has the result alone."""

    def tell(text: str) -> None:
        if not as_json:
            click.echo(visible(text), err=True)

    return tell
