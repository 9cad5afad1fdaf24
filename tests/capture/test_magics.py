"""The Python that magics run, as IPython itself transforms them."""

import ast

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from nbtrack.capture.magics import without_magics
from nbtrack.capture.params import CellCapture
from nbtrack.capture.session import SessionLog


def read(cell):
    source = TransformerManager().transform_cell(cell)
    return ast.unparse(without_magics(ast.parse(source), source))


@pytest.mark.parametrize(
    ("cell", "python"),
    [
        ("%time y = f(lr)", "y = f(lr)"),
        ("%timeit -n 10 -r3 f(lr)", "f(lr)"),
        ("%%time\na = 1\nf(a)", "a = 1\nf(a)"),
        ("%%capture out\n%time a = 1\nb = 2", "a = 1\nb = 2"),
        ("t = %time f(lr)", "t = f(lr)"),
        ("if x:\n    %time f(lr)", "if x:\n    f(lr)"),
        ("a = 1", "a = 1"),
    ],
)
def test_code_of_a_magic_stands_in_its_place(cell, python):
    assert read(cell) == python


def test_other_magics_stay_as_they_are():
    for cell in ("!pip install x", "%matplotlib inline", "%%bash\necho a", "%time for"):
        assert "get_ipython()" in read(cell)


def test_params_under_time_are_found():
    namespace = {"__name__": "__main__", "lr": 0.1}
    exec("def train(n, k=3): return lr * n", namespace)
    cell = "epochs = 2\n!echo hi\n%time y = train(5)"
    source = TransformerManager().transform_cell(cell)
    found = CellCapture(source, namespace, SessionLog()).at_start()
    values = {param.name: param.value for param in found}
    assert values == {"epochs": 2, "lr": 0.1, "n": 5, "k": 3}
