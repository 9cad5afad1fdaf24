"""`nbtrack doctor`: what is wrong, why, and the way out."""

from __future__ import annotations

from pathlib import Path

import click

from nbtrack.cli.frame import Verb, say, say_json, with_options

_STYLES = {"ok": "green", "warn": "yellow", "bad": "bold red", "fixed:": "cyan"}


@click.command("doctor", cls=Verb)
@click.option("--deep", is_flag=True, help="Read every byte of the files.")
@click.option("--fix", is_flag=True, help="Put right what can be.")
@with_options
@click.pass_context
def doctor(
    ctx: click.Context, *, deep: bool, fix: bool, store_path: str | None, as_json: bool
) -> None:
    """Say what is wrong with the store and its surroundings, and the way out.

    Blank panels, network mounts, locked or damaged stores, disk use. Without --fix
    nothing is changed. The exit status is 1 where something is bad.
    """
    from nbtrack.analysis.doctor.examine import doctor as examine

    store = None if store_path is None else Path(store_path)
    report = examine(store, deep=deep, fix=fix)
    if as_json:
        say_json(report.to_dict())
    else:
        for line in report.lines():
            say(line, style=_STYLES.get(line.split(" ")[0], ""))
    ctx.exit(0 if report.ok else 1)
