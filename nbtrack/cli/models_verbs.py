"""The registry in a terminal: `models` and `card`."""

from __future__ import annotations

from dataclasses import asdict

import click

from nbtrack.cli.frame import (
    Verb,
    Verbs,
    opened,
    say,
    say_json,
    say_table,
    time_of,
    with_options,
)


@click.group("models", cls=Verbs)
def models() -> None:
    """List registered models, versions, events."""


@models.command("list")
@with_options
def list_(*, store_path: str | None, as_json: bool) -> None:
    """List the models: how many versions, which are in staging and production."""
    with opened(store_path) as store:
        rows = []
        for name in store.model_names():
            known = store.model_versions(name)
            at = {version.stage: version.version for version in known}
            latest = store.model(name).version if known else None
            rows.append(
                (name, len(known), latest, at.get("staging"), at.get("production"))
            )
    columns = ["name", "versions", "latest", "staging", "production"]
    if as_json:
        say_json([dict(zip(columns, row, strict=True)) for row in rows])
        return
    say_table(columns, rows, empty="no models")


@models.command("versions")
@click.argument("name")
@with_options
def versions(name: str, *, store_path: str | None, as_json: bool) -> None:
    """List the versions of a model, lowest first."""
    with opened(store_path) as store:
        store.model(name)  # an unknown name has its own error
        known = store.model_versions(name)
        made_of = {
            version.id: version.ref
            for version in store.artifact_versions(ids=[v.artifact for v in known])
        }
    if as_json:
        say_json([asdict(v) | {"artifact": made_of[v.artifact]} for v in known])
        return
    say_table(
        ["version", "stage", "aliases", "artifact", "run", "approved by", "notes"],
        [
            [v.version, v.stage, ", ".join(v.aliases), made_of[v.artifact], v.run,
             v.approved_by, v.notes]
            for v in known
        ],
    )  # fmt: skip


@models.command("events")
@click.argument("name")
@with_options
def events(name: str, *, store_path: str | None, as_json: bool) -> None:
    """List all that happened to a model: when, what, who, why."""
    with opened(store_path) as store:
        happened = store.model_events(name)
        if not happened:
            store.model(name)
    if as_json:
        say_json([asdict(event) for event in happened])
        return
    say_table(
        ["at (UTC)", "version", "what", "from", "to", "by", "why"],
        [
            [time_of(e.at), e.version, e.what, e.from_stage, e.to_stage, e.by, e.why]
            for e in happened
        ],
    )


@click.command("card", cls=Verb)
@click.argument("ref")
@with_options
def card(ref: str, *, store_path: str | None, as_json: bool) -> None:
    """Print the model card of a version.

    In Markdown: nbtrack card fraud@production > CARD.md
    """
    from nbtrack.analysis.model_card import model_card

    with opened(store_path) as store:
        version = store.model(ref)
        text = model_card(store, version)
    if as_json:
        say_json({"ref": version.ref, "card": text})
        return
    for line in text.splitlines():
        say(line)
