"""Every error nbtrack raises on purpose, as one tree.

    NbtrackError
    ├── StoreError            the store cannot be found, opened, read or written
    │   ├── StoreNotFoundError  no store answers to that id
    │   ├── StoreReadOnlyError  its folder cannot be written
    │   ├── StoreTooNewError  written by a newer nbtrack: open it read-only or upgrade
    │   └── StoreDamagedError SQLite says the file is not sound
    ├── RunNotFoundError      no run (or more than one) answers to that id or name
    ├── ResumeError           the run still goes on, or lies in the trash
    ├── MetricNotFoundError   the run has no such metric
    ├── CheckpointError       none such, damaged, or unpickling it needs trust
    ├── ArtifactError         a file, name or reference that cannot be an artifact
    │   ├── ArtifactNotFoundError  no artifact or version answers to that reference
    │   ├── FileGoneError     the bytes of a file were given up, or lost
    │   └── RemoteError       a remote that cannot be reached, or is not sound
    ├── ModelError            what the registry refuses, with the way out
    │   └── ModelNotFoundError     no model or version answers to that reference
    ├── QueryError            a query text that cannot be understood, with the place
    ├── OptionError           an option of a magic or function, with a did-you-mean
    ├── ImportSourceError     another tool's files that are not there, or not readable
    ├── SweepError            trials that would not be independent, or all fail
    ├── BundleError           a bundle that is damaged, malformed, or not trusted
    ├── JobNotFoundError      the server makes no file of that id, or did long ago
    ├── BusyError             as much is being made already as may be at once
    ├── EnvironmentBlockedError  an environment that cannot be made here: says why
    ├── ValueNotLoggedError   a value that is no number, only where asked to be strict
    └── MissingExtraError     an optional package is needed: names the extra

    RunStopped(KeyboardInterrupt)  the Stop button was pressed

Messages say what happened, show the offending value, and name the way out.
"""

from __future__ import annotations


class NbtrackError(Exception):
    """The root: `except nbtrack.NbtrackError` catches all below."""


class StoreError(NbtrackError):
    """The store cannot be found, opened, read or written."""


class StoreNotFoundError(StoreError):
    """No store that is known here answers to that id."""


class StoreReadOnlyError(StoreError):
    """A change was asked of a store that can only be read."""


class StoreTooNewError(StoreError):
    """The store was written by a newer nbtrack; reading works, writing does not."""


class StoreDamagedError(StoreError):
    """SQLite reports that the database file is not sound."""


class RunNotFoundError(NbtrackError, KeyError):
    """No run, or more than one, answers to that id or name."""

    # KeyError's own __str__ shows repr(message); a sentence reads better plain.
    __str__ = Exception.__str__


class ResumeError(NbtrackError):
    """A run cannot be resumed: it still goes on, or lies in the trash."""


class MetricNotFoundError(NbtrackError, KeyError):
    """The run has no metric of that name."""

    __str__ = Exception.__str__


class CheckpointError(NbtrackError):
    """A checkpoint is missing, damaged, or may only be read with `trust=True`."""


class ArtifactError(NbtrackError):
    """A file, name or reference that cannot be an artifact, or one that is damaged."""


class ArtifactNotFoundError(ArtifactError, KeyError):
    """No artifact, or no version of it, answers to that reference."""

    __str__ = Exception.__str__


class FileGoneError(ArtifactError):
    """A file of an artifact that is still listed, but no longer kept."""


class RemoteError(ArtifactError):
    """A remote cannot be reached or written, or what lies there is not sound."""


class ModelError(NbtrackError):
    """What the model registry refuses, with the way out."""


class ModelNotFoundError(ModelError, KeyError):
    """No registered model, or no version of it, answers to that reference."""

    __str__ = Exception.__str__


class QueryError(NbtrackError, ValueError):
    """A query text that cannot be understood."""


class OptionError(NbtrackError, ValueError):
    """An unknown, doubled or malformed option of a magic or a function."""


class BundleError(NbtrackError):
    """A bundle that is damaged, malformed, or not trusted."""


class ImportSourceError(NbtrackError):
    """A place to import runs from where there are none that can be read."""


class SweepError(NbtrackError):
    """A sweep that cannot go on: trials depend on one another, or all of them fail."""


class JobNotFoundError(NbtrackError):
    """No file is being made under that id, or it was let go."""


class BusyError(NbtrackError):
    """As much is being made already as may be at once: later there is room."""


class EnvironmentBlockedError(NbtrackError):
    """The recorded packages or Python cannot be had here; the message has the ways."""


class ValueNotLoggedError(NbtrackError, TypeError):
    """A value that cannot be kept as a metric, raised only where asked to be strict."""


class MissingExtraError(NbtrackError, ImportError):
    """An optional package is needed; the message names the extra to install."""


class RunStopped(KeyboardInterrupt):
    """Raised at the next `log()` or watched value after Stop was pressed.

    It is a KeyboardInterrupt so that `except Exception` in the user's loop does not
    swallow it and Run All stops, just as with Ctrl-C.
    """
