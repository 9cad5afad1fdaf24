"""`wandb.util`: the one name of it that scripts use."""

from __future__ import annotations

import secrets
import string

_LETTERS = string.ascii_lowercase + string.digits


def generate_id(length: int = 8) -> str:
    """An id for `init(id=...)`, to go on with later.

    >>> len(generate_id())
    8
    """
    return "".join(secrets.choice(_LETTERS) for _ in range(length))
