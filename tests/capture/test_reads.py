"""The names a cell reads from the namespace, by its bytecode and what it reaches."""

import ast
import sys

import pytest

from nbtrack.capture.reads import names_read, operations


def reads(source, setup="", **kwargs):
    namespace = {"__name__": "__main__"}
    exec(setup, namespace)
    code = compile(
        source,
        "<cell>",
        "exec",
        flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
        dont_inherit=True,
    )
    found = names_read(code, namespace, **kwargs)
    found.names = [name for name in found.names if name in namespace or name == "lr"]
    return found


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("x = lr", ["lr"]),
        ("lr = 1\nx = lr", []),
        ("lr = lr * 2", ["lr"]),
        ("lr += 1", ["lr"]),
        ("del lr", []),
        ("for lr in x: print(lr)", []),
        ("[lr for _ in x]", ["lr"]),
        ("[lr for lr in x]", []),
        ("f = lambda: lr", ["lr"]),
        ("def f(): return lr", []),
        ("def f(): return lr\nf()", ["lr"]),
        ("lr = 1\ndef f(): return lr\nf()", []),
        ("def f(lr): return lr\nf(1)", []),
        ("def f(a=lr): ...", ["lr"]),
        ("class K:\n    x = lr", ["lr"]),
        ("class K:\n    def m(self): return lr", []),
        ("class K:\n    def m(self): return lr\nK().m()", ["lr"]),
        ("class K:\n    lr = 1\n    y = lr", []),
        ("async def f(): return lr\nawait f()", ["lr"]),
        ("f'{lr}'", ["lr"]),
        ("x.lr", []),
        ("train(lr=1)", []),
        ("with o(lr): pass", ["lr"]),
    ],
)
def test_names_read_by_the_cell_itself(source, names):
    assert reads(source).names == names


@pytest.mark.parametrize(
    ("setup", "source", "names"),
    [
        ("lr = 1\ndef f(): return lr", "f()", ["f", "lr"]),
        ("lr = 1\ndef f():\n    def g(): return lr\n    return g", "f()", ["f", "lr"]),
        ("lr = 1\ndef g(): return lr\ndef f(): return g()", "f()", ["f", "g", "lr"]),
        ("lr = 1\ndef f(): return f(), lr", "f()", ["f", "lr"]),
        (
            "import functools\nlr = 1\ndef f(a): return lr\n"
            "p = functools.partial(f, 1)",
            "p()",
            ["p", "lr"],
        ),
        (
            "import functools\nlr = 1\n@functools.lru_cache\ndef f(): return lr",
            "f()",
            ["f", "lr"],
        ),
        (
            "lr = 1\ndef make():\n    def inner(): return lr\n"
            "    def outer(): return inner()\n    return outer\nt = make()",
            "t()",
            ["t", "lr"],
        ),
        (
            "lr = 1\nclass K:\n    def __call__(self): return lr\nk = K()",
            "k()",
            ["k", "lr"],
        ),
        ("lr = 1\nclass K:\n    def m(self): return lr\nk = K()", "k.m()", ["k", "lr"]),
        ("lr = 1\nclass K:\n    def m(self): return lr\nk = K()", "k.n", ["k"]),
        (
            "lr = 1\nclass K:\n    def m(self): return lr\nk = K()",
            "m = k.m",
            ["k", "lr"],
        ),
        (
            "lr = 1\nclass A:\n    def m(self): return lr\nclass B(A): pass\nb = B()",
            "b.m()",
            ["b", "lr"],
        ),
        (
            "lr = 1\nclass K(dict):\n    def hook(self): return lr\nk = K()",
            "k",
            ["k", "lr"],
        ),
        (
            "lr = 1\nclass K:\n    @property\n    def p(self): return lr\nk = K()",
            "k.p",
            ["k", "lr"],
        ),
        (
            "lr = 1\nclass K:\n    @staticmethod\n    def s(): return lr",
            "K.s()",
            ["K", "lr"],
        ),
        ("import json\nlr = 1", "json.dumps(1)", ["json"]),
    ],
)
def test_code_of_the_notebook_is_followed(setup, source, names):
    assert reads(source, setup).names == names


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the syntax is of Python 3.12")
@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("def f[T](x: T) -> T: return lr", []),
        ("def f[T](x: T) -> T: return lr\nf(1)", ["lr"]),
        ("class A[T]:\n  def m(self): return lr\nA().m()", ["lr"]),
        ("class A:\n  def m[T](self): return lr\nA().m()", ["lr"]),
        ("type P[T] = tuple[T, lr]", []),
    ],
)
def test_code_with_type_parameters_is_followed(source, names):
    assert reads(source).names == names


def test_a_store_under_a_condition_does_not_hide_the_name():
    source = "if x:\n    lr = 1\nprint(lr)"
    assert reads(source).names == []
    assert reads(source, soft={"lr"}).names == ["lr"]


def test_globals_set_by_functions_are_told():
    found = reads("bump()", "n = 0\ndef bump():\n    global n\n    n += 1")
    assert found.rebound == {"n"}


def test_eval_reads_everything():
    assert reads("eval('x')").everything
    assert not reads("evaluate('x')").everything


def test_functions_reached_are_told():
    found = reads("f()", "def g(): ...\ndef f(): g()")
    assert list(found.functions) == ["f", "g"]


def test_long_code_with_extended_arguments_is_read_right():
    source = "\n".join(f"a{k} = b{k}" for k in range(1000))
    code = compile(source, "<cell>", "exec")
    found = names_read(code, {})
    assert found.names == [f"b{k}" for k in range(1000)]
    function = compile(
        "def f():\n" + "\n".join(f" c{k}.d{k}" for k in range(1000)), "<c>", "exec"
    ).co_consts[0]
    loads = [name for op, name in operations(function) if op == "LOAD_GLOBAL"]
    attributes = [name for op, name in operations(function) if op == "LOAD_ATTR"]
    assert loads == [f"c{k}" for k in range(1000)]
    assert attributes == [f"d{k}" for k in range(1000)]
