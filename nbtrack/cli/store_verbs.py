"""What the store holds and takes: `artifacts`, `du`, `gc`, `verify`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from nbtrack.cli.frame import (
    Verb,
    Verbs,
    opened,
    say,
    say_json,
    say_report,
    say_table,
    time_of,
    with_options,
)

if TYPE_CHECKING:
    from nbtrack.records import ArtifactRecord

FILES_SHOWN = 100


@click.group("artifacts", cls=Verbs)
def artifacts() -> None:
    """List artifacts and show what is in a version."""


@artifacts.command("list")
@click.argument("name", required=False)
@click.option("--type", "type_", metavar="TYPE", help="Only of this type.")
@with_options
def list_(
    name: str | None, type_: str | None, *, store_path: str | None, as_json: bool
) -> None:
    """List versions, newest first; also those whose files were given up."""
    with opened(store_path) as store:
        found = store.artifact_versions(name=name, type=type_)[::-1]
        if not found and name is not None:
            store.artifact(name)  # an unknown name has its own error
    if as_json:
        say_json([_facts(version) for version in found])
        return
    say_table(
        ["ref", "type", "aliases", "bytes", "files", "created (UTC)", "gone"],
        [
            [v.ref, v.type, ", ".join(v.aliases), v.size_bytes, v.n_files,
             time_of(v.created_at), v.gone_why]
            for v in found
        ],
        empty="no artifacts",
    )  # fmt: skip


@artifacts.command("show")
@click.argument("ref")
@with_options
def show_(ref: str, *, store_path: str | None, as_json: bool) -> None:
    """Show a version: what is said of it, its files, who logged and read it."""
    with opened(store_path) as store:
        version = store.artifact(ref)
        files = store.artifact_files(version.id)
        uses = store.artifact_uses(version=version.id)
    if as_json:
        say_json(
            _facts(version)
            | {"files": [asdict(f) for f in files], "uses": [asdict(u) for u in uses]}
        )
        return
    for name, value in _facts(version).items():
        if value not in (None, "", [], {}):
            say(f"{name}: {value}")
    say("")
    say_table(
        ["file", "bytes", "sha256"],
        [[f.path, f.size_bytes, f.digest or f.uri] for f in files[:FILES_SHOWN]],
    )
    if len(files) > FILES_SHOWN:
        say(f"… and {len(files) - FILES_SHOWN:,} more")
    for use in uses:
        say(f"{use.role} of run {use.run_name} ({use.run}) at step {use.step}")


@click.command("du", cls=Verb)
@click.option(
    "--by",
    type=click.Choice(["run", "artifact", "type"]),
    default="run",
    show_default=True,
    help="Whose the bytes are; what several have is split evenly.",
)
@with_options
def du(by: str, *, store_path: str | None, as_json: bool) -> None:
    """Say who takes the disk.

    The rows add up to the files of the store.
    """
    from nbtrack.analysis.disk_use import disk_use

    with opened(store_path) as store:
        rows = disk_use(store, by)
    if as_json:
        say_json([
            {"kind": kind, "name": name, "id": id_ or None, "bytes": n_bytes}
            for kind, name, id_, n_bytes in rows
        ])  # fmt: skip
        return
    total = ("total", "", "", sum(row[3] for row in rows))
    say_table(["kind", "name", "id", "bytes"], [*rows, total])


@click.command("gc", cls=Verb)
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option(
    "--keep",
    multiple=True,
    metavar="REF",
    help="Spare this version, or a pattern (mlp:*), though it has expired.",
)
@with_options
def gc(
    keep: Sequence[str], *, dry_run: bool, store_path: str | None, as_json: bool
) -> None:
    """Free what has expired, garbage, and cached copies.

    Never touched: versions with an alias of yours, `best`, and registered ones; and
    what was kept within the last hour.
    """
    from nbtrack.tracking.artifacts.cleaning import clean

    with opened(store_path) as store:
        done = clean(store, dry_run=dry_run, keep=keep)
    say_report(done, as_json=as_json)


@click.command("verify", cls=Verb)
@click.argument("ref", required=False)
@with_options
@click.pass_context
def verify(
    ctx: click.Context, ref: str | None, *, store_path: str | None, as_json: bool
) -> None:
    """Read files again, name the damaged; or look at a bundle.

    REF: one version, a bundle (FILE.nbt.zip); default: all versions. The exit status
    is 1 where a file is damaged. References to files elsewhere are looked at where
    they lie. Of a bundle nothing is run.
    """
    from nbtrack.cli.bundle_verbs import is_bundle, verify_bundle

    if ref is not None and is_bundle(ref):
        ctx.exit(verify_bundle(ref, as_json=as_json))
    from nbtrack.errors import ArtifactError
    from nbtrack.tracking.artifacts.verifying import verify_versions

    with opened(store_path) as store:
        if ref is None:
            versions = store.artifact_versions(gone=False)
        else:
            versions = [store.artifact(ref)]
            if versions[0].gone_at is not None:
                raise ArtifactError(f"The files of {ref} are gone.")
        found = verify_versions(store, versions)
    if as_json:
        say_json(asdict(found) | {"ok": found.ok})
    else:
        for line in repr(found).splitlines():
            say(line)
    ctx.exit(0 if found.ok else 1)


def _facts(version: ArtifactRecord) -> dict[str, Any]:
    """A version as JSON."""
    facts = {name: value for name, value in asdict(version).items() if name != "id"}
    return {"ref": version.ref, **facts, "aliases": list(version.aliases)}
