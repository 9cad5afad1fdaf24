"""The states of random generators that are put back before a cell."""

from __future__ import annotations

import re

from nbtrack.capture.generators import GeneratorState
from nbtrack.slices.closure import KeptCell
from nbtrack.slices.emission import Emission
from nbtrack.slices.emit_text import wrapped_string

_NAME = re.compile(
    r"random|numpy|torch(\.cuda\.\d+)?|variable:[^\W\d]\w*(\.[^\W\d]\w*)?"
)


def put_back(kept: KeptCell, emission: Emission) -> str:
    """The calls that put the generators of a cell back; "" where there are none.

    >>> from nbtrack.records import CellRecord
    >>> cell = CellRecord(0, None, 1, "x", "", "", rng={"random": "no state"})
    >>> emission = Emission([cell], cell)
    >>> put_back(KeptCell(cell, (), ("random",)), emission), emission.notes
    ('', ['the state of the generator random before [1] cannot be read'])
    """
    calls = []
    for name in kept.restore:
        packed = kept.cell.rng.get(name)
        if packed is None or not _NAME.fullmatch(name) or not _is_state(packed):
            shown = name if _NAME.fullmatch(name) else "of an odd name"
            emission.note(
                f"the state of the generator {shown} before {emission.label} "
                "cannot be read"
            )
            continue
        calls.append(f"_nb_put_back({name!r}, {wrapped_string(packed)})")
    if not calls:
        return ""
    emission.need("_nb_put_back")
    return "\n".join(
        ["# random numbers go on from where the notebook had them", *calls]
    )


def _is_state(packed: str) -> bool:
    try:
        GeneratorState.unpacked(packed)
    except ValueError:
        return False
    return True
