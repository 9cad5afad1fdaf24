"""The checklist's items about code and configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nbtrack.bundles.contents.check_item import Evidence, Group, Item, listed
from nbtrack.capture.randomness import VARIABLE
from nbtrack.slices.closure import label_of

CODE, CONFIGURATION = Group("Code"), Group("Configuration")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_USE_GIT = (
    "Put the folder of the notebook under git (git init, git add, git commit) and run "
    "the cell again."
)
_LOOK = "Run the cell again with `code` not switched off (NBTRACK_OFF, --off)."
_IMAGE = (
    "Start the notebook from an image named by its digest (docker run IMAGE@sha256:...)"
    " and pass that name in: -e CONTAINER_IMAGE=IMAGE@sha256:..."
)


def code_items(evidence: Evidence) -> Iterator[Item]:
    """Commit, branch, dependencies, container image."""
    yield _commit(evidence)
    yield _branch(evidence)
    yield _dependencies(evidence.packages)
    yield _image(evidence)


def configuration_items(evidence: Evidence) -> Iterator[Item]:
    """Hyper-parameters, training configuration, seeds, environment."""
    yield _params(evidence)
    yield _training(evidence)
    yield _seeds(evidence)
    yield _environment(evidence)


def _commit(evidence: Evidence) -> Item:
    commit, why = evidence.value("git.commit"), evidence.why("git.commit")
    if commit is not None:
        return CODE.ok("commit", commit)
    if why is not None:
        return CODE.missing("commit", why, _USE_GIT)
    return CODE.unknown("commit", "the code was not looked at", _LOOK)


def _branch(evidence: Evidence) -> Item:
    branch, why = evidence.value("git.branch"), evidence.why("git.branch")
    if branch is None and why is None:
        return CODE.unknown("branch", "the code was not looked at", _LOOK)
    if branch is None:
        on_commit = evidence.value("git.commit") is not None
        fix = "Check a branch out (git switch BRANCH) before the run."
        return CODE.missing("branch", why, fix if on_commit else _USE_GIT)
    dirty = evidence.value("git.dirty")
    if dirty is None:
        told = f"{branch}; whether all was committed is not known"
        reason = evidence.why("git.dirty") or "it was not looked at"
        return CODE.unknown("branch", f"{told}: {reason}", "Run `git status` there.")
    if not dirty:
        return CODE.ok("branch", f"{branch}, everything committed")
    changed = listed(evidence.value("git.changed") or [])
    fix = "Commit them before the run: then the commit alone says which code it was."
    kept = [t for t in evidence.store.texts(evidence.record.id, "diff") if t.body]
    if kept:
        told = f"{branch}, with uncommitted changes that the store keeps: {changed}"
        return CODE.ok("branch", told, fix)
    return CODE.missing("branch", f"{branch}, with uncommitted changes: {changed}", fix)


def _dependencies(packages: Mapping[str, Any]) -> Item:
    own = [p for p in packages.get("packages", ()) if p.get("group") == "run"]
    if not own:
        fix = "Run the cell again with `environment` not switched off."
        return CODE.missing("dependencies", "no package is known", fix)
    loose = [p["name"] for p in own if _is_loose(p.get("source") or {})]
    if loose:
        fix = "Install them from an index or from a commit, and run the cell again."
        told = f"installed from a folder, which no lock can name: {listed(loose)}"
        return CODE.missing("dependencies", told, fix)
    bare = [p["name"] for p in own if not _is_hashed(p)]
    n = f"{len(own)} packages" if len(own) > 1 else "1 package"
    if not bare:
        return CODE.ok("dependencies", f"{n} by version and hash")
    fix = "Export again where the package index can be reached, to add the hashes."
    told = f"{n} by version; no hash of {listed(bare)}"
    return CODE.ok("dependencies", told, fix)


def _is_loose(source: Mapping[str, Any]) -> bool:
    return source.get("type") == "editable" and not source.get("commit")


def _is_hashed(package: Mapping[str, Any]) -> bool:
    wheel, source = package.get("wheel") or {}, package.get("source") or {}
    return bool(wheel.get("sha256") or source.get("sha256") or source.get("commit"))


def _image(evidence: Evidence) -> Item:
    image, kind = evidence.value("container.image"), evidence.value("container.kind")
    if image is not None and _DIGEST.search(str(image)):
        return CODE.ok("container image", image)
    if image is not None:
        told = f"{image}, without a digest: another image may be called so by now"
        return CODE.missing("container image", told, _IMAGE)
    why = evidence.why("container.image") or evidence.why("container.kind")
    if why is None and kind is None:
        told = "the machine was not looked at"
        return CODE.unknown("container image", told, _IMAGE)
    return CODE.missing("container image", why or kind, _IMAGE)


def _params(evidence: Evidence) -> Item:
    own = [p for p in evidence.record.params.values() if p.origin != "object"]
    if own:
        told = listed((f"{p.name} = {p.value!r}" for p in own), most=12)
        return CONFIGURATION.ok("hyper-parameters", told)
    fix = (
        "Set them as variables in the tracked cell (lr = 0.1), or in its first line: "
        "%%track NAME -p lr=0.1"
    )
    return CONFIGURATION.missing("hyper-parameters", "none was seen", fix)


def _training(evidence: Evidence) -> Item:
    item, record = "training configuration", evidence.record
    objects = [p for p in record.params.values() if p.origin == "object"]
    told = [f"{p.name} = {p.value!r}" for p in objects]
    found = evidence.slice
    if found is None and record.source is None:
        fix = "Track the cell with %%track, with `source` not switched off."
        return CONFIGURATION.missing(item, "the text of the cell was not kept", fix)
    if found is None:
        return CONFIGURATION.ok(item, listed(["the text of the cell", *told]))
    unkept = [label_of(k.cell) for k in found.kept if k.cell.source is None]
    gaps = [f"{name} ({why})" for name, why in found.missing.items()]
    if unkept or gaps:
        parts = [f"the text of {listed(unkept)} was not kept"] if unkept else []
        parts += [f"not known where it came from: {listed(gaps)}"] if gaps else []
        fix = "Load nbtrack in the first cell, restart, and run the notebook in order."
        return CONFIGURATION.missing(item, "; ".join(parts), fix)
    n = len(found.kept)
    cells = f"all of the code, {n} {'cells' if n > 1 else 'cell'}"
    return CONFIGURATION.ok(item, listed([cells, *told]))


def _seeds(evidence: Evidence) -> Item:
    drawn = evidence.value("rng.drawn_from")
    looked_at = any(n.startswith(("rng.", "seed.")) for n in evidence.facts)
    if drawn is None:
        told = "random generators were not looked at to the end"
        if not looked_at:
            told = "no library with random generators was seen"
        fix = "Run the cell again to its end, with `rng` not switched off."
        return CONFIGURATION.unknown("seeds", told, fix)
    if not drawn:
        return CONFIGURATION.ok("seeds", "no random numbers were drawn")
    held = evidence.value("seed.variables") or {}
    states = _states_kept(evidence)
    seeded: list[str] = []
    bare: list[str] = []
    for name in drawn:
        seed = evidence.value(f"seed.{name}")
        seed = held.get(name) if seed is None else seed
        if seed is not None:
            seeded.append(f"{name}: seed {seed}")
        elif name in states:
            seeded.append(f"{name}: state kept")
        else:
            bare.append(name)
    fix = "Seed all of them in one go: %%track NAME --seed 1"
    if bare:
        return CONFIGURATION.missing("seeds", f"unseeded: {listed(bare)}", fix)
    unseeded = bool(evidence.value("rng.unseeded"))
    return CONFIGURATION.ok("seeds", listed(seeded), fix if unseeded else "")


def _states_kept(evidence: Evidence) -> set[str]:
    texts = evidence.store.texts(evidence.record.id, "rng")
    names = {text.name for text in texts if text.body}
    if evidence.slice is not None:
        names |= {name for kept in evidence.slice.kept for name in kept.restore}
    return {name.removeprefix(VARIABLE) for name in names}


def _environment(evidence: Evidence) -> Item:
    asked = ("python.version", "os.name", "cpu.model", "cpu.usable")
    without = [name for name in asked[:3] if evidence.value(name) is None]
    if len(without) == len(asked[:3]):
        fix = "Run the cell again with `environment` not switched off."
        return CONFIGURATION.unknown("environment", "it was not looked at", fix)
    python, system, cpu, cores = (evidence.value(name) for name in asked)
    told = [f"Python {python}" if python else "", system or "", cpu or ""]
    told += [f"{cores} cores" if cores else "", *_gpus(evidence)]
    line = listed([part for part in told if part])
    if without:
        fix = "Keep what `python -VV; uname -a; lscpu` says beside the bundle."
        return CONFIGURATION.missing("environment", f"{line}; no {without[0]}", fix)
    return CONFIGURATION.ok("environment", line)


def _gpus(evidence: Evidence) -> Sequence[str]:
    names = [
        str(fact.value)
        for name, fact in evidence.facts.items()
        if re.fullmatch(r"gpu\.\d+\.name", name) and fact.value is not None
    ]
    return names or ["no GPU that was seen"]
