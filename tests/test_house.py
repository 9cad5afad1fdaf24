"""The house rules that a machine can keep, read from the files themselves."""

from __future__ import annotations

import ast
import gc
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

import nbtrack

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "nbtrack"
MODULES = sorted(PACKAGE.rglob("*.py"))
LINES_MAX = 600
IMPORT_MAX_S = 0.060  # beyond sqlite3, which any tracker needs
FLOORS = {"store": 1, "capture": 2, "tracking": 3, "analysis": 3}
FLOORS |= {"slices": 4, "sweeps": 4, "bundles": 4, "interop": 4, "compat": 4}
FLOORS |= {"tracked": 4, "scripts": 4}
FLOORS |= {"notebook": 5, "server": 5, "cli": 5}
GROUND = {"errors", "records", "metric_names", "text", "redact", "interrupts", "guard"}
SURFACE = 5
HEAVY = {
    *("torch", "numpy", "pandas", "sqlite_utils", "plotly", "psutil", "optuna"),
    *("IPython", "ipykernel", "ipywidgets", "anywidget", "jupyter_server", "tornado"),
    "rich",
}
SQL = re.compile(
    r"\b(select\s.+\sfrom|insert\s+(or \w+ )?into|update\s+\w+\s+set|delete\s+from"
    r"|create\s+(table|index|view)|begin\s+immediate)\s",
    re.IGNORECASE | re.DOTALL,
)
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "base", "misc"}


@cache
def parsed(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


@cache
def nodes_of(module: Path) -> list[ast.AST]:
    """All nodes of its tree; a walk of all trees takes more than their parsing."""
    return list(ast.walk(parsed(module)))


@pytest.fixture(scope="module", autouse=True)
def _trees_are_forgotten():
    """A million nodes, which every later collection of garbage would walk."""
    gc.disable()  # and they stay until then
    yield
    nodes_of.cache_clear()
    parsed.cache_clear()
    gc.enable()


def named(module: Path) -> str:
    return module.relative_to(ROOT).as_posix()


def room_of(dotted: str) -> str:
    """`nbtrack.store.journal` stands in the room `store`."""
    return f"{dotted}.".split(".")[1]


def floor_of(room: str) -> int:
    return 0 if room in GROUND else FLOORS[room]


def imports_of(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Every module that is imported anywhere among these nodes."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imports_on_loading(tree: ast.Module) -> Iterator[str]:
    """What the module imports when it is itself imported, types left out."""
    for node in tree.body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from imports_of(ast.walk(node))


def docstrings_of(nodes: Iterable[ast.AST]) -> set[int]:
    """The ids of the string nodes that are documentation."""
    bodies = [n.body for n in nodes if isinstance(getattr(n, "body", None), list)]
    firsts = [body[0] for body in bodies if body]
    return {id(n.value) for n in firsts if isinstance(n, ast.Expr)}


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [file for file in files if file.is_file()]


def test_no_source_file_is_longer_than_600_lines():
    sources = [f for f in tracked_files() if f.suffix in {".py", ".ts", ".css", ".mjs"}]
    lengths = {named(f): len(f.read_text("utf-8").splitlines()) for f in sources}
    assert {name: n for name, n in lengths.items() if n > LINES_MAX} == {}


def test_the_maps_name_every_room_on_its_floor():
    """The map in `nbtrack/__init__.py`, and the table of CONTRIBUTING."""
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    files = {path.stem for path in PACKAGE.glob("*.py") if path.stem[:2] != "__"}
    assert (folders, files) == (FLOORS.keys(), GROUND)
    table = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d) \| (.*?) \|", table, re.MULTILINE)
    rooms = [
        (int(floor), set(re.findall(r"\w+(?=/|\.py)", row))) for floor, row in rows
    ]
    named = {room: floor for floor, row in rooms for room in row}
    assert named == {**FLOORS, **dict.fromkeys(GROUND, 0)}
    floor, drawn = 0, {}
    for line in (nbtrack.__doc__ or "").splitlines():
        if found := re.match(r" {4}(\d) | {7}(?=\w+/)", line):
            floor = int(found[1] or floor)
            drawn |= dict.fromkeys(re.findall(r"(\w+)/", line), floor)
    assert drawn == FLOORS
    assert [room for room in GROUND if room not in (nbtrack.__doc__ or "")] == []


def test_no_module_is_called_after_nothing():
    assert [named(m) for m in MODULES if m.stem in FORBIDDEN_NAMES] == []


def test_every_module_says_what_it_is_for():
    assert [named(m) for m in MODULES if not ast.get_docstring(parsed(m))] == []


def wrong_imports(module: Path) -> set[str]:
    """Rooms that a module must not know: those above it, and other surfaces."""
    here = module.relative_to(PACKAGE).with_suffix("").parts[0]
    if here in ("__init__", "__main__"):
        return set()  # the map of the package names every floor, and loads none
    rooms = {
        room_of(i) for i in imports_of(nodes_of(module)) if i.startswith("nbtrack.")
    }
    known = rooms & (GROUND | FLOORS.keys())
    wrong = {room for room in known if floor_of(room) > floor_of(here)}
    if floor_of(here) == SURFACE:
        wrong |= {r for r in rooms & FLOORS.keys() if FLOORS[r] == SURFACE} - {here}
    if here == "capture":
        wrong |= rooms & {"store", "tracking"}
    return wrong


# One test for all modules: a test of its own for each took 8 s.
def test_imports_point_down():
    assert {named(m): wrong for m in MODULES if (wrong := wrong_imports(m))} == {}


def heavy_imports(module: Path) -> set[str]:
    """What the module loads with itself and should load where it is used."""
    here = module.relative_to(PACKAGE).with_suffix("").parts[0]
    loaded = {name.split(".")[0] for name in imports_on_loading(parsed(module))}
    allowed = {"anywidget", "ipywidgets", "IPython", "jupyter_server", "tornado"}
    return loaded & (HEAVY - (allowed if FLOORS.get(here) == SURFACE else set()))


def test_heavy_modules_are_imported_where_they_are_used():
    assert {named(m): heavy for m in MODULES if (heavy := heavy_imports(m))} == {}


def test_the_ground_floor_is_standard_library_only():
    grounds = [PACKAGE / f"{name}.py" for name in sorted(GROUND)]
    found = {
        i.split(".")[0] for m in grounds if m.exists() for i in imports_of(nodes_of(m))
    }
    assert found - {"nbtrack", "__future__"} <= sys.stdlib_module_names


def test_only_the_guard_catches_every_exception():
    broad = [
        f"{named(module)}:{node.lineno}"
        for module in MODULES
        if module.name != "guard.py"
        for node in nodes_of(module)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or "Exception" in ast.unparse(node.type).split(", "))
    ]
    assert broad == []


