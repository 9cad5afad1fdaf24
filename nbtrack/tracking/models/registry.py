"""Registers versions of models: from an artifact, a run, or objects.

The files become, or are, one version of an artifact of type model; the registry adds a
version number, a signature and the roles of the files. What breaks who uses the model
is a new major version, and nothing less.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbtrack.errors import ArtifactNotFoundError, ModelError, RunNotFoundError
from nbtrack.records import ArtifactFile, ArtifactRecord, ModelVersion, RunRecord
from nbtrack.store.models import NewModel
from nbtrack.store.semver import Bump, SemVer
from nbtrack.text import shorten
from nbtrack.tracking.checkpoint_files import CopyFolder, checkpoint_name
from nbtrack.tracking.models.formats import Saved, save
from nbtrack.tracking.models.loaded import MODEL
from nbtrack.tracking.models.signature import Signature, compare, signature_of
from nbtrack.tracking.run import Run
from nbtrack.tracking.settled import run_in

if TYPE_CHECKING:
    from nbtrack.store import Store

Parts = list[dict[str, Any]]  # role, path, format, detail
FIRST = SemVer(1, 0, 0)
_FORMATS = {
    ".safetensors": "safetensors", ".pt": "torch", ".pth": "torch", ".ckpt": "torch",
    ".skops": "skops", ".joblib": "joblib", ".pkl": "pickle", ".pickle": "pickle",
    ".ubj": "xgboost", ".onnx": "onnx", ".npy": "npy", ".json": "json",
}  # fmt: skip


def files_and_parts(
    store: Store,
    what: Any,  # a reference, a run, or an object
    parts: Mapping[str, Any],
    name: str,
    *,
    by: str,
) -> tuple[ArtifactRecord, Parts]:
    """The artifact version that holds the files, and the role of each.

    Raises
    ------
    ModelError
        When there is nothing to register, or a part cannot be kept.
    """
    known = None if what is None else _known_version(store, what)
    if known is not None and known.gone_at is not None:
        raise ModelError(f"The files of {known.ref} are gone ({known.gone_why}).")
    if known is not None and not parts:
        return known, _parts_of(store, known)
    kept: list[ArtifactFile] = []
    roles: Parts = []
    if known is None and what is not None:
        parts = {**parts, MODEL: what}
    if parts:
        kept, roles = _save_parts(store, parts)
    if known is not None:
        kept += store.artifact_files(known.id)
        roles += _parts_of(store, known)
    if not roles:
        raise ModelError(
            "There is nothing to register: pass a run, an artifact or a model."
        )
    return _keep(store, name, kept, by=by), roles


def next_version(
    known: list[ModelVersion],
    used: set[str],  # numbers that are not given again
    *,
    version: str | None,
    bump: Bump,
    pre: str | None,
    signature: Signature | None,
) -> str:
    """The number of the version that is registered now.

    Raises
    ------
    ModelError
        When the signature breaks what there is and the number does not say so.
    """
    numbers = [SemVer.parse(each.version) for each in known]
    releases = [number for number in numbers if not number.pre]
    if version is not None:
        chosen = SemVer.parse(version)
    else:
        base = max(releases, default=None) or max(numbers, default=None)
        chosen = _chosen({SemVer.parse(each) for each in used}, base, bump, pre)
    same_major = [number for number in releases if number.major == chosen.major]
    if same_major:  # a repair of 1.x is held against 1.x where 2.0.0 is out
        [old] = [each for each in known if each.version == str(max(same_major))]
        _refuse_break(old, signature, chosen)
    return str(chosen)


def _chosen(
    used: set[SemVer], base: SemVer | None, bump: Bump, pre: str | None
) -> SemVer:
    SemVer(0, 0, 0).bumped(bump, pre=pre)  # a bad word is refused for the first, too
    target = FIRST
    if base is not None:  # a candidate becomes the release that it is one of
        target = base.release if base.pre else base.bumped(bump)
    while target in used:  # a version that was deleted had it
        target = target.bumped(bump)
    if pre is None:
        return target
    same = [n for n in used if n.release == target and n.pre.split(".")[0] == pre]
    return max(same).next_candidate() if same else SemVer.parse(f"{target}-{pre}.1")


def _refuse_break(
    old: ModelVersion, signature: Signature | None, chosen: SemVer
) -> None:
    if old.signature is None or signature is None:
        return
    found = compare(Signature.from_json(old.signature), signature)
    if found.kind == "breaking":
        listed = "; ".join(found.reasons[:5])
        raise ModelError(
            f"{old.name}@{chosen} would break who uses {old.ref}: {listed}. Register "
            'it with bump="major".'
        )


def signature_for(
    store: Store,
    signature: Signature | None,
    data: Any,  # inputs, or a pair of inputs and outputs
    model: Any,
) -> Signature | None:
    """The signature that was given, or inferred; None where nothing tells it."""
    if signature is not None:
        return signature
    inputs, outputs = (
        data if isinstance(data, tuple) and len(data) == 2 else (data, None)
    )
    found = signature_of(inputs, outputs, model=model)
    return found if found.inputs or found.outputs else None


def register(
    store: Store,
    what: Any,
    name: str,
    *,
    parts: Mapping[str, Any],
    signature: Signature | None,
    data: Any,
    version: str | None,
    bump: Bump,
    pre: str | None,
    notes: str,
    by: str,
) -> ModelVersion:
    """Add a version to the registry; see `nbtrack.models.register`."""
    name = checkpoint_name(name)
    told = signature_for(store, signature, data, _model_in(what, parts))

    def number(known: list[ModelVersion], used: set[str]) -> str:
        return next_version(
            known, used, version=version, bump=bump, pre=pre, signature=told
        )

    # Refused before any file is written.
    number(store.model_versions(name), store.numbers_used(name))
    record, roles = files_and_parts(store, what, parts, name, by=by)
    new = NewModel(
        name, record.id, record.run, None if told is None else told.to_json(), roles,
        notes,
    )  # fmt: skip
    return store.register_model(new, number, by=by)


def _model_in(what: Any, parts: Mapping[str, Any]) -> Any:
    if what is None:
        return parts.get(MODEL)
    return None if isinstance(what, str | Run | RunRecord | ArtifactRecord) else what


def _known_version(store: Store, what: Any) -> ArtifactRecord | None:
    """The version that is meant, where it is in the store already."""
    if isinstance(what, ArtifactRecord):
        return what
    if isinstance(what, Run):
        what.record()  # waits until its files are kept
    if isinstance(what, Run | RunRecord):
        return _best_of_run(store, what.id)
    if not isinstance(what, str):
        return None
    try:
        return store.artifact(what)
    except ArtifactNotFoundError as unknown:
        if ":" in what:
            raise
        try:
            return _best_of_run(store, store.run(what).id)
        except RunNotFoundError:
            if os.path.isfile(what):  # Path's own raises for a name too long
                return None  # the path of a model that somebody else wrote
            raise unknown from None


def _best_of_run(store: Store, run: str) -> ArtifactRecord:
    """Its model, else its checkpoint: the best version where one is, else the last."""
    logged = store.artifact_versions(run=run, gone=False)
    for type_ in ("model", "checkpoint"):
        found = [version for version in logged if version.type == type_]
        if found:
            best = [version for version in found if "best" in version.aliases]
            return (best or found)[-1]
    raise ModelError(
        f"Run {run} has logged no model and no checkpoint. Log one with "
        "run.log_artifact(model, name, type='model')."
    )


def _parts_of(store: Store, record: ArtifactRecord) -> Parts:
    """The files of an artifact: a single one is the model, others go by their stem."""
    files = store.artifact_files(record.id)
    found = []
    for file in files:
        path = Path(file.path)
        role = MODEL if len(files) == 1 else path.stem
        format_ = _FORMATS.get(path.suffix.lower(), "file")
        found.append({"role": role, "path": file.path, "format": format_, "detail": {}})
    return found


def _save_parts(
    store: Store, parts: Mapping[str, Any]
) -> tuple[list[ArtifactFile], Parts]:
    with CopyFolder(store.path).folder() as folder:
        saved = {role: _saved(part, folder, role) for role, part in parts.items()}
        kept = store.put_files([folder / each.path for each in saved.values()])
    files = [
        ArtifactFile(each.path, ref.digest, ref.size_bytes)
        for each, ref in zip(saved.values(), kept, strict=True)
    ]
    return files, [{"role": role, **asdict(each)} for role, each in saved.items()]


def _saved(part: Any, folder: Path, role: str) -> Saved:
    if not role.isidentifier():
        raise ModelError(
            f"Part {shorten(repr(role))} cannot be a role. Use model, preprocessor, "
            "selector, or another plain word."
        )
    return save(part, folder, role)


def _keep(
    store: Store, name: str, files: list[ArtifactFile], *, by: str
) -> ArtifactRecord:
    other = store.artifact_versions(name=name)
    if other and other[0].type != MODEL:  # a data set may have the model's name
        name = f"{name}-{MODEL}"
    rows = [file.as_row() for file in files]
    event = {"kind": "artifact", "name": name, "type": MODEL, "files": rows, "by": by}
    run = run_in(store)  # in which the objects were made
    return store.keep_artifact({**event, "run": None if run is None else run.id})
