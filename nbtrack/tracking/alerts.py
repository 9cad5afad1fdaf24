"""Alerts of a run: what it waits for, and what the user's code says itself.

Rules are looked at where points are committed (`store.alert_watch`), never in `log()`.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from nbtrack.errors import OptionError
from nbtrack.guard import guard
from nbtrack.records import LEVELS, Fact, Level
from nbtrack.store.alert_rules import DEFAULT_RULES, RULES_FACT, parse_rules
from nbtrack.text import did_you_mean, shorten, visible

if TYPE_CHECKING:
    from nbtrack.records import AlertRecord
    from nbtrack.store import Store
    from nbtrack.tracking.run import Run

FEATURE = "alerts"
CUSTOM_MAX = 1_000  # of one run: one in each step of a loop would bury the others
TITLE_MAX = 200  # characters
TEXT_MAX = 2_000


class RaisesAlerts:
    """The part of `Run` that raises alerts."""

    name: str
    id: str
    _emit: Any  # of `Recorder`
    _n_alerts = 0

    def alert(self, title: str, text: str = "", level: Level = "info") -> None:
        """Say something about the run that somebody should look at.

        It is shown in the panel and the side bar, kept with the run, and sent to the
        address in `NBTRACK_WEBHOOK` where there is one. Returns at once.

        Parameters
        ----------
        title : str
            One line, of 200 characters at most; secrets are redacted.
        text : str
            More about it, of 2,000 characters at most.
        level : "info", "warn" or "error"
            How much it matters.

        Raises
        ------
        OptionError
            For another level, or an empty title.

        Examples
        --------
        >>> import nbtrack
        >>> with nbtrack.start("base") as run:
        ...     run.alert("low accuracy", "0.11 after the first epoch", level="warn")
        >>> [(alert.level, alert.title) for alert in run.record().alerts]
        [('warn', 'low accuracy')]
        """
        kept_level = _checked_level(level)
        said = str(title).strip()
        if not said:
            raise OptionError("An alert needs a title: run.alert('loss is odd').")
        with guard(FEATURE):
            self._raise_alert(said, str(text), kept_level)

    def _raise_alert(self, title: str, text: str, level: Level) -> None:
        from nbtrack.redact import redact_source

        self._n_alerts += 1
        if self._n_alerts > CUSTOM_MAX:
            guard.warn_once(
                f"too many alerts: {self.id}",
                f"run {self.name!r} raised {CUSTOM_MAX} alerts: more are not kept",
            )
            return
        self._emit(
            "alert",
            # Secrets first: half of one is none that is known by its look.
            title=shorten(visible(redact_source(title)[0]), TITLE_MAX),
            text=shorten(redact_source(text)[0], TEXT_MAX),
            level=level,
            at=time.time(),
            step=cast(Any, self).latest_step(),
        )


def alert(title: str, text: str = "", *, level: Level = "info") -> None:
    """Raise an alert of the current run; see `Run.alert`.

    Without a run it is dropped, with one warning.

    Parameters
    ----------
    title : str
        One line.
    text : str
        More about it.
    level : "info", "warn" or "error"
        How much it matters.

    Raises
    ------
    OptionError
        For another level, or an empty title.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     nbtrack.alert("learning rate was halved")
    >>> run.record().alerts[0].title
    'learning rate was halved'
    """
    from nbtrack.tracking.session import process_session

    _checked_level(level)
    run = process_session().current
    if run is not None:
        run.alert(title, text, level)
    elif not process_session().inert:
        guard.warn_once(
            "alert without a run",
            f"nbtrack.alert({shorten(repr(title), 60)}) was called without a run: "
            "dropped. Put %%track on the cell or use `with nbtrack.start():`.",
        )


def rules_for(
    store: Path, asked: Iterable[str] | str, off: frozenset[str]
) -> list[str] | None:
    """The rules of a run as texts: its own behind the store's; None for what is usual.

    Raises
    ------
    OptionError
        For what is no rule.
    """
    from nbtrack.tracking.settings import read_alerts

    own = [rule.text for rule in parse_rules(asked)]
    usual = [] if FEATURE in off else [*DEFAULT_RULES, *read_alerts(store)]
    texts = list(dict.fromkeys([*usual, *own]))
    return None if texts == list(DEFAULT_RULES) else texts


def keep_rules(run: Run, texts: list[str] | None) -> None:
    """Keep them with the run, where every reader finds them, and tell outside."""
    if texts is not None:
        run.log_facts([Fact(RULES_FACT, texts)])
    run.store.journal.on_alert = partial(_tell_outside, run.store)


def settle_alerts(timeout_s: float) -> None:
    """Wait a moment for what is being sent, at the end of the process."""
    # Only where something was sent the module is loaded.
    webhook = sys.modules.get("nbtrack.tracking.webhook")
    if webhook is not None:
        webhook.webhook.settle(timeout_s)


def _tell_outside(store: Store, alert: AlertRecord) -> None:
    """In the writer's thread: hand it on where somebody asked for that."""
    if os.environ.get("NBTRACK_WEBHOOK"):
        from nbtrack.tracking.webhook import webhook

        webhook.send(alert, store)


def _checked_level(level: Any) -> Level:  # Any: whatever the user's code says
    if level in LEVELS:
        return cast(Level, level)
    shown = shorten(visible(repr(level)), 40)
    raise OptionError(
        f"Level {shown} of an alert is unknown.{did_you_mean(str(level), LEVELS)} "
        f"There are: {', '.join(LEVELS)}."
    )
