"""`%export`, `%verify` and `%rerun`: a run as a bundle, looked at, and run again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nbtrack.bundles.said import settings_of, tolerances_of
from nbtrack.errors import OptionError
from nbtrack.notebook.arguments import (
    Arguments,
    Option,
    parse_arguments,
    seconds_of,
    unquoted,
)
from nbtrack.notebook.display import updated_line
from nbtrack.notebook.file_links import link_to
from nbtrack.text import escape, shorten, visible

if TYPE_CHECKING:
    from nbtrack.bundles.export import Exported
    from nbtrack.bundles.verdict import Verdict
    from nbtrack.bundles.verify import Verification

EXPORT = (
    Option("output", "one", ("-o", "--output")),
    Option("repeat", "one", ("--repeat",)),
    Option("data", "one", ("--data",)),
    Option("private", "many", ("--private",)),
    Option("tolerance", "many", ("--tolerance",)),
    Option("timeout", "one", ("--timeout",)),
    Option("writes", "flag", ("--allow-writes",)),
    Option("offline", "flag", ("--offline",)),
    Option("unproven", "flag", ("--no-proof",)),
)
RERUN = (
    Option("trust", "flag", ("--trust",)),
    Option("environment", "one", ("--env",)),
    Option("links", "many", ("--find-links",)),
    Option("network", "flag", ("--network",)),
    Option("set", "many", ("--set",)),
    Option("timeout", "one", ("--timeout",)),
)


@dataclass(frozen=True)
class BundleLink:
    """A bundle that was written, shown as a link to it."""

    made: Exported

    @property
    def path(self) -> Path:
        """Of the file, absolute."""
        return self.made.path

    def __fspath__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        return "\n".join(map(visible, [self.made.line, *self._more()]))

    def _repr_html_(self) -> str:
        link = link_to(self.path, "download")
        lines = [escape(self.made.line), *map(escape, self._more())]
        return f"{link}<br>{'<br>'.join(lines)}"

    def _more(self) -> list[str]:
        made = self.made
        needs = [f"needs in the environment: {', '.join(made.needs)}"]
        return (needs if made.needs else []) + list(made.notes[:3])


@dataclass(frozen=True)
class SaidLines:
    """What a verification or a verdict says; `.of` is the thing itself."""

    of: Verification | Verdict

    def __repr__(self) -> str:
        return repr(self.of)

    def _repr_html_(self) -> str:
        first, *rest = self.of.lines()
        more = "<br>".join(map(escape, rest))
        return f"<b>{escape(first)}</b><br>{more}"


def export_magic(line: str) -> BundleLink:
    """Export a run as a bundle; see `%export?`.

    Raises
    ------
    NbtrackError
        For a slip in the line, or what `nbtrack.export` refuses.
    """
    from nbtrack.bundles.export import Wanted, export_as

    found = parse_arguments(line, EXPORT)
    tell = updated_line()
    wanted = Wanted(
        repeat=_count(found, "repeat"),
        data=found.one("data") or "auto",  # type: ignore[arg-type]  # it looks itself
        private=found.many("private"),
        tolerance=tolerances_of(found.many("tolerance")),
        timeout_s=seconds_of(found, "timeout"),
        allow_writes=found.has("writes"),
        offline=found.has("offline"),
        prove=not found.has("unproven"),
        tell=tell,
    )
    made = export_as(_one_word(found, "%export"), found.one("output"), wanted)
    tell("done")
    return BundleLink(made)


def verify_magic(line: str) -> SaidLines:
    """Look at a bundle without running anything; see `%verify?`.

    Raises
    ------
    NbtrackError
        For a slip in the line, or a bundle that cannot be read.
    """
    from nbtrack.bundles.verify import verify

    found = parse_arguments(line, ())
    if len(found.words) != 1:
        raise OptionError("%verify takes one bundle: %verify base.nbt.zip.")
    return SaidLines(verify(unquoted(found.words[0])))


def rerun_magic(line: str) -> SaidLines:
    """Run a bundle or a run again; see `%rerun?`.

    Raises
    ------
    NbtrackError
        For a slip in the line, or what `nbtrack.rerun` refuses.
    """
    from nbtrack.bundles.rerun import rerun

    found = parse_arguments(line, RERUN)
    tell = updated_line()
    verdict = rerun(
        _one_word(found, "%rerun"),
        trust=found.has("trust"),
        environment=found.one("environment"),  # type: ignore[arg-type]  # it looks itself
        find_links=found.many("links"),
        network=found.has("network"),
        params=settings_of(found.many("set")),
        timeout=seconds_of(found, "timeout"),
        tell=tell,
    )
    tell("done")
    return SaidLines(verdict)


def _count(found: Arguments, name: str) -> int:
    text = found.one(name) or "1"
    if not text.isdecimal():
        shown = shorten(visible(text), 40)
        raise OptionError(f"--{name} needs a whole number, not {shown!r}.")
    return int(text)


def _one_word(found: Arguments, magic: str) -> str:
    if len(found.words) > 1:
        shown = shorten(visible(" ".join(found.words)), 60)
        raise OptionError(f"{magic} takes one run or bundle, not {shown!r}.")
    return unquoted(found.words[0]) if found.words else "last"
