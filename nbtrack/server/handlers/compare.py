"""What a page that compares runs says, and what it is answered."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tornado import web  # type: ignore[attr-defined]  # not seen as a submodule

from nbtrack.analysis.comparing.conversation import SPARKS_MAX
from nbtrack.analysis.comparing.state import CompareState
from nbtrack.errors import OptionError
from nbtrack.server.answers.compare import Question, compare
from nbtrack.server.handlers.request import (
    STORE_ID,
    NbtrackHandler,
    not_one_of,
    refusal,
)

TOKEN = re.compile(r"[0-9a-f]{16}")
MAX_STORES = 100
MAX_MESSAGES = 100  # in one request
MAX_POINTS = 1_000_000
_LARGEST = 1e300
_STORE_ID = re.compile(STORE_ID)
_KEYS = frozenset({"conversation", "stores", "open", "messages"})


class CompareHandler(NbtrackHandler):
    """`POST nbtrack/compare`: messages of the panel of a comparison."""

    @web.authenticated
    async def post(self) -> None:
        """Take `{"conversation", "stores", "open", "messages"}`; answer in kind."""
        question = question_of(self.body())
        self.reply(await self.answer(compare, question))


def question_of(body: Mapping[str, Any]) -> Question:
    """What a body asks; 400 where it is not of the form that the page sends."""
    if not body.keys() <= _KEYS:
        raise not_one_of("each key", _KEYS)
    token, stores, opened = (
        body.get(key) for key in ("conversation", "stores", "open")
    )
    messages = body.get("messages")
    if token is not None and not _is_id(token, TOKEN):
        raise web.HTTPError(400, "conversation is not one of ours")
    if stores is not None and not _are(stores, _is_store, MAX_STORES, least=1):
        raise web.HTTPError(400, f"stores must be 1 to {MAX_STORES} ids")
    if not _are(messages, _is_message, MAX_MESSAGES):
        raise web.HTTPError(400, f"messages must be up to {MAX_MESSAGES} of a panel's")
    return Question(messages or [], token, stores, _state_of(opened))


def _state_of(opened: object) -> CompareState:
    if opened is None:
        return CompareState()
    if not isinstance(opened, dict):
        raise web.HTTPError(400, "open must be a state")
    try:
        return CompareState.from_json(opened)
    except OptionError as exc:
        raise refusal(exc) from exc


def _is_message(value: object) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        return False
    known = _MESSAGES.get(value["type"])
    if known is None or not value.keys() <= {"type", *known}:
        return False
    return all(name in value and check(value[name]) for name, check in known.items())


def _are(
    value: object, check: Callable[[object], bool], most: int, *, least: int = 0
) -> bool:
    if not isinstance(value, list) or not least <= len(value) <= most:
        return False
    return all(map(check, value))


def _is_id(value: object, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_store(value: object) -> bool:
    return _is_id(value, _STORE_ID)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_bool(value: object) -> bool:
    return isinstance(value, bool)


def _is_state(value: object) -> bool:
    return isinstance(value, dict)


def _are_texts(value: object) -> bool:
    return _are(value, _is_text, SPARKS_MAX)


def _is_number(value: object) -> bool:
    """One that a double has: no NaN, no infinity, no thousand digits."""
    is_one = isinstance(value, int | float) and not isinstance(value, bool)
    return is_one and -_LARGEST <= value <= _LARGEST  # type: ignore[operator]  # is one


def _is_count(value: object) -> bool:
    return isinstance(value, int) and _is_number(value) and 0 <= value <= MAX_POINTS


def _is_span(value: object) -> bool:
    return value is None or _are(value, _is_number, 2, least=2)


# What each message of `ToKernel` must have besides its type, and nothing else.
_MESSAGES: Mapping[str, Mapping[str, Callable[[object], bool]]] = {
    "hello": {},
    "refresh": {},
    "state": {"state": _is_state},
    "curves": {"span": _is_span, "points": _is_count},
    "sparks": {"ids": _are_texts},
    "pick": {"run": _is_text, "x": _is_number},
    "star": {"run": _is_text, "on": _is_bool},
}

ROUTES: list[tuple[str, type[NbtrackHandler]]] = [(r"/nbtrack/compare", CompareHandler)]
