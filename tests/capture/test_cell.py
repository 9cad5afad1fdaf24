"""The syntax of a cell: what is worked out, bounded, built up, and left alone."""

import ast
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbtrack.capture.accumulators import is_accumulator, is_counter, is_null
from nbtrack.capture.calls import call_literals
from nbtrack.capture.cell import read_cell
from nbtrack.capture.evaluate import NO_DEFAULT, Known, known_or
from nbtrack.capture.fields import fields_of
from nbtrack.capture.loops import for_bounds, varying_arguments, while_bounds
from nbtrack.capture.survey import survey


def value_of(text, **values):
    return known_or(ast.parse(text, mode="eval").body, Known(values=values))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3 * 2", 0.002),
        ("-(2 ** 10)", -1024),
        ("7 // 2 + 7 % 2", 4),
        ("n * 2 if n > 3 else 0", 10),
        ("not n or n", 5),
        ("[1, *[2, 3]]", [1, 2, 3]),
        ("{'a': 1, **{'b': 2}}", {"a": 1, "b": 2}),
        ("dict({'a': 1}, b=n)", {"a": 1, "b": 5}),
        ("{1, 2}", {1, 2}),
        ("list(range(3))", [0, 1, 2]),
        ("[10, 20][1]", 20),
        ("max(1, n)", 5),
        ("sum([1, 2])", 3),
        ("round(1 / 3, 2)", 0.33),
        ("f'{n:03d}-{n!r}'", "005-5"),
        ("math.inf", math.inf),
        ("float('-inf')", -math.inf),
        ("np.pi", math.pi),
        ("Path('a/b')", "a/b"),
        ("torch.device('cpu')", "cpu"),
        ("torch.float16", "torch.float16"),
        ("SimpleNamespace(lr=n)", {"lr": 5}),
        ("1 < n <= 5 and 'a' in 'abc'", True),
        ("int('3') + len('ab')", 5),
    ],
)
def test_pure_expressions_are_worked_out(text, value):
    assert value_of(text, n=5) == value


@pytest.mark.parametrize(
    "text",
    [
        "f(1)",
        "unknown",
        "x.attr",
        "open('a')",
        "2 ** 10 ** 9",
        "1 << 10 ** 9",
        "'a' * 10 ** 9",
        "[0] * 10 ** 9",
        "10 ** 400 * 10 ** 400 * 10 ** 1000 ** 2",
        "'%1000000d' % 1",
        "f'{1:1000000000000d}'",
        "b'bytes'",
        "1j",
        "(-1) ** 0.5",
        "1 / 0",
        "[1][5]",
        "int('x')",
        "lambda: 1",
        "[x for x in y]",
        "list(range(10 ** 9))",
        "sum(range(10 ** 9))",
        "range(10 ** 30)[5:]",
        "(yield)",
        "-" * 5000 + "1",
    ],
)
def test_other_expressions_are_not(text):
    try:
        node = ast.parse(text, mode="eval").body
    except (RecursionError, MemoryError, SyntaxError):
        return
    assert known_or(node, Known()) is NO_DEFAULT


def test_a_rebound_builtin_is_not_trusted():
    assert read_cell(ast.parse("max = f\nn = max(1, 2)"), {}).literals == {}
    assert read_cell(ast.parse("n = max(1, 2)"), {"max": min}).literals == {}


numbers = st.integers(-50, 50) | st.floats(-50, 50, allow_nan=False)


@given(numbers, numbers, st.sampled_from(["+", "-", "*", "<", "==", ">="]))
def test_arithmetic_agrees_with_python(a, b, op):
    text = f"({a!r}) {op} ({b!r})"
    assert value_of(text) == eval(text)


@given(st.text(alphabet="ab=[](){}:,.1 \n'\"*-+infordelwh", max_size=60))
def test_any_text_that_parses_is_read(text):
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    facts = read_cell(tree, {})
    call_literals(facts, {}, lambda filename: None)


@pytest.mark.parametrize(
    ("loop", "bounds"),
    [
        ("for e in range(10): ...", {"e": 10}),
        ("for e in range(2, 10, 3): ...", {"e": 3}),
        ("for e in tqdm(range(10), desc='x'): ...", {"e": 10}),
        ("for e in tqdm.notebook.trange(4): ...", {"e": 4}),
        ("for e in nbtrack.epochs(10): ...", {}),
        ("for i, e in enumerate(tqdm(range(5))): ...", {"e": 5}),
        ("for _ in range(7): ...", {"iterations": 7}),
        ("for e in range(n): ...", {}),
        ("for e in range(len(x)): ...", {}),
        ("for e in range(1, n + 1): ...", {}),
        ("for e in range(1, 5, 0): ...", {}),
        ("for x in loader: ...", {}),
        ("for C in [1, 2]: ...", {"C": [1, 2]}),
        ("for i, C in enumerate((1, 2)): ...", {"C": [1, 2]}),
        ("for C in np.logspace(-3, 3, 7): ...", {"C": "np.logspace(-3, 3, 7)"}),
        ("for k in [f(), 2]: ...", {}),
        ("for phase in ['train', 'val']: ...", {}),
        ("for a, b in [(1, 2), (3, 4)]: ...", {"a": [1, 3], "b": [2, 4]}),
        ("for a, b in [(1, 2), (3,)]: ...", {}),
    ],
)
def test_bounds_of_for_loops(loop, bounds):
    assert for_bounds(ast.parse(loop).body[0], Known()) == bounds


@pytest.mark.parametrize(
    ("loop", "bounds"),
    [
        ("while step < 500: step += 1", {"step": 500}),
        ("while step <= 5 and not done: step = step + 1", {"step": 5}),
        ("while loss > 0.1: loss = f()", {}),
        ("while step < n: step += 1", {}),
        ("while True: ...", {}),
        ("while n < 5: ...", {}),
    ],
)
def test_bounds_of_while_loops(loop, bounds):
    body = ast.parse(loop).body
    assert while_bounds(body[0], survey(body), Known()) == bounds


