"""The table of handlers: which type is read by which, for built-in and library types.

Library types are known by name and compared with what the loaded library has under that
name, so nothing is imported and no class of the notebook can pass for one.
"""

from __future__ import annotations

from nbtrack.capture.classes import name_of, root_of
from nbtrack.capture.dataflow.portrait_code import CODE
from nbtrack.capture.dataflow.portrait_containers import CONTAINERS
from nbtrack.capture.dataflow.portrait_inert import EXACT_ONLY, INERT, handler_of_root
from nbtrack.capture.dataflow.portrait_library import library_handler
from nbtrack.capture.dataflow.portrait_state import STATE
from nbtrack.capture.dataflow.portrait_walk import Handler

HANDLERS: dict[int, Handler] = {
    id(kind): handler
    for table in (CONTAINERS, CODE, STATE, INERT)
    for kind, handler in table.items()
}


def handler_of(kind: type, *, exact: bool) -> Handler | None:
    """What reads instances of this class; None where its bases must tell.

    `exact`: not of its subclasses, whose `__str__` may be the user's.

    >>> handler_of(list, exact=True) is CONTAINERS[list]
    True
    """
    known = HANDLERS.get(id(kind))
    if known is not None:
        return known if exact or id(kind) not in EXACT_ONLY else None
    root = root_of(kind)
    if root in ("builtins", "__main__"):
        return None
    return handler_of_root(root, name_of(kind)) or library_handler(kind, root)