def test_the_package_prints_nothing_but_the_guards_warning():
    prints = [
        f"{named(module)}:{node.lineno}"
        for module in MODULES
        if module.name != "guard.py"
        for node in nodes_of(module)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
    assert prints == []


def test_sql_stands_in_the_store_alone():
    found = []
    for module in MODULES:
        # Readers of other tools' databases hold what is asked of those.
        if module.relative_to(PACKAGE).parts[0] in ("store", "interop"):
            continue
        documentation = docstrings_of(nodes_of(module))
        found += [
            f"{named(module)}:{node.lineno}"
            for node in nodes_of(module)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in documentation
            and SQL.search(f"{node.value} ")
        ]
    assert found == []


def test_importing_nbtrack_loads_nothing_heavy():
    code = f"import sys, nbtrack; print(*({HEAVY!r} & sys.modules.keys()))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (said.returncode, said.stdout.strip()) == (0, "")


def test_importing_nbtrack_costs_little():
    code = (
        "import sqlite3, time; start = time.perf_counter(); import nbtrack; "
        "print(time.perf_counter() - start)"
    )
    times = [
        float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(3)
    ]
    assert min(times) < IMPORT_MAX_S


def test_public_names_are_sorted_and_all_there():
    assert nbtrack.__all__ == sorted(nbtrack.__all__)
    assert [name for name in nbtrack.__all__ if not hasattr(nbtrack, name)] == []


def test_every_public_name_is_documented():
    assert [n for n in nbtrack.__all__ if not getattr(nbtrack, n).__doc__] == []


def test_the_front_end_has_the_version_of_the_package():
    package = json.loads((ROOT / "labextension/package.json").read_text("utf-8"))
    assert package["version"] == nbtrack.__version__


def test_the_changelog_knows_this_version():
    assert f"## {nbtrack.__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_no_file_names_a_machine_or_a_registry():
    # Put together here, so that this file does not name them either.
    folders = ("work", "root", "opt")
    places = [rf"(?<![\w.~}}])/{folder}/\w" for folder in folders]
    hosts = [r"pypi\." + "org", r"pythonhosted\." + "org", r"registry\.npmjs\." + "org"]
    pattern = re.compile("|".join(places + hosts))
    found = []
    for file in tracked_files():
        if file.suffix in {".png", ".gz"}:
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        found += [f"{named(file)}: {match[0]}" for match in pattern.finditer(text)]
    assert found == []
