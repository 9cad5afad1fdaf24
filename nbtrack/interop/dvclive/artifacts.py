"""Artifacts that DVCLive logged: named in `dvc.yaml`, kept in the cache of DVC."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nbtrack.interop.confined import files_below, inside
from nbtrack.interop.dvclive.trees import Tree
from nbtrack.interop.foreign import ForeignArtifact, ForeignFile
from nbtrack.interop.yaml_text import read_yaml

_MD5 = re.compile(r"[0-9a-f]{32}")
_CACHES = (".dvc/cache/files/md5", ".dvc/cache")  # of version 3, and before
_LEVELS = 16  # how far up the repository is looked for


def artifacts_of(tree: Tree, folder: str, notices: list[str]) -> list[ForeignArtifact]:
    """What `dvc.yaml` names, beside the folder or in it."""
    found = []
    for place in ("", f"{folder}/"):
        named = _mapping(_yaml(tree, f"{place}dvc.yaml").get("artifacts"))
        for name, about in named.items():
            artifact = _artifact(tree, place, name=str(name), about=_mapping(about))
            found.append(artifact)
            if not artifact.files:
                notices.append(f"the files of artifact {name} are not here")
    return found


def _artifact(
    tree: Tree, place: str, *, name: str, about: Mapping[str, Any]
) -> ForeignArtifact:
    path = f"{place}{about.get('path', '')}"
    metadata = dict(_mapping(about.get("meta")))
    if about.get("labels"):
        metadata["labels"] = list(about["labels"])
    return ForeignArtifact(
        name,
        list(_files(tree, path)),
        type=str(about.get("type") or "file"),
        description=str(about.get("desc") or ""),
        metadata=metadata,
        path=path,
    )


def _files(tree: Tree, path: str) -> Iterator[ForeignFile]:
    """From the cache by their md5, which is what the run wrote; else as they lie."""
    outs = _yaml(tree, f"{path}.dvc").get("outs")
    md5 = str(_mapping(outs[0]).get("md5", "")) if isinstance(outs, list) else ""
    cached = list(_cached(tree.root, md5, path.rsplit("/", 1)[-1]))
    if cached or not tree.is_workspace:
        yield from cached
        return
    source = inside(tree.root, path)
    if source is None:
        return
    if source.is_file():
        yield ForeignFile(source.name, source)
    elif source.is_dir():
        for name, file in files_below(source, within=tree.root):
            yield ForeignFile(name, file)


def _cached(root: Path, md5: str, name: str) -> Iterator[ForeignFile]:
    is_folder, md5 = md5.endswith(".dir"), md5.removesuffix(".dir")
    file = _in_cache(root, md5, ".dir" if is_folder else "")
    if file is None:
        return
    if not is_folder:
        yield ForeignFile(name, file)
        return
    for entry in json.loads(file.read_bytes()):
        source = _in_cache(root, str(entry["md5"]), "")
        if source is not None:
            yield ForeignFile(str(entry["relpath"]), source)


def _in_cache(root: Path, md5: str, ending: str) -> Path | None:
    if not _MD5.fullmatch(md5):
        return None
    for folder in [root, *root.parents][:_LEVELS]:
        for cache in _CACHES:
            path = folder / cache / md5[:2] / (md5[2:] + ending)
            if path.is_file():
                return path
    return None


def _yaml(tree: Tree, name: str) -> Mapping[str, Any]:
    text = tree.read(name)
    return _mapping(read_yaml(text.decode("utf-8")) if text else None)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