def test_two_loops_of_one_variable_are_told_apart():
    source = "for e in range(2): ...\nfor e in range(3): ...\nfor e in range(2): ..."
    assert read_cell(ast.parse(source), {}).bounds == {"e": 2, "e_2": 3}


@pytest.mark.parametrize(
    ("body", "varying"),
    [
        ("m = K(C=C, k=1)", {"C"}),
        ("m = pipe(S(), K(C=2 * C))", {"C"}),
        ("m = K(C)", None),
        ("m = K(**C)", None),
        ("m = f(x)[0]", None),
        ("m = K(k=other)", set()),
    ],
)
def test_arguments_that_change_from_round_to_round(body, varying):
    found = survey(ast.parse(f"for C in cs:\n    {body}").body)
    assert varying_arguments("m", found) == varying


@pytest.mark.parametrize(
    ("name", "value", "loop", "expected"),
    [
        ("lr", 0.1, "lr *= 0.9", False),
        ("lr", 0.1, "lr -= 0.01", False),
        ("n", 0, "n += 1", True),
        ("epoch", 1, "epoch += 1", True),
        ("best_acc", 0.5, "best_acc = a", True),
        ("best", math.inf, "best = a", True),
        ("prev", None, "prev = a", True),
        ("temperature", 1.0, "temperature = temperature * 0.9", False),
        ("min_val", 1e9, "min_val = a", True),
        ("rows", [], "rows.append(1)", True),
        ("hist", {"loss": [], "n": [0]}, "hist['loss'].append(1)", True),
        ("dims", [64], "pass", False),
        ("momentum", 0.0, "pass", False),
        ("train_loss", 0.0, "pass", True),
        ("callbacks", [], "fit(callbacks)", True),
    ],
)
def test_first_values_of_what_is_built_up(name, value, loop, expected):
    found = survey(ast.parse(f"for i in x:\n    {loop}").body)
    assert is_accumulator(name, value, found) is expected


def test_counters_are_told_by_what_loops_do():
    def counts(body):
        return is_counter("n", survey(ast.parse(f"for i in x:\n    {body}").body))

    assert counts("n += 1")
    assert counts("n = n + 1")
    assert not counts("n *= 2")
    assert not counts("n = f()")
    assert not is_counter("n", survey(ast.parse("n += 1").body))


def test_zeros_and_empty_values_are_null():
    assert all(map(is_null, (0, 0.0, None, False, "", [], {"a": []}, -math.inf, 1e9)))
    assert not any(map(is_null, (1, 0.1, "a", [64], True)))


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("class C:\n a = 1\n b: int = 2", {"a": 1, "b": 2}),
        ("@dataclass\nclass C:\n a: int\n b: int = 2\n def f(s): ...",
         {"a": NO_DEFAULT, "b": 2}),
        ("class C:\n a = 1\n def f(self): ...", None),
        ("class C(nn.Module):\n a = 1", None),
        ("class C(NamedTuple):\n a: int = 1", {"a": 1}),
        ("class C:\n a = 2\n b = a * 3", {"a": 2, "b": 6}),
        ("@dataclass\nclass C:\n a: list = field(default_factory=list)", {"a": []}),
        ("class C: pass", None),
    ],
)  # fmt: skip
def test_fields_of_settings_classes(text, fields):
    assert fields_of(ast.parse(text).body[0], Known()) == fields


def calls(source, namespace=None, sources=lambda filename: None):
    namespace = namespace or {}
    facts = read_cell(ast.parse(source), namespace)
    return {c.name: c.value for c in call_literals(facts, namespace, sources)}


def test_arguments_given_by_name_are_params_of_their_own_name_only():
    assert calls("def f(lr, n=3): ...\nf(base, n=k)") == {}
    assert calls("def f(lr, n=3): ...\nf(2 * 3)") == {"lr": 6, "n": 3}


def test_calls_with_unpacked_arguments_tell_what_is_written_out():
    assert calls("def f(a, b=1, c=2): ...\nf(*args, c=5)") == {}
    assert calls("def f(a, b=1, c=2): ...\nf(0, **kw)") == {"a": 0}
    assert calls("def f(a, b=1, c=2): ...\nf(0, **{'b': 4})") == {"a": 0, "c": 2}
    known = {"kw": {"a": 5, "b": 4}}
    assert calls("def f(a, b=1, c=2): ...\nf(**kw)", known) == {"c": 2}


def test_seeds_and_noted_library_calls():
    found = calls(
        "torch.manual_seed(3)\nnp.random.seed(3)\n"
        "train_test_split(X, y, test_size=0.2)\n"
        "nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n"
        "model.fit(X, epochs=5, verbose=0)\nplt.plot(x, label='a')"
    )
    assert found == {
        "seed": 3,
        "train_test_split.test_size": 0.2,
        "clip_grad_norm_.max_norm": 1.0,
        "epochs": 5,
    }


def test_methods_of_notebook_classes_tell_their_arguments():
    namespace = {"__name__": "__main__"}
    exec("class T:\n    def fit(self, lr=0.1, n=2): ...\nt = T()", namespace)
    assert calls("t.fit(n=5)", namespace) == {"lr": 0.1, "n": 5}


def test_main_function_tells_its_literals_and_those_it_calls():
    source = (
        "def inner():\n    width = 8\n    for b in range(4): ...\n"
        "def main():\n    lr = 0.1\n    inner()\nmain()"
    )
    assert calls(source) == {"lr": 0.1, "width": 8, "b": 4}
