"""What a manifest says, as words and rows that the pages for people share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nbtrack.analysis.wording import count, duration, number
from nbtrack.text import shorten, visible

_GOALS = {"min": "smaller is better", "max": "larger is better"}
_LOCKS = {
    "hashes": "env/pylock.toml: versions and hashes",
    "versions": "env/packages.json: versions, no hashes",
}
_WHATS = {
    "PROVEN": "These cells were run again in a fresh process before the export, and "
    "gave the same",
    "UNPROVEN": "It was not shown that these cells give the result again",
}


def verdict_of(manifest: Mapping[str, Any]) -> tuple[str, str]:
    """The exporter's own check: a word, and a sentence or two.

    Examples
    --------
    >>> verdict_of({"slice": {"proof": "UNPROVEN", "reason": "it failed"}})[1]
    'It was not shown that these cells give the result again: it failed'
    """
    told = manifest.get("slice", {})
    word = "PROVEN" if told.get("proof") == "PROVEN" else "UNPROVEN"
    reason = f": {told['reason']}" if told.get("reason") else "."
    return word, f"{_WHATS[word]}{reason}"


def about_run(manifest: Mapping[str, Any]) -> str:
    """Of which experiment, how it ended, when, how long it took.

    Examples
    --------
    >>> about_run({"run": {"status": "finished", "duration_s": 62.0}})
    'finished · 1:02'
    """
    run = manifest["run"]
    parts = [
        f"experiment {run['experiment']}" if run.get("experiment") else "",
        str(run.get("status") or ""),
        f"{str(run['started_at'])[:19]}Z" if run.get("started_at") else "",
        duration(run["duration_s"]) if run.get("duration_s") is not None else "",
    ]
    return " · ".join(part for part in parts if part)


def metric_rows(manifest: Mapping[str, Any]) -> list[tuple[str, str, str, str, str]]:
    """A row for each metric: name, last value, best value, points, what is better.

    Examples
    --------
    >>> one = {"name": "loss", "goal": "min", "final": 0.5, "best": None, "n": 3}
    >>> metric_rows({"metrics": [one]})
    [('loss', '0.5000', 'not finite', '3', 'smaller is better')]
    """
    return [
        (
            str(metric["name"]),
            _value(metric["final"]),
            _value(metric["best"]) if metric.get("goal") else "",
            count(metric["n"]),
            _GOALS.get(metric.get("goal") or "", ""),
        )
        for metric in manifest.get("metrics", ())
    ]


def _value(value: float | None) -> str:
    return "not finite" if value is None else number(value)


def needs_of(manifest: Mapping[str, Any]) -> list[str]:
    """What a rerun needs, a sentence each.

    Examples
    --------
    >>> needs_of({"environment": {"python": "3.11.7"}, "needs": ["API_KEY"]})[1]
    'In the environment: API_KEY (their values are not in the bundle)'
    """
    environment, data = manifest.get("environment", {}), manifest.get("data", {})
    lines = []
    if environment.get("python"):
        lock = _LOCKS.get(environment.get("lock") or "")
        packages = f"; packages as in {lock}" if lock else ""
        lines.append(f"Python {environment['python']}{packages}")
    if manifest.get("needs"):
        names = ", ".join(map(str, manifest["needs"]))
        lines.append(
            f"In the environment: {names} (their values are not in the bundle)"
        )
    for key, one, more, where in (
        ("n_referenced", "file", "files", "says where each lies"),
        ("n_private", "private file", "private files", "has the digest of each"),
    ):
        n = data.get(key) or 0
        if n:
            what = f"{count(n)} {more if n > 1 else one}"
            lines.append(f"{what} besides the bundle: data/inputs.json {where}")
    return lines


def known_rows(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Facts by name as texts; of those that are not known the reason.

    Examples
    --------
    >>> known_rows({"git.commit": {"missing": "no repository"}, "a": {"value": [1]}})
    [('git.commit', 'not known: no repository'), ('a', '1')]
    """
    return [(str(name), _fact(told)) for name, told in facts.items()]


def _fact(told: Any) -> str:  # Any: a fact as the manifest has it
    if isinstance(told, Mapping):
        if "missing" in told:
            return f"not known: {told['missing']}"
        told = told.get("value")
    if isinstance(told, list | tuple):
        told = ", ".join(map(str, told)) or "none"
    return shorten(visible(str(told)), 300)


def gaps_of(manifest: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """What is not captured, and why.

    Examples
    --------
    >>> list(gaps_of({"not_captured": [{"what": "network", "why": "used"}]}))
    [('network', 'used')]
    """
    return [
        (str(gap["what"]), str(gap["why"])) for gap in manifest.get("not_captured", ())
    ]
