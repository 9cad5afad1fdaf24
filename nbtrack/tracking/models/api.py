"""`nbtrack.models`: register, approve, promote, roll back, load, and what happened.

A version is never changed; it moves between development, staging, production and
archived, and each move is kept with who, when and why. One version of a model is in
production at any time. `store=` names another store than the one of this folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nbtrack.errors import ModelError
from nbtrack.records import Goal, ModelVersion, Stage
from nbtrack.text import shorten
from nbtrack.tracking.run import without_secrets
from nbtrack.tracking.settled import settled, who

if TYPE_CHECKING:
    import pandas

    from nbtrack.store import Store
    from nbtrack.store.semver import Bump
    from nbtrack.tracking.models.loaded import LoadedModel
    from nbtrack.tracking.models.signature import Signature

__all__ = [
    "alias", "approve", "card", "compare", "delete", "edit", "events", "find", "list",
    "load", "promote", "register", "rollback", "unalias", "versions",
]  # fmt: skip

NOTE_MAX = 10_000  # characters


def register(
    what: Any,  # an artifact's reference, a run, or an object; None where parts say all
    name: str,
    *,
    parts: Mapping[str, Any] | None = None,
    signature: Signature | None = None,
    data: Any = None,
    version: str | None = None,
    bump: Bump = "minor",
    pre: str | None = None,
    notes: str = "",
    by: str | None = None,
    store: Store | None = None,
) -> ModelVersion:
    """Add a version of a model, in stage development.

    Parameters
    ----------
    what : reference, run, or object
        `"mlp:best"`; a run, its id or name, of which the best or last model or
        checkpoint is taken; or a torch module, state dict, estimator, booster, the
        path of an ONNX or other file.
    name : str
        Of the model.
    parts : dict, optional
        What belongs to it, by role, in the order of use: `{"selector": mask,
        "preprocessor": scaler}`.
    signature : Signature, optional
        Default: inferred from `data`, else from what the model says.
    data : inputs, or (inputs, outputs), optional
        A few rows are enough.
    version : str, optional
        A SemVer of your own. Default: the highest release, raised by `bump`; the first
        is 1.0.0.
    bump : "major", "minor" or "patch"
        Which number is raised. Inputs or outputs that break who uses the model need
        "major".
    pre : str, optional
        Make it a candidate: "rc" gives 1.1.0-rc.1, then -rc.2.
    notes, by : str, optional
        Why, and who; default: the login name.

    Raises
    ------
    ModelError
        When there is nothing to register, the version exists, or the signature breaks
        and the bump does not say so.

    Examples
    --------
    >>> import nbtrack
    >>> nbtrack.models.register({"weights": [1, 2]}, "toy").ref
    'toy@1.0.0'
    >>> nbtrack.models.register({"weights": [1, 3]}, "toy", bump="patch").version
    '1.0.1'
    """
    from nbtrack.tracking.models import registry

    return registry.register(
        settled(store), what, name, parts=dict(parts or {}), signature=signature,
        data=data, version=version, bump=bump, pre=pre, notes=_text(notes), by=_by(by),
    )  # fmt: skip


def approve(
    ref: str, *, note: str, by: str | None = None, store: Store | None = None
) -> ModelVersion:
    """Record that somebody approves of a version for production, and why.

    Raises
    ------
    ModelError
        Without a note, or for an unknown version.

    Examples
    --------
    >>> import nbtrack
    >>> made = nbtrack.models.register({"weights": [1]}, "fraud")
    >>> nbtrack.models.approve("fraud@1.0.0", note="looked at it", by="ada").approved_by
    'ada'
    """
    why = _required(note, "approve")
    return settled(store).approve_model(ref, by=_by(by), why=why)


def promote(
    ref: str,
    stage: Stage,
    *,
    note: str,
    force: bool = False,
    by: str | None = None,
    store: Store | None = None,
) -> ModelVersion:
    """Move a version to another stage; what was in production before is archived.

    Parameters
    ----------
    ref : str
        `fraud@1.2.0`, `fraud@staging`, `fraud@alias`.
    stage : "development", "staging", "production" or "archived"
        Production takes what comes from staging and was approved.
    note : str
        Why; kept in the event log.
    force : bool
        Go past staging, out of the archive, or with a candidate. Never without an
        approval.

    Raises
    ------
    ModelError
        When the way there is not open; the message names what is missing.

    Examples
    --------
    >>> import nbtrack
    >>> made = nbtrack.models.register({"weights": [1]}, "churn")
    >>> nbtrack.models.promote("churn@1.0.0", "staging", note="try it").stage
    'staging'
    """
    why = _required(note, "promote")
    return settled(store).promote_model(ref, stage, by=_by(by), why=why, force=force)


def rollback(
    name: str,
    *,
    note: str,
    to: str | None = None,
    by: str | None = None,
    store: Store | None = None,
) -> ModelVersion:
    """Put back into production what was there before; the version there is archived.

    Parameters
    ----------
    name : str
        Of the model.
    note : str
        Why; kept with both events.
    to : str, optional
        A version that was in production once. Default: the one before.

    Raises
    ------
    ModelError
        When nothing is in production, or nothing was before it.

    Examples
    --------
    >>> import nbtrack
    >>> for weights in ([1], [2]):
    ...     ref = nbtrack.models.register({"weights": weights}, "ranker").ref
    ...     _ = nbtrack.models.approve(ref, note="fine")
    ...     _ = nbtrack.models.promote(ref, "staging", note="next")
    ...     _ = nbtrack.models.promote(ref, "production", note="go")
    >>> nbtrack.models.rollback("ranker", note="slower").ref
    'ranker@1.0.0'
    """
    why = _required(note, "rollback")
    return settled(store).roll_back_model(name, to=to, by=_by(by), why=why)


def load(
    ref: str, *, trust: bool = False, into: Any = None, store: Store | None = None
) -> LoadedModel:
    """Read a version back, its bytes checked; the current run notes that it used it.

    Parameters
    ----------
    ref : str
        `fraud@production`, `fraud@1.2.0`, `fraud@alias`, `fraud` for the highest.
    trust : bool
        Allow unpickling, which can run any code that is in the file.
    into : torch module, optional
        Takes the weights, where the model was kept as a state dict.

    Returns
    -------
    LoadedModel
        `.model`, `.preprocessor`, `.selector`, `.signature`, `.predict(data)`.

    Raises
    ------
    ModelError
        For an unknown version, or one that needs trust.
    ArtifactError
        When its files are damaged.

    Examples
    --------
    >>> import nbtrack
    >>> made = nbtrack.models.register({"weights": [1, 2]}, "tagger")
    >>> nbtrack.models.load("tagger@1.0.0").model
    {'weights': [1, 2]}
    """
    from nbtrack.tracking.models.loading import load_version

    found = settled(store)
    return load_version(found, found.model(ref), trust=trust, into=into)


def find(ref: str, *, store: Store | None = None) -> ModelVersion:
    """The version that a reference names.

    Examples
    --------
    >>> import nbtrack
    >>> made = nbtrack.models.register({"weights": [1]}, "digits")
    >>> find("digits").stage
    'development'
    """
    return settled(store).model(ref)


def list(*, store: Store | None = None) -> pandas.DataFrame:
    """The models: versions, and which is in production.

    Examples
    --------
    >>> import nbtrack
    >>> made = nbtrack.models.register({"weights": [1]}, "spam")
    >>> nbtrack.models.list().set_index("name").at["spam", "latest"]
    '1.0.0'
    """
    from nbtrack.tracking.models.tables import table_of_models

    return table_of_models(settled(store))


def versions(name: str, *, store: Store | None = None) -> pandas.DataFrame:
    """The versions of a model, lowest first.

    Examples
    --------
    >>> import nbtrack
    >>> made = nbtrack.models.register({"weights": [1]}, "prices")
    >>> nbtrack.models.versions("prices")[["version", "stage"]].values.tolist()
    [['1.0.0', 'development']]
    """
    from nbtrack.tracking.models.tables import table_of_versions

    return table_of_versions(settled(store), name)


def events(name: str, *, store: Store | None = None) -> pandas.DataFrame:
    """All that happened to a model: who, when, why, in order.

    Examples
    --------
    >>> import nbtrack
    >>> made = nbtrack.models.register({"weights": [1]}, "clicks", by="ada")
    >>> nbtrack.models.events("clicks")[["what", "by"]].values.tolist()
    [['registered', 'ada']]
    """
    from nbtrack.tracking.models.tables import table_of_events

    return table_of_events(settled(store), name)


def card(ref: str, *, store: Store | None = None) -> str:
    """The model card of a version, in Markdown, from what the store knows.

    Configuration, metrics (with mean and confidence interval over the run's group),
    data with digests, code, signature and history. Intended use, limits and ethics are
    marked as to be written by a person.

    Examples
    --------
    >>> import nbtrack
    >>> made = nbtrack.models.register({"weights": [1]}, "toys")
    >>> print(nbtrack.models.card("toys").splitlines()[0])
    # toys
    """
    from nbtrack.analysis.model_card import model_card

    found = settled(store)
    return model_card(found, found.model(ref))


def alias(
    ref: str, alias: str, *, by: str | None = None, store: Store | None = None
) -> ModelVersion:
    """Let an alias such as "champion" name this version from now on.

    Examples
    --------
    >>> import nbtrack
    >>> made = nbtrack.models.register({"weights": [1]}, "faces")
    >>> nbtrack.models.alias("faces@1.0.0", "champion").aliases
    ('champion',)
    """
    from nbtrack.store.model_rows import STAGES

    clean = alias.strip() if isinstance(alias, str) else ""
    is_number = clean[:1].isdigit()
    if not clean.replace("-", "").replace("_", "").isalnum() or is_number or (
        clean in (*STAGES, "latest")
    ):  # fmt: skip
        raise ModelError(
            f"Alias {shorten(repr(alias))} cannot be told from a version or a stage. "
            "Use a word such as champion."
        )
    return settled(store).edit_model(ref, alias=clean, by=_by(by))


def unalias(
    ref: str, alias: str, *, by: str | None = None, store: Store | None = None
) -> ModelVersion:
    """Take an alias away.

    Examples
    --------
    >>> import nbtrack
    >>> made = nbtrack.models.register({"weights": [1]}, "words")
    >>> tagged = nbtrack.models.alias("words", "champion")
    >>> nbtrack.models.unalias("words", "champion").aliases
    ()
    """
    return settled(store).edit_model(ref, unalias=alias, by=_by(by))


def edit(
    ref: str,
    *,
    notes: str | None = None,
    description: str | None = None,
    by: str | None = None,
    store: Store | None = None,
) -> ModelVersion:
    """Change the notes of a version, or what is said of its model as a whole.

    Examples
    --------
    >>> import nbtrack
    >>> made = nbtrack.models.register({"weights": [1]}, "rain")
    >>> nbtrack.models.edit("rain@1.0.0", notes="for Bergen only").notes
    'for Bergen only'
    """
    texts = {"notes": notes, "description": description}
    kept = {name: _text(text) for name, text in texts.items() if text is not None}
    if not kept:
        raise ModelError("edit() changes nothing: pass notes= or description=.")
    return settled(store).edit_model(ref, **kept, by=_by(by))


def delete(
    ref: str, *, note: str, by: str | None = None, store: Store | None = None
) -> ModelVersion:
    """Take a version out of the registry; its events stay, its number is used up.

    Raises
    ------
    ModelError
        For a version in staging or production.

    Examples
    --------
    >>> import nbtrack
    >>> made = nbtrack.models.register({"weights": [1]}, "draft")
    >>> nbtrack.models.delete("draft@1.0.0", note="a mistake").ref
    'draft@1.0.0'
    """
    why = _required(note, "delete")
    return settled(store).delete_model_version(ref, by=_by(by), why=why)


def compare(
    name: str,
    metric: str,
    *,
    goal: Goal | None = None,
    store: Store | None = None,
) -> pandas.DataFrame:
    """One metric over the versions of a model, the best and the worst marked.

    The number of a version is that beside its artifact, else the best value of its run.
    It is one and the same metric for all: two metrics of one run are never compared.

    Raises
    ------
    ModelError
        When no version has the metric, or nothing says which way is better.

    Examples
    --------
    >>> import nbtrack
    >>> for loss in (0.5, 0.3):
    ...     with nbtrack.start("base") as run:
    ...         run.log(loss=loss)
    ...         logged = run.log_artifact({"weights": [loss]}, "net", type="model")
    ...     made = nbtrack.models.register(logged.ref, "net")
    >>> nbtrack.models.compare("net", "loss")[["version", "is_best"]].values.tolist()
    [['1.0.0', False], ['1.1.0', True]]
    """
    from nbtrack.tracking.models.tables import compared

    return compared(settled(store), name, metric, goal)


def _required(note: str, verb: str) -> str:
    if not isinstance(note, str) or not note.strip():
        raise ModelError(f"{verb}() needs a note: say why, for whoever asks later.")
    return _text(note)


def _text(text: str) -> str:
    return shorten(without_secrets(text), NOTE_MAX)


def _by(by: str | None) -> str:
    return shorten(without_secrets(by), 200) if by else who()
