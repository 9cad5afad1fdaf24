"""`nbtrack.verify`: whether a bundle is whole, could run here, and has its data.

It reads and compares. It never runs what a bundle holds, unpickles none of it, fetches
nothing and writes nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbtrack.bundles.archive.manifest import MANIFEST
from nbtrack.bundles.archive.reading import Bundle, Problems, open_bundle
from nbtrack.bundles.data_state import INPUTS, data_state
from nbtrack.bundles.environment_state import PACKAGES, environment_state
from nbtrack.text import shorten, visible

_SHOWN = 10  # names of each kind; `to_dict` has all of them


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` found of a bundle; shows itself in words."""

    state: str  # INTACT, TAMPERED, INCOMPLETE
    bundle_id: str
    run: str  # its name; empty where manifest.json cannot be believed
    proof: str  # PROVEN or UNPROVEN, as the exporter found; empty likewise
    environment: str  # EXACT, COMPATIBLE, MISSING
    environment_why: tuple[str, ...] = ()  # a sentence for each difference
    data: tuple[tuple[str, str], ...] = ()  # path -> PRESENT, FETCHABLE, PRIVATE, ...
    tampered: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()

    @property
    def is_intact(self) -> bool:
        """Whether every member is what the list says, and nothing else is there."""
        return self.state == "INTACT"

    def lines(self) -> list[str]:
        """For people; what the bundle chose is made visible."""
        about = f"bundle {self.bundle_id[:12]}, run {_shown(self.run) or 'unknown'}"
        lines = [f"{about}: {self.state}"]
        for what in ("tampered", "missing", "extra"):
            lines += _listed(what, getattr(self, what))
        lines.append(f"environment: {self.environment}")
        lines += [f"  {_shown(why)}" for why in self.environment_why[:_SHOWN]]
        lines += _rest(len(self.environment_why))
        lines.append(f"data: {len(self.data) or 'no'} file{'s'[: len(self.data) != 1]}")
        lines += [f"  {state} {_shown(path)}" for path, state in self.data[:_SHOWN]]
        lines += _rest(len(self.data))
        lines.append(f"proof: {self.proof or 'unknown'}")
        return lines

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return dataclasses.asdict(self)

    def __repr__(self) -> str:
        return "\n".join(self.lines())


def verify(path: Path | str) -> Verification:
    """Check a bundle, zipped or unpacked, without running any of it.

    Parameters
    ----------
    path : path
        A file `NAME.nbt.zip`, or the folder it was unpacked to.

    Returns
    -------
    Verification
        `state`: INTACT; TAMPERED (`tampered`, `extra` name the files); INCOMPLETE
        (`missing`). `environment`: EXACT, COMPATIBLE or MISSING, with sentences in
        `environment_why`. `data`: each file's path, and whether it is PRESENT,
        FETCHABLE, PRIVATE, CHANGED or MISSING.

    Raises
    ------
    BundleError
        Where it is no bundle, or one that is malformed.

    Examples
    --------
    >>> import nbtrack
    >>> nbtrack.verify("none.nbt.zip")
    Traceback (most recent call last):
    ...
    nbtrack.errors.BundleError: Opening 'none.nbt.zip' failed: No such file or
    directory.
    """
    with open_bundle(path) as bundle:
        problems = bundle.problems()
        manifest = _believed(bundle, problems, MANIFEST)
        environment, why = _environment(bundle, problems)
        return Verification(
            state=_state(problems),
            bundle_id=bundle.id,
            run=str(manifest["run"]["name"]) if manifest else "",
            proof=_proof(manifest),
            environment=environment,
            environment_why=why,
            data=_data(bundle, problems),
            tampered=problems.tampered,
            missing=problems.missing,
            extra=problems.extra,
        )


def _state(problems: Problems) -> str:
    if problems.tampered or problems.extra:
        return "TAMPERED"
    return "INCOMPLETE" if problems.missing else "INTACT"


def _proof(manifest: Mapping[str, Any] | None) -> str:
    about = (manifest or {}).get("slice") or {}
    return str(about.get("proof") or "")


def _environment(bundle: Bundle, problems: Problems) -> tuple[str, tuple[str, ...]]:
    packages = _believed(bundle, problems, PACKAGES)
    if packages is None:
        return "MISSING", (f"{PACKAGES} is missing or was changed",)
    return environment_state(packages)


def _data(bundle: Bundle, problems: Problems) -> tuple[tuple[str, str], ...]:
    inputs = _believed(bundle, problems, INPUTS)
    tampered = frozenset(problems.tampered)
    names = (name for name in bundle.names if name not in tampered)
    sound = {name: bundle.sha256(name) for name in names}
    return data_state(inputs or {}, sound=sound, tampered=tampered)


def _believed(
    bundle: Bundle, problems: Problems, name: str
) -> Mapping[str, Any] | None:
    """A JSON member that is as the list says; None for another."""
    if name in problems.tampered or name not in bundle.names:
        return None
    found = bundle.manifest if name == MANIFEST else bundle.json(name)
    return found if isinstance(found, Mapping) else {}


def _listed(what: str, names: tuple[str, ...]) -> list[str]:
    lines = [f"  {what}: {_shown(name)}" for name in names[:_SHOWN]]
    return lines + _rest(len(names))


def _rest(n: int) -> list[str]:
    return [f"  and {n - _SHOWN} more"] if n > _SHOWN else []


def _shown(text: str) -> str:
    return shorten(visible(text), 200)
