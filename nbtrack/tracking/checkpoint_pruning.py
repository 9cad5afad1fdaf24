"""Gives up the checkpoints that a run's policy does not keep, and frees their bytes.

Runs on the thread that keeps files, after each save and at the end, never where the
training waits. A version that somebody gave an alias, registered, or used in another
run stays, and so does the one that `best` names. First a version is marked as given up,
then its bytes go: a kill in between leaves garbage, never a version without its bytes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from nbtrack.records import Goal
from nbtrack.tracking.checkpoint_policy import KeepPolicy, Saved, decide, family_of

if TYPE_CHECKING:
    from nbtrack.records import ArtifactRecord, ArtifactUse

CHECKPOINT = "checkpoint"
BY = "keep policy"


class PrunedStore(Protocol):
    """What this module needs of a store."""

    def artifact_versions(
        self, *, ids: list[int] | None = ..., gone: bool | None = ...
    ) -> list[ArtifactRecord]:
        """The versions that fit."""

    def artifact_with_file(self, digest: str) -> list[ArtifactRecord]:
        """The versions that hold this content."""

    def artifact_uses(
        self, *, run: str | None = ..., role: str | None = ...
    ) -> list[ArtifactUse]:
        """Who logged what."""

    def give_up(self, ids: list[int], *, why: Any, by: str) -> list[ArtifactRecord]:
        """Mark versions as gone, but for the protected."""

    def free_files(self, *, older_than_s: float, only: set[str]) -> Any:
        """Remove the bytes of what nothing names."""


@dataclass(frozen=True, slots=True)
class _Entry:
    saved: Saved
    put_at: float  # who kept the same content after that may be about to name it


class Pruner:
    """What one run has saved so far, and what of it is to stay."""

    def __init__(
        self,
        store: PrunedStore,
        run_id: str,
        policy: KeepPolicy,
        goals: Callable[[], Mapping[str, Goal]],
        settle: Callable[[], object],
    ) -> None:
        self.policies: dict[str, KeepPolicy] = {}  # of single names
        self._store = store
        self._run_id = run_id
        self._policy = policy
        self._goals = goals
        self._settle = settle
        self._entries: list[_Entry] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether all is kept, so that there is nothing to do or to remember."""
        return self._policy.keeps_all and all(
            policy.keeps_all for policy in self.policies.values()
        )

    def saved(self, saved: Saved) -> list[Saved]:
        """Another checkpoint is in the store; give up what is to go, and tell it."""
        if self.is_idle:
            return []
        if self._entries is None:  # it may be a resumed run, or all was kept so far
            self._settle()
            self._entries = self._earlier(but=saved)
        self._entries.append(_Entry(saved, time.time()))
        return self.prune()

    def prune(self) -> list[Saved]:
        """Give up what the policy does not keep, and tell what that was."""
        if self._entries is None or self.is_idle:
            return []
        listed = [entry.saved for entry in self._entries]
        goals = self._goals()
        chosen = decide(listed, self._policy, goals, policies=self.policies)
        if not chosen:
            return []
        self._settle()  # what was saved a moment ago has its row by then
        gone = self._give_up({(g.saved.name, g.saved.digest) for g in chosen})
        given_up = [e for e in self._entries if _key(e.saved) in gone]
        for entry in given_up:
            age = max(0.0, time.time() - entry.put_at)
            self._store.free_files(older_than_s=age, only={entry.saved.digest})
        self._entries = [e for e in self._entries if _key(e.saved) not in gone]
        return [entry.saved for entry in given_up]

    def _give_up(self, keys: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Mark them as gone; which of them are."""
        ids: dict[int, tuple[str, str]] = {}
        gone = set()
        for name, digest in keys:
            versions = [
                v for v in self._store.artifact_with_file(digest) if v.name == name
            ]
            if versions and all(version.gone_at for version in versions):
                gone.add((name, digest))  # somebody else has deleted it
            ids |= {
                version.id: (name, digest)
                for version in versions
                if not version.gone_at and version.n_files == 1
                and not _is_best(version)
            }  # fmt: skip
        if ids:
            given = self._store.give_up(list(ids), why="pruned", by=BY)
            gone |= {ids[version.id] for version in given}
        return gone

    def _earlier(self, *, but: Saved) -> list[_Entry]:
        """What the run has saved before, without what is being told of now."""
        now = time.time()
        uses = self._store.artifact_uses(run=self._run_id, role="output")
        uses = [use for use in uses if use.type == CHECKPOINT]
        kept = {
            version.id: version
            for version in self._store.artifact_versions(
                ids=[use.version_id for use in uses], gone=False
            )
        }
        entries = [
            _Entry(_saved(use, kept[use.version_id]), now)
            for use in uses
            if use.version_id in kept
        ]
        if entries and entries[-1].saved == but:
            entries.pop()
        return entries


def _is_best(version: ArtifactRecord) -> bool:
    """Whether `best` names it; of a name of one moment that says nothing."""
    return "best" in version.aliases and family_of(version.name) == version.name


def _saved(use: ArtifactUse, version: ArtifactRecord) -> Saved:
    return Saved(use.name, version.digest, version.size_bytes, use.step, use.metrics)


def _key(saved: Saved) -> tuple[str, str]:
    return saved.name, saved.digest
