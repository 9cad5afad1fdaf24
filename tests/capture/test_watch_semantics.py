"""Random small programs do the same with and without watching, errors and all."""

from __future__ import annotations

import contextlib
import io
import sys
import types

from examples import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from watching import RecordingSink, run_watched

BEFORE = """
losses, hist, x, loss, acc, n = [], {}, 0, 1.0, 0.5, 0
class Box: pass
box = Box()
def double(value):
    for k in range(2):
        err = value * 2
        losses.append(err)
    return err
"""
NUMBERS = st.sampled_from(
    ["x + 1", "loss * 2", "acc", "n", "0.5", "1 / x", "float(n)", "double(x)", "[1][x]"]
)
TARGETS = st.sampled_from(
    ["loss", "acc", "x", "n", "hist['loss']", "box.loss", "val_loss", "loss: float"]
)
SIMPLE = st.one_of(
    st.tuples(TARGETS, NUMBERS).map(" = ".join),
    st.tuples(st.sampled_from(["loss", "x", "acc"]), NUMBERS).map(" += ".join),
    st.tuples(st.sampled_from(["loss", "acc"]), NUMBERS).map(" /= ".join),
    NUMBERS.map("losses.append({})".format),
    NUMBERS.map("loss, acc = {}, loss".format),
    NUMBERS.map("losses = [double(v) for v in range(2)]; loss = {}".format),
    NUMBERS.map("print((err := {}), loss)".format),
    st.sampled_from(
        ["pass", "del loss", "del i", "raise ValueError(x)", "print(x, loss)", "i = x"]
    ),
)
JUMPS = st.sampled_from(["break", "continue", "pass"])


def joined(parts: list[list[str]]) -> list[str]:
    return [line for part in parts for line in part]


def indented(lines: list[str]) -> list[str]:
    return ["    " + line for line in lines]


def blocks(depth: int, *, in_loop: bool = False):
    """Lists of lines, at most `depth` levels of nesting."""
    line = SIMPLE.map(lambda text: [text])
    if in_loop:
        line = st.one_of(line, JUMPS.map(lambda text: [text]))
    if depth > 0:
        line = st.one_of(line, compound(depth, in_loop=in_loop))
    return st.lists(line, min_size=1, max_size=4).map(joined)


def counted_while(depth: int) -> list[str]:
    # A counter of its own at each depth, which nothing else sets: it must end.
    return [f"m{depth} = 0", f"while m{depth} < 2:", f"    m{depth} += 1"]


def compound(depth: int, *, in_loop: bool):
    body = blocks(depth - 1, in_loop=in_loop)
    loop_body = blocks(depth - 1, in_loop=True)
    return st.one_of(
        st.tuples(loop_body, body).map(
            lambda b: ["for i in range(3):", *indented(b[0]), "else:", *indented(b[1])]
        ),
        loop_body.map(lambda b: ["for i, v in enumerate([1, 2]):", *indented(b)]),
        loop_body.map(lambda b: [*counted_while(depth), *indented(b)]),
        st.tuples(body, body).map(
            lambda b: ["if x % 2:", *indented(b[0]), "else:", *indented(b[1])]
        ),
        st.tuples(body, body, body).map(
            lambda b: [
                "try:",
                *indented(b[0]),
                "except (ZeroDivisionError, NameError) as err:",
                *indented(b[1]),
                "finally:",
                *indented(b[2]),
            ]
        ),
        blocks(depth - 1).map(
            lambda b: [
                "def step(x):",
                '    "doc"',
                "    loss, acc, n = 1.0, 0.5, x",
                *indented(b),
                "    return loss",
                "loss = step(2)",
            ]
        ),
        body.map(lambda b: ["match x:", "    case 0 | 1:", *indented(indented(b))]),
    )


PROGRAMS = blocks(3).map("\n".join)


def outcome(program: str, *, watched: bool):
    """Namespace, output, error and traceback lines of one program."""
    out = io.StringIO()
    namespace: dict = {"__name__": "__main__"}
    with contextlib.redirect_stdout(out):
        if watched:
            ran = run_watched(
                program, BEFORE, namespace=namespace, sink=RecordingSink()
            )
            error = ran.error
        else:
            error = run_plainly(program, namespace)
    return shown(namespace), out.getvalue(), repr(error), lines_of(error)


def run_plainly(program: str, namespace: dict) -> BaseException | None:
    exec(compile(BEFORE, "<cell 0>", "exec"), namespace)
    try:
        exec(compile(program, "<tracked>", "exec"), namespace)
    except Exception as exc:
        return exc
    return None


def shown(namespace: dict) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in namespace.items():
        if isinstance(value, types.FunctionType):
            found[name] = (value.__code__, value.__doc__)
        elif name == "box":
            found[name] = vars(value)
        elif name not in ("__builtins__", "Box"):
            found[name] = repr(value)
    return found


def lines_of(error: BaseException | None) -> list[tuple[str, int, str]]:
    """The user's frames; a context (`During handling of`) counts too."""
    found = []
    while error is not None:
        trace = error.__traceback__
        while trace is not None:
            code = trace.tb_frame.f_code
            if code.co_filename.startswith("<"):
                found.append((code.co_filename, trace.tb_lineno, code.co_qualname))
            trace = trace.tb_next
        error = error.__context__
    return found


@settings(
    max_examples=examples(300),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(PROGRAMS)
def test_a_watched_program_does_what_it_does_unwatched(program):
    try:
        compile(program, "<tracked>", "exec")
    except SyntaxError:
        return  # `break` in a function, for one
    limit = sys.getrecursionlimit()  # hypothesis has raised it, and wants it back
    sys.setrecursionlimit(1000)
    try:
        plain = outcome(program, watched=False)
        watched = outcome(program, watched=True)
    finally:
        sys.setrecursionlimit(limit)
    assert watched == plain
