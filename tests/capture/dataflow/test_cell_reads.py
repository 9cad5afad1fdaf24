"""What a cell reads before it surely sets it, branch by branch."""

from __future__ import annotations

import pytest

from nbtrack.capture.dataflow.cell_reads import cell_reads

ROWS = [
    # cell, names read (builtins left out), names surely set, names read softly
    ("x = x + 1", "x", "", ""),
    ("x += 1", "x", "", ""),
    ("x = y; x += 1", "y", "x", ""),
    ("a, (b, *c) = y", "y", "a b c", ""),
    ("a[i] = y", "y a i", "", ""),
    ("a.b = y", "y a", "", ""),
    ("del x", "x", "", ""),
    ("import a.b as c, d.e", "", "c d", ""),
    ("from m import f as g", "", "g", ""),
    ("if c:\n  x = 1\nelse:\n  x = 2\nx", "c", "x", ""),
    ("if c:\n  x = 1\nx", "c x", "", "x"),
    ("if c:\n  x = 1\nx\nx = 3", "c x", "", ""),
    ("for i in r:\n  b = i\nb, i", "r b i", "", "b i"),
    ("for i in r:\n  b = b + i", "r b", "", ""),
    ("while c:\n  x = 1\nx", "c x", "", "x"),
    ("for i in r:\n  pass\nelse:\n  x = 1\nx", "r x", "", "x"),
    ("try:\n  x = f()\nexcept ValueError:\n  x = 0\nx", "f", "x", ""),
    ("try:\n  x = f()\nexcept ValueError:\n  pass\nx", "f x", "", "x"),
    ("try:\n  x = f()\nexcept ValueError:\n  raise\nx", "f", "x", ""),
    ("try:\n  f()\nfinally:\n  x = 1\nx", "f", "x", ""),
    ("with a as b:\n  x = b\nx", "a", "b x", ""),
    ("with suppress(E):\n  x = f()\nx", "suppress E f x", "", "x"),
    ("match v:\n  case [a, *b]:\n    x = a\n  case _:\n    x = 0\nx", "v", "x", ""),
    ("match v:\n  case {'k': a, **rest}:\n    x = a\nx", "v x", "", "x"),
    ("y = [i * k for i in range(3)]\ni", "k i", "y", ""),
    ("y = [w := i for i in r]\nw", "r w", "y", "w"),
    ("y = (x := 3) + x", "", "x y", ""),
    ("a and (x := 1)\nx", "a x", "", "x"),
    ("x = 1 if c else z", "c z", "x", ""),
    ("f = lambda a, b=c: a + b + e", "c e", "f", ""),
    ("def f(a=d):\n  return a + y\n", "d", "f", ""),
    ("def f():\n  return y\nf()", "y", "f", ""),
    ("def f():\n  return y\ny = 1\nf()", "", "f y", ""),
    ("def f():\n  return y\nf()\ny = 1", "y", "f", ""),
    ("@reg\ndef f():\n  return y", "reg y", "f", ""),
    ("def f():\n  def g():\n    return z\n  return g\nf()", "z", "f", ""),
    ("def f():\n  class A:\n    t = q\n  return A\nf()", "q", "f", ""),
    ("class A(B):\n  z = q\n  def m(self):\n    return g", "B q", "A", ""),
    ("class A:\n  z = 1\n  w = z\n  def m(self):\n    return g\nA()", "g", "A", ""),
    ("def f():\n  global n\n  n = 1\nf()", "", "f", ""),
    ("f'{x!r:>{w}}'", "x w", "", ""),
    ("x: int = y", "y", "x", ""),
    ("await f(x)", "f x", "", ""),
    ("async for i in r:\n  s = i\ns", "r s", "", "s"),
    ("exec('t = u')", "u", "", ""),
    ("get_ipython().run_line_magic('time', 'y = f(lr)')", "f lr", "y", ""),
    ("get_ipython().run_cell_magic('time', '', 'y = f(lr)\\n')", "f lr", "y", ""),
]
BUILTINS = {"range", "ValueError", "int", "exec"}


@pytest.mark.parametrize(("cell", "read", "sure", "soft"), ROWS)
def test_reads_and_sure_stores_of_a_cell(cell, read, sure, soft):
    found = cell_reads(cell, {})
    assert set(found.names) - BUILTINS == set(read.split())
    assert found.kills == set(sure.split())
    assert found.soft == set(soft.split())


def namespace_of(source):
    namespace = {"__name__": "__main__"}
    exec(source, namespace)
    return namespace


def test_functions_of_earlier_cells_are_followed():
    names = namespace_of(
        "import functools\n"
        "def inner():\n  return scale\n"
        "@functools.lru_cache\ndef outer():\n  return inner() + shift\n"
        "part = functools.partial(outer)\n"
    )
    assert {"part", "outer", "inner", "scale", "shift"} <= {
        *cell_reads("part()", names | {"x": 1}).names,
        *cell_reads("outer()", names).names,
    }


def test_methods_count_when_they_are_called():
    names = namespace_of(
        "class A:\n  def up(self):\n    return rate\n  def plot(self):\n    return ax\n"
        "a = A()"
    )
    found = cell_reads("a.up()", names)
    assert "rate" in found.names
    assert "ax" not in found.names


def test_code_within_values_counts_too():
    names = namespace_of("def f():\n  return deep\nhooks = {'f': [f]}\n")
    found = cell_reads("hooks['f'][0]()", names, lambda name: [names["f"].__code__])
    assert "deep" in found.names


@pytest.mark.parametrize(
    "cell", ["globals()['x']", "eval(text)", "exec(code)", "locals()", "vars()"]
)
def test_what_may_read_all_says_so(cell):
    assert cell_reads(cell, {}).everything


def test_what_a_cell_patches_is_told():
    found = cell_reads("torch.nn.Linear.forward = f\nsetattr(np, 'pi', 3)", {})
    assert found.patched == {"torch.nn.Linear", "np"}


def test_a_cell_that_does_not_compile_reads_nothing():
    assert cell_reads("def f(:", {}).is_broken
    assert cell_reads("x = " + "(" * 500, {}).is_broken


def test_a_function_that_reads_before_and_after_a_store_counts():
    cell = "def f():\n  return y\nif c:\n  y = 1\n  f()\nelse:\n  f()"
    assert "y" in cell_reads(cell, {}).names
