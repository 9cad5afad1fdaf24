"""Sends alerts to an address that the user named, and to no other.

Only where the environment variable `NBTRACK_WEBHOOK` holds an http or https address;
nothing leaves this machine otherwise. The address is a secret: it is never kept, and
stands in no message. A thread of its own posts, with a time limit and few tries; what
cannot be sent is said once, and the training goes on.
"""

from __future__ import annotations

import json
import os
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from nbtrack.errors import NbtrackError
from nbtrack.guard import guard
from nbtrack.tracking.background import Background

if TYPE_CHECKING:
    from nbtrack.records import AlertRecord
    from nbtrack.store import Store

VARIABLE = "NBTRACK_WEBHOOK"
TIMEOUT_S = 5.0  # of each step of one try
RETRY_AFTER_S = (1.0, 4.0)  # then it is given up
WAITING_MAX = 100  # alerts; a flood of them is no message
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_SENDING = "webhook"


class Webhook:
    """Posts alerts one after the other; there is one for the process."""

    def __init__(self, retry_after_s: tuple[float, ...] = RETRY_AFTER_S) -> None:
        self._retry_after_s = retry_after_s
        self._thread = Background()
        self._lock = threading.Lock()
        self._n_waiting = 0

    def send(self, alert: AlertRecord, store: Store) -> None:
        """Post it soon; returns at once."""
        address = address_of(os.environ.get(VARIABLE, ""))
        if address is None:
            return
        with self._lock:
            if self._n_waiting >= WAITING_MAX:
                guard.warn_once(
                    "webhook is full",
                    "alerts come faster than the webhook takes them: some are not sent",
                )
                return
            self._n_waiting += 1
        self._thread.submit(
            partial(self._deliver, address, alert, store), feature=_SENDING
        )

    def settle(self, timeout_s: float) -> bool:
        """Wait until all is sent or given up; False when the time is up."""
        return self._thread.settle(timeout_s)

    def _deliver(self, address: str, alert: AlertRecord, store: Store) -> None:
        try:
            body = json.dumps(payload(alert, *_names(alert, store))).encode()
            trouble = ""
            for wait_s in (0.0, *self._retry_after_s):
                time.sleep(wait_s)
                trouble, again = _post(address, body)
                if not again:
                    break
            if trouble:
                guard.warn_once(
                    "webhook", f"an alert was not sent to {VARIABLE}: {trouble}"
                )
        finally:
            with self._lock:
                self._n_waiting -= 1


webhook = Webhook()


def address_of(text: str) -> str | None:
    """The address to post to; None, with one warning, where it is none.

    >>> address_of("https://example.org/hook"), address_of("")
    ('https://example.org/hook', None)
    """
    address = text.strip()
    if not address:
        return None
    try:
        parts = urlsplit(address)
        is_plain = address.isascii() and address.isprintable() and " " not in address
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port  # raises for one that is no number
    except ValueError:
        is_good = is_plain = False
    if is_good and is_plain and parts.username is None:
        return address
    guard.warn_once(
        "webhook address",
        f"{VARIABLE} holds no http or https address without a login: no alert is sent",
    )
    return None


def payload(alert: AlertRecord, name: str, experiment: str) -> dict[str, Any]:
    """What is posted: `text` for chats as Slack reads it, and the alert's own fields.

    >>> from nbtrack.records import AlertRecord
    >>> alert = AlertRecord("1", "2026", "nan", "error", "loss is NaN", step=7)
    >>> payload(alert, "<base>", "mnist")["text"]
    '&lt;base&gt;: loss is NaN @ step 7'
    """
    place = "" if alert.step is None else f" @ step {alert.step}"
    lines = [f"{name}: {alert.title}{place}", alert.text]
    return {
        "text": _for_chat("\n".join(filter(None, lines))),
        "run": alert.run,
        "name": name,
        "experiment": experiment,
        "at": alert.at,
        "kind": alert.kind,
        "level": alert.level,
        "title": alert.title,
        "detail": alert.text,
        "metric": alert.metric,
        "step": alert.step,
        "rule": alert.rule or None,
    }


def _for_chat(text: str) -> str:
    """`<!channel>` in the name of a run calls nobody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _names(alert: AlertRecord, store: Store) -> tuple[str, str]:
    try:
        run = store.run(alert.run)
    except NbtrackError:  # purged, or the store is gone
        return alert.run, ""
    return run.name, run.experiment


def _post(address: str, body: bytes) -> tuple[str, bool]:
    """What went wrong, without the address, and whether another try makes sense."""
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError

    try:
        with _opener().open(_request(address, body), timeout=TIMEOUT_S):
            return "", False
    except HTTPError as exc:
        exc.close()
        hint = ", and redirects are not followed" if 300 <= exc.code < 400 else ""
        return f"it answered {exc.code}{hint}", exc.code in _AGAIN
    except (URLError, OSError) as exc:
        reason = getattr(exc, "reason", exc)
        said = getattr(reason, "strerror", None) or type(reason).__name__
        return str(said), True
    except (HTTPException, ValueError) as exc:  # their texts may hold the address
        return type(exc).__name__, False


def _request(address: str, body: bytes) -> Any:
    from urllib.request import Request

    head = {"Content-Type": "application/json", "User-Agent": "nbtrack"}
    # The scheme was looked at: http or https.
    return Request(address, data=body, headers=head, method="POST")  # noqa: S310


def _opener() -> Any:
    """Speaks http and https, by the user's proxy, and follows no redirect."""
    from urllib import request

    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler(), request.HTTPHandler(), request.HTTPSHandler(),
        request.HTTPDefaultErrorHandler(), request.HTTPErrorProcessor(),
    ):  # fmt: skip
        opener.add_handler(handler)
    return opener
