"""What a remote has: its format, its manifests, and which of them a reference names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nbtrack.errors import ArtifactNotFoundError, RemoteError
from nbtrack.text import did_you_mean, shorten
from nbtrack.tracking.remotes.layout import (
    FORMAT,
    FORMAT_PATH,
    MANIFEST_MAX_BYTES,
    Manifest,
    artifact_folder,
    as_text,
    decoded,
    manifests_in,
    parsed,
)
from nbtrack.tracking.remotes.place import Place, each

_FORMAT_MAX_BYTES = 10_000
_NUMBER = re.compile(r"v(\d{1,9})")


@dataclass(frozen=True, slots=True)
class Transfer:
    """What a push or a pull has done.

    `versions` and `models` are those that are new or changed on the side that was
    written to, `notices` what is to be known besides, a sentence each.
    """

    url: str
    versions: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    n_objects: int = 0
    n_bytes: int = 0
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference as a transfer understands it: a bare name means every version.

    >>> Ref.of("mlp:v3"), Ref.of("fraud@1.2.0").is_model
    (Ref(name='mlp', which='v3', is_model=False), True)
    """

    name: str
    which: str
    is_model: bool = False

    @classmethod
    def of(cls, text: str) -> Ref:
        """Read one; of a model all versions are meant, whichever is named."""
        if "@" in text:
            return cls(text.partition("@")[0], "", is_model=True)
        name, _, which = text.partition(":")
        return cls(name, which)


def check_format(place: Place) -> bool:
    """Whether nbtrack has been there; RemoteError where a newer one has."""
    content = place.read(FORMAT_PATH, at_most=_FORMAT_MAX_BYTES)
    if content is None:
        return False
    parsed(content, FORMAT_PATH)
    return True


def begin(place: Place) -> None:
    """Say which format is used there, where nobody has yet; clear up after the dead."""
    if not check_format(place):
        place.write(FORMAT_PATH, as_text({"format": FORMAT}))
    place.tidy()


def manifests_at(place: Place, names: Iterable[str] | None) -> list[Manifest]:
    """The versions that are there, of all artifacts or of these, oldest first.

    Raises RemoteError for a manifest that is damaged.
    """
    if names is None:
        folders = ["artifacts"]
    else:
        folders = [artifact_folder(name) for name in dict.fromkeys(names)]
    paths = [path for found in each(place.names, folders) for path in found]
    found = list(each(lambda path: _read(place, path), manifests_in(paths)))
    return sorted(found, key=lambda m: (m.name, m.version, m.created_at, m.digest))


def chosen(manifests: Sequence[Manifest], refs: Iterable[Ref]) -> list[Manifest]:
    """Those that the references name, each once.

    Raises ArtifactNotFoundError, naming what there is.
    """
    by_name: defaultdict[str, list[Manifest]] = defaultdict(list)
    for manifest in manifests:
        by_name[manifest.name].append(manifest)
    found = [manifest for ref in refs for manifest in _named(by_name, ref)]
    return list({manifest.path: manifest for manifest in found}.values())


def _named(by_name: dict[str, list[Manifest]], ref: Ref) -> list[Manifest]:
    there = by_name.get(ref.name, [])
    if not there:
        raise ArtifactNotFoundError(
            f"The remote has no artifact {shorten(repr(ref.name))}."
            f"{did_you_mean(ref.name, by_name)}"
        )
    number = _NUMBER.fullmatch(ref.which)
    if not ref.which:
        return there
    if ref.which == "latest":
        return there[-1:]
    if number:
        found = [m for m in there if m.version == int(number[1])]
    else:
        found = [m for m in there if ref.which in m.aliases]
    if not found:
        known = [f"v{m.version}" for m in there] + [a for m in there for a in m.aliases]
        raise ArtifactNotFoundError(
            f"The remote has no {shorten(repr(ref.name))} {shorten(repr(ref.which))}. "
            f"It has: {shorten(', '.join(dict.fromkeys(known)), 200)}."
        )
    return found


def _read(place: Place, path: str) -> Manifest:
    content = place.read(path, at_most=MANIFEST_MAX_BYTES)
    if content is None:
        raise RemoteError(f"{place.shown}: {path} went away meanwhile. Try again.")
    if len(content) > MANIFEST_MAX_BYTES:
        raise RemoteError(f"{place.shown}: {path} is too long to be a manifest.")
    return decoded(content, path)
