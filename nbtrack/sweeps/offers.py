"""What of a cell can be swept, each with a first guess of its values.

The same eyes as for params decide: what starts a count, a best or a history is none,
and a name that the cell reads from an earlier one is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from nbtrack.capture.accumulators import is_null, is_tracked_name, words_of
from nbtrack.capture.params import CellCapture
from nbtrack.capture.session import SessionLog
from nbtrack.errors import OptionError
from nbtrack.records import Param
from nbtrack.sweeps.sites import CellText, Site
from nbtrack.text import shorten

OFFERS_MAX = 60
Where = Literal["cell", "loop", "call", "default", "earlier cell"]

_VALUE_MAX = 60  # characters of a value as it is shown
_WHERE: dict[str, Where] = {
    "assigned": "cell",
    "key": "cell",
    "bound": "loop",
    "argument": "call",
    "default": "default",
    "read": "earlier cell",
}
_SHARES = frozenset(
    {"dropout", "momentum", "beta", "betas", "prob", "probability", "ratio", "split"}
    | {"fraction", "share", "quantile", "subsample", "colsample", "smoothing"}
)
_SHARE_MAX = 0.99


@dataclass(frozen=True, slots=True)
class Offer:
    """A value that can be swept: what it is now, and what could be tried."""

    name: str
    value: str  # as code, shortened
    guess: str  # in the language of spaces
    where: Where


def offers_of(cell: CellText, log: SessionLog | None = None) -> list[Offer]:
    r"""The values that a cell says or reads, those of its own lines first.

    Parameters
    ----------
    cell
        With the user's namespace, for what is read from earlier cells.
    log
        Of the session's executed cells.

    >>> text = "lr = 0.1\nloss = 0.0\nfor epoch in range(4):\n loss += lr"
    >>> [(offer.name, offer.guess) for offer in offers_of(CellText(text))]
    [('lr', 'log(0.01, 1)'), ('epoch', 'int(2, 8)')]
    """
    found = {offer.name: offer for offer in _found(cell, log or SessionLog())}
    order = list(_WHERE.values())
    ranked = sorted(found.values(), key=lambda offer: order.index(offer.where))
    return ranked[:OFFERS_MAX]


def _found(cell: CellText, log: SessionLog) -> Iterator[Offer]:
    params = {p.name: p for p in _params(cell, log)}
    for site in cell.sites:
        told = params.get(site.name)
        if site.how in ("argument", "default"):
            if _is_setting(site):
                yield _offer(site)
        elif told is not None and told.origin == "literal" and _is_open(site, told):
            yield _offer(site)
    for param in params.values():
        if param.origin == "inherited":
            read = _read(cell, param.name)
            if read is not None and _is_open(read, param):
                yield _offer(read)


def _is_open(site: Site, param: Param) -> bool:
    """A value that can be written, and no secret, of which the param tells less."""
    is_secret = isinstance(site.value, str) and site.value != param.value
    return _is_plain(site.value) and not is_secret


def _params(cell: CellText, log: SessionLog) -> list[Param]:
    return CellCapture(cell.python, cell.namespace, log).at_start()


def _read(cell: CellText, name: str) -> Site | None:
    """A name of an earlier cell, where a trial could set it."""
    try:
        site = cell.site_of(name)
    except OptionError:
        return None
    return site if site.how == "read" else None


def _is_setting(site: Site) -> bool:
    """`train(lr, bs=8)`, and not `log(loss=0.0)` or `open(mode="w")`."""
    last = site.name.rpartition(".")[2]
    if is_tracked_name(last) or not isinstance(site.value, bool | int | float):
        return False
    return isinstance(site.value, bool) or not is_null(site.value)


def _is_plain(value: object) -> bool:
    if isinstance(value, list | tuple):
        return 0 < len(value) <= 8 and all(map(_is_plain, value))
    if isinstance(value, float) and not math.isfinite(value):
        return False
    return isinstance(value, bool | int | float | str)


def _offer(site: Site) -> Offer:
    shown = shorten(repr(site.value), _VALUE_MAX)
    return Offer(site.name, shown, guess_of(site.name, site.value), _WHERE[site.how])


def guess_of(name: str, value: object) -> str:
    """Values to try in the place of one, as text in the language of spaces.

    >>> guess_of("lr", 0.01), guess_of("batch_size", 64), guess_of("n_epochs", 10)
    ('log(0.001, 0.1)', '[16, 32, 64, 128, 256]', 'int(5, 20)')
    >>> guess_of("dropout", 0.5), guess_of("bias", True), guess_of("opt", "adam")
    ('uniform(0, 0.99)', '[True, False]', "['adam']")
    """
    if isinstance(value, bool):
        return "[True, False]"
    if isinstance(value, int):
        return _of_whole(name, value)
    if isinstance(value, float):
        return _of_float(name, value)
    return f"[{value!r}]"


def _of_whole(name: str, value: int) -> str:
    if "seed" in words_of(name):
        return f"[{value}, {value + 1}, {value + 2}]"
    if value < 1:
        return f"[{value}]"
    if value >= 8 and value & (value - 1) == 0:
        around = (value // 4, value // 2, value, value * 2, value * 4)
        return f"[{', '.join(map(str, around))}]"
    return f"int({max(1, value // 2)}, {value * 2})"


def _of_float(name: str, value: float) -> str:
    if 0 <= value <= _SHARE_MAX and not _SHARES.isdisjoint(words_of(name)):
        return f"uniform(0, {_SHARE_MAX})"
    if value == 0:
        return "uniform(0, 1)"
    if value < 0:
        return f"uniform({2 * value:.4g}, {value / 2:.4g})"
    return f"log({value / 10:.4g}, {value * 10:.4g})"


def spaces_of(offers: list[Offer]) -> Mapping[str, str]:
    """The guesses by name.

    >>> spaces_of([Offer("lr", "0.1", "log(0.01, 1)", "cell")])
    {'lr': 'log(0.01, 1)'}
    """
    return {offer.name: offer.guess for offer in offers}
