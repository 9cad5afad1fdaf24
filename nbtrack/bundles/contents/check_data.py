"""The checklist's items about data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nbtrack.bundles.contents.check_item import Evidence, Group, Item, listed

DATA = Group("Data")
_NOTHING = "no data was seen to be read"
_SHOW = (
    "Name the data in the tracked cell, nbtrack.current().log_input(data, 'train'), "
    "with `data` not switched off."
)
_SHORT = 12  # letters of a digest


def data_items(evidence: Evidence) -> Iterator[Item]:
    """Digest, version, source path, number of rows, features."""
    files = [f for f in evidence.inputs.get("files", ()) if f.get("role") != "folder"]
    variables = list(evidence.inputs.get("variables", ()))
    yield _digest(files, variables)
    yield _version(evidence)
    yield _path(files, variables)
    yield _rows(files, variables)
    yield _features(evidence, files)


def _digest(files: list[Any], variables: list[Any]) -> Item:
    found = {str(f["path"]): f.get("sha256") for f in files}
    found |= {str(v["name"]): v.get("digest") for v in variables}
    if not found:
        return DATA.unknown("digest", _NOTHING, _SHOW)
    bare = [name for name, digest in found.items() if not digest]
    if bare:
        fix = "Keep what is too large or far away as a file, and read that in a cell."
        return DATA.missing("digest", f"not known of {listed(bare)}", fix)
    told = (f"{name}: sha256 {digest[:_SHORT]}…" for name, digest in found.items())
    return DATA.ok("digest", listed(told))


def _version(evidence: Evidence) -> Item:
    uses = evidence.store.artifact_uses(run=evidence.record.id, role="input")
    if uses:
        return DATA.ok("version", listed(f"{u.name}:v{u.version}" for u in uses))
    fix = (
        "Log the data once, run.log_artifact('train.csv', type='dataset'), and take it "
        "from there: run.use_artifact('train:v0')."
    )
    return DATA.missing("version", "no version of an artifact was used", fix)


def _path(files: list[Any], variables: list[Any]) -> Item:
    if files:
        return DATA.ok("source path", listed(f["path"] for f in files))
    fix = "Read the data from a file in a cell, as pandas.read_csv('train.csv')."
    if variables:
        names = listed(v["name"] for v in variables)
        return DATA.missing("source path", f"no file was read; {names} came up", fix)
    return DATA.unknown("source path", _NOTHING, fix)


def _rows(files: list[Any], variables: list[Any]) -> Item:
    found = {str(v["name"]): v.get("n_rows") for v in variables}
    found |= {
        str(f["path"]): f["schema"]["n_rows"]
        for f in files
        if isinstance(f.get("schema"), Mapping) and f["schema"].get("n_rows")
    }
    told = [f"{name}: {n:,}" for name, n in found.items() if isinstance(n, int)]
    if told:
        return DATA.ok("number of rows", listed(told))
    if found or files:
        names = listed([*found, *(f["path"] for f in files)])
        return DATA.missing("number of rows", f"not known of {names}", _SHOW)
    return DATA.unknown("number of rows", _NOTHING, _SHOW)


def _features(evidence: Evidence, files: list[Any]) -> Item:
    known = evidence.store.inputs(evidence.record.id)
    columns = {one.name: _columns(one.detail) for one in known}
    columns |= {str(f["path"]): _columns(f.get("schema")) for f in files}
    told = [f"{name}: {listed(found)}" for name, found in columns.items() if found]
    if told:
        return DATA.ok("features", "; ".join(told))
    if columns:
        fix = "Hand the data over as a frame with named columns, as pandas.DataFrame."
        return DATA.missing("features", f"no names in {listed(columns)}", fix)
    return DATA.unknown("features", _NOTHING, _SHOW)


def _columns(told: Any) -> list[str]:  # Any: of JSON, in one of two forms
    """The names, from a list of columns or from what has one."""
    found = told.get("columns") if isinstance(told, Mapping) else told
    if isinstance(found, Mapping):
        return [str(name) for name in found]
    if not isinstance(found, list):
        return []
    names = (c.get("name") if isinstance(c, Mapping) else c for c in found)
    return [str(name) for name in names if name is not None]
