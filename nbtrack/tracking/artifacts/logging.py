"""Artifacts of a live run: the part of `Run` that logs versions and uses them.

A version is whole or absent. What is wrong with the call raises; what is wrong with the
disk is one line, and the training goes on.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from nbtrack.tracking.recorder import Recorder

if TYPE_CHECKING:
    from nbtrack.records import Goal
    from nbtrack.tracking.artifacts.logged import LoggedArtifact
    from nbtrack.tracking.artifacts.ttl import Ttl
    from nbtrack.tracking.run import Run


class LogsArtifacts(Recorder):
    """Logs and uses the artifacts of one run; `Run` is one."""

    def log_artifact(
        self,
        what: Any,  # a path, an address, or an object: see below
        name: str | None = None,
        *,
        type: str | None = None,
        aliases: str | Iterable[str] = (),
        metadata: Mapping[str, Any] | None = None,
        description: str = "",
        tags: str | Iterable[str] | Mapping[str, str] = (),
        ttl: Ttl | None = None,
        best_by: str | None = None,
        goal: Goal | None = None,
        only_if_better: bool = False,
        step: int | None = None,
        metrics: Mapping[str, Any] | None = None,
    ) -> LoggedArtifact:
        """Keep a version of an artifact: v0, v1, ...; the same bytes are the same one.

        Parameters
        ----------
        what : path, address or object
            A file or folder is copied into the store. Of an address (`s3://...`,
            `gs://...`, `https://...`, `file://...`) only the address and what the
            content was are kept. A table, arrays, a torch module or tensors, an
            estimator, or dicts and lists of JSON values are saved there.
        name : str, optional
            Default: the file's stem, or the class name in lower case.
        type : str, optional
            dataset, model, checkpoint, file, ... Default: by the suffix. All versions
            of a name have the type of the first; another is said and not set.
        aliases : str or list of str
            Names of this version from now on; `latest` moves by itself.
        metadata, description, tags : optional
            What is to be known of it; secrets are taken out. All can be edited later.
        ttl : str, timedelta or seconds, optional
            "30d": after that, `gc` may take the bytes away.
        best_by, goal : str, optional
            What the alias `best` goes by, and whether "min" or "max". Default: the
            first metric whose name tells.
        only_if_better : bool
            Keep nothing unless this is better than the best so far.
        step, metrics : optional
            Default: the latest ones that were logged.

        Returns
        -------
        LoggedArtifact
            With `.ref`, and `.is_kept` and `.why`: a full disk does not raise.

        Raises
        ------
        ArtifactError, OptionError, FileNotFoundError, MissingExtraError
            When there is nothing that could be kept, or it is asked for wrongly.

        Examples
        --------
        >>> import nbtrack
        >>> with nbtrack.start("base") as run:
        ...     run.log(val_loss=0.3)
        ...     logged = run.log_artifact({"w": [1, 2]}, "mlp", type="model")
        >>> logged.record().aliases
        ('best', 'latest')
        """
        from nbtrack.tracking.artifacts.keeping import log_artifact
        from nbtrack.tracking.artifacts.plan import Asked

        asked = Asked(
            name, type, aliases, metadata, description, tags, ttl, best_by, goal,
            only_if_better, step, metrics, dict(self._metrics.goals),
        )  # fmt: skip
        return log_artifact(cast("Run", self), what, asked)

    def use_artifact(
        self, ref: str, *, path: str | os.PathLike[str] | None = None
    ) -> Path:
        r"""A local copy of a version, checked against its digest; noted as an input.

        Parameters
        ----------
        ref : str
            `mlp` (the latest), `mlp:v3`, `mlp:best`; or a registered model's files:
            `fraud@1.2.0`, `fraud@production`.
        path : path, optional
            Where to put it: a file's own path or a folder for it; of several files,
            the folder. Nothing else is ever overwritten. Default: a folder of the
            store, from which it is only read.

        Returns
        -------
        Path
            The file, under its own name; of several files, their folder.

        Raises
        ------
        ArtifactNotFoundError
            When no version answers to that reference.
        ArtifactError
            When its bytes are gone, damaged, or have changed where they are kept.

        Examples
        --------
        >>> import nbtrack
        >>> with nbtrack.start("base") as run:
        ...     logged = run.log_artifact({"classes": ["cat"]}, "labels")
        ...     run.use_artifact("labels:v0").read_text()
        '{\n "classes": [\n  "cat"\n ]\n}'
        """
        from nbtrack.tracking.artifacts.using import use_artifact

        return use_artifact(cast("Run", self), ref, path)
