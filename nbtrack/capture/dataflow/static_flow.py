"""What a cell reads and changes by its text alone, where nothing else is known of it.

For cells that ran before nbtrack was loaded, or with the look at values switched off.
It errs large: whatever the cell reads, it may have changed.
"""

from __future__ import annotations

from functools import lru_cache

from nbtrack.capture.dataflow.cell_reads import cell_reads
from nbtrack.capture.dataflow.pseudo import EVERYTHING
from nbtrack.capture.magics import transformed
from nbtrack.capture.session import names_bound
from nbtrack.records import FlowRecord

UNSEEN = "it read it, unseen"


@lru_cache(maxsize=512)  # a closure asks for each cell more than once
def static_flow(source: str) -> FlowRecord:
    """The flow of a cell of which only the text, as typed, is known.

    >>> flow = static_flow("%time y = fit(x)")
    >>> flow.reads, flow.writes, sorted(flow.may_write)
    (('fit', 'x'), {'y': 'set'}, ['fit', 'x'])
    """
    python = as_python(source)
    found = cell_reads(python, {})
    bound = found.stores | names_bound(python)
    reads = list(found.names)
    if found.everything:
        reads.append(EVERYTHING)
    return FlowRecord(
        reads=tuple(reads),
        writes=dict.fromkeys(sorted(bound), "set"),
        may_write={name: UNSEEN for name in found.names if name not in bound},
        kills=tuple(sorted(found.kills)),
        notes={"unknown": "nobody looked at what it changed"},
    )


def as_python(source: str) -> str:
    r"""A cell as typed, as IPython would hand it to Python.

    >>> as_python("%%time\nx = 1")
    "get_ipython().run_cell_magic('time', '', 'x = 1\\n')\n"
    """
    if "%" not in source and "!" not in source and "?" not in source:
        return source
    return transformed(source)
