"""Imports go to the top of a script only where nobody could tell."""

from __future__ import annotations

import ast

import pytest

from nbtrack.records import CellRecord, FlowRecord
from nbtrack.slices.closure import KeptCell
from nbtrack.slices.script import script_of


def top_of(*sources, flow=None, ok=None):
    """The imports that stand above the first cell."""
    cells = [
        CellRecord(at, None, at + 1, source, "", "", flow=flow, ok=ok)
        for at, source in enumerate(sources)
    ]
    source = script_of([KeptCell(cell, ()) for cell in cells], title="t").source
    above = source[: source.index("# %% [cell 1")]
    nodes = ast.parse(above).body
    return [ast.unparse(n) for n in nodes if isinstance(n, ast.Import | ast.ImportFrom)]


def test_imports_go_to_the_top_with_their_comments():
    source = "x = 1\nimport math  # for pi\ny = math.pi"
    cells = [
        CellRecord(0, None, 1, source, "", ""),
        CellRecord(1, None, 2, "y", "", ""),
    ]
    made = script_of([KeptCell(cell, ()) for cell in cells], title="t").source
    assert (
        "\nimport math  # for pi\n\n# %% [cell 1 · exec 1]\nx = 1\ny = math.pi" in made
    )


def test_the_standard_library_may_pass_a_call():
    assert top_of("x = f()", "from math import (\n    pi,\n)\nimport os.path as p") == [
        "from math import pi",
        "import os.path as p",
    ]


def test_other_modules_pass_only_what_does_nothing():
    assert top_of("import json\nn = 3\ndef f(a=1): pass", "import numpy as np") == [
        *("import json", "import numpy as np")
    ]


@pytest.mark.parametrize(
    "before",
    [
        "import os\nos.environ['OMP_NUM_THREADS'] = '1'",
        *("%env X=1", "%cd /", "import sys\nsys.path.insert(0, 'src')"),
        *("import random\nrandom.seed(1)", "import matplotlib\nmatplotlib.use('agg')"),
        *("import warnings\nwarnings.simplefilter('ignore')", "x = [f()]"),
        *("@f\ndef g(): pass", "def g(a=f()): pass", "class A: f()", "if x: pass"),
    ],
)
def test_other_modules_stay_behind_what_could_matter(before):
    assert "import numpy as np" not in top_of(before, "import numpy as np")


@pytest.mark.parametrize(
    "sources",
    [
        ("import json as j\nj = 3",),
        ("j = 3", "import json as j"),
        ("import json as j", "del j"),
        ("import json as j", "def f():\n    global j\n    j = 1"),
        ("import json as j", "import math as j"),
        ("x = 'y' if 'j' in names else j", "import json as j"),
        ("from math import pow",),
        ("from math import *",),
        ("try:\n    import json\nexcept ImportError: pass",),
        ("if True:\n    import json",),
        ("x = 1; import json",),
        ("there = 'json' in globals()", "import json"),
        ("%%writefile json.py\nx = 1", "import json"),
        ("import asyncio\nawait asyncio.sleep(0)",),
        ("%%track\nimport json",),
    ],
)
def test_in_doubt_an_import_stays(sources):
    assert top_of(*sources) == []


def test_an_import_of_a_cell_that_raised_stays():
    assert top_of("import json\n1 / 0", "x = 1", ok=False) == []


def test_a_module_that_lies_beside_the_notebook_stays():
    flow = FlowRecord(reads=("@file:/some/where/statistics.py",))
    assert top_of("import statistics", flow=flow) == []
