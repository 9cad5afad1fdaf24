"""The pages of notebooks/docs: all that is public is there, nothing is warned of."""

from __future__ import annotations

import importlib
import inspect
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import pytest

import nbtrack
from nbtrack.analysis.query import FIELDS
from nbtrack.bundles.verdict import Word
from nbtrack.cli import command
from nbtrack.notebook.arguments import Option
from nbtrack.store import Store
from nbtrack.tracking.settings import FEATURES, configure

ROOT = Path(nbtrack.__file__).parents[1]
NOTEBOOKS = ROOT / "notebooks"
DOCS = NOTEBOOKS / "docs"
REFERENCE = DOCS / "reference"
DIRECTIVE = re.compile(r"^\.\. (?:auto|py:)\w+:: ([\w.]+)", re.MULTILINE)
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
VARIABLE = re.compile(r"\bNBTRACK_[A-Z_]+\b")
WORDS = ["-W", "--keep-going", "-q"]
# What nbtrack says to processes of its own, and no user has to know.
OF_OUR_PROCESSES = {
    *("NBTRACK_PROOF", "NBTRACK_PROOF_OF", "NBTRACK_SWEEP_OF", "NBTRACK_"),
}
# Public for the other rooms of the house; a user has another way for each.
NOT_OF_USERS = {
    *(
        "axes_now",
        "axis_point",
        "become_fork",
        "begin_parts",
        "check_stop",
        "log_cells",
    ),
    *("continue_from", "declare", "drop_axis", "end_rich_values", "file_saved"),
    *("file_saving", "has_rich_values", "keep_policy", "keep_records", "log_inputs"),
    *("keep_snapshot", "last_media_step", "latest_metrics", "latest_step", "log_media"),
    *("log_facts", "log_failure", "log_grade", "log_measured", "log_texts", "thinned"),
    *("next_steps", "notices", "on_points_of", "point", "said_goals", "save_if_asked"),
    *("when_media_end", "is_recorded", "place"),
}


@pytest.fixture
def surfaces(monkeypatch):
    """The module that writes pages from the tables of nbtrack."""
    pytest.importorskip("sphinx", reason='not installed: pip install ".[docs]"')
    monkeypatch.syspath_prepend(str(DOCS))
    return importlib.import_module("surfaces")


def documented() -> list[str]:
    """The names that the reference documents, as often as it does."""
    texts = [page.read_text("utf-8") for page in sorted(REFERENCE.glob("*.md"))]
    return [name for text in texts for name in DIRECTIVE.findall(text)]


def test_every_public_name_is_in_the_reference_once():
    names = documented()
    wanted = [f"nbtrack.{name}" for name in nbtrack.__all__]
    assert {name: names.count(name) for name in wanted if names.count(name) != 1} == {}


@pytest.mark.parametrize("room", ["artifacts", "models"])
def test_every_function_of_a_public_module_is_in_the_reference_once(room):
    names = documented()
    wanted = [f"nbtrack.{room}.{name}" for name in getattr(nbtrack, room).__all__]
    assert {name: names.count(name) for name in wanted if names.count(name) != 1} == {}


def test_every_method_of_a_run_that_is_for_users_is_in_the_reference():
    public = {name for name, _ in inspect.getmembers(nbtrack.Run) if name[0] != "_"}
    shown = {name.removeprefix("nbtrack.Run.") for name in documented()}
    assert public - shown == NOT_OF_USERS


def test_every_error_is_in_the_reference():
    errors = importlib.import_module("nbtrack.errors")
    kinds = [name for name, kind in vars(errors).items() if isinstance(kind, type)]
    shown = {name.rpartition(".")[2] for name in documented()}
    assert [name for name in kinds if name not in shown] == []


def test_what_public_functions_return_is_in_the_reference():
    text = (REFERENCE / "results.md").read_text("utf-8")
    functions = [getattr(nbtrack, name) for name in nbtrack.__all__]
    told = [str(inspect.get_annotations(f).get("return", "")) for f in functions
            if inspect.isfunction(f)]  # fmt: skip
    ours = {name for words in told for name in re.findall(r"\b[A-Z]\w+", words)}
    others = {"None", "Any", "DataFrame", "Figure", "FigureWidget", "Path", "Callable"}
    missing = ours - others - {"P", "R", "Run"}
    assert {name for name in missing if not re.search(rf"\.{name}\b", text)} == set()


def test_every_registered_magic_has_a_section(surfaces, shell):
    nbtrack.load_ipython_extension(shell)
    with_marks = {"cell": "%%", "line": "%"}
    registered = {
        f"{with_marks[kind]}{name}"
        for kind, magics in shell.magics_manager.magics.items()
        for name, magic in magics.items()
        if getattr(magic, "__module__", "").startswith("nbtrack.")
    }
    shown = re.findall(r"^## `(.*)`$", surfaces.magics_page(), re.MULTILINE)
    assert registered == set(shown)
    assert len(shown) == len(set(shown))


def test_every_option_of_a_magic_has_a_meaning(surfaces):
    meanings = {
        (magic, option.flags[-1]): surfaces.meaning_of(option, magic)[1]
        for magic, options in surfaces.OPTIONS.items()
        for option in options
    }
    assert len(meanings) > 80
    assert [key for key, meaning in meanings.items() if len(meaning) < 5] == []


def test_no_help_names_an_option_that_its_magic_does_not_know(surfaces):
    for magic, text in surfaces.magics().items():
        options = surfaces.OPTIONS.get(magic.replace("%%nbtrack", "%%track"), ())
        known = {flag for option in options for flag in option.flags}
        assert surfaces.meanings(text).keys() - known == set(), magic


def test_every_table_of_options_in_the_package_is_on_the_page(surfaces):
    tables = set()
    for path in (ROOT / "nbtrack/notebook").rglob("*.py"):
        if "Option(" in path.read_text("utf-8"):
            dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            values = vars(importlib.import_module(dotted)).values()
            tables |= {v for v in values if isinstance(v, tuple) and _are_options(v)}
    assert tables
    assert tables - set(surfaces.OPTIONS.values()) == set()


def _are_options(values: tuple) -> bool:
    return bool(values) and all(isinstance(value, Option) for value in values)


def test_every_verb_and_option_of_the_command_is_on_its_page(surfaces):
    page = surfaces.command_page()
    head = (REFERENCE / "command.md").read_text("utf-8")
    verbs = surfaces.verbs()
    assert verbs.keys() >= {f"nbtrack {name}" for name in command.commands}
    sections = dict(
        re.findall(r"^#+ `(.*?)`\n(.*?)(?=^#|\Z)", page, re.MULTILINE | re.DOTALL)
    )
    assert sections.keys() == verbs.keys()
    for name, verb in verbs.items():
        flags = {f for p in verb.params for f in p.opts if f.startswith("-")}
        missing = {f for f in flags if f"`{f}`" not in sections[name] + head}
        assert missing - {"--store"} == set(), name
    assert "`--store PATH`" in head


def test_every_word_that_switches_off_is_on_the_page_of_settings(surfaces):
    assert [w for w in FEATURES if f"| `{w}` |" not in surfaces.features_page()] == []
    page = (REFERENCE / "settings.md").read_text("utf-8")
    named = inspect.signature(configure).parameters
    assert [name for name in named if f"| `{name}` |" not in page] == []


def test_every_variable_that_is_read_is_on_the_page_of_settings():
    sources = [p.read_text("utf-8") for p in (ROOT / "nbtrack").rglob("*.py")]
    used = {name for text in sources for name in VARIABLE.findall(text)}
    page = (REFERENCE / "settings.md").read_text("utf-8")
    assert used - OF_OUR_PROCESSES == set(VARIABLE.findall(page))


def test_every_word_of_a_verdict_has_a_meaning(surfaces):
    table = surfaces.verdicts_table()
    assert [word for word in get_args(Word) if f"| `{word}` |" not in table] == []


def test_every_field_of_a_query_is_named(surfaces):
    line = surfaces.fields_line() + (REFERENCE / "query.md").read_text("utf-8")
    assert [name for name in FIELDS if f"`{name}`" not in line] == []


def test_the_examples_of_the_query_language_give_what_the_page_shows(
    tmp_path, monkeypatch, plain_surroundings
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NBTRACK_STORE", raising=False)
    names: dict = {}
    said = ""
    n_compared = 0
    for language, body in FENCE.findall((REFERENCE / "query.md").read_text("utf-8")):
        if language == "text":
            assert said == body.strip()
            n_compared += 1
        elif "\n" in body.strip():
            exec(body, names)
        else:
            said = answer(body, names)
    assert n_compared >= 8
    with Store.open(tmp_path, create=False) as store:
        assert len(store.runs()) == 3


def answer(expression: str, names: dict) -> str:
    try:
        return repr(eval(expression, names))
    except nbtrack.NbtrackError as error:
        return f"{type(error).__name__}: {error}"


class Asked(HTMLParser):
    """What a page loads by itself: not what it links to."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag, attrs):
        loaded = {key: value or "" for key, value in attrs if key in {"src", "srcset"}}
        if tag == "link":
            loaded["href"] = dict(attrs).get("href") or ""
        self.addresses += loaded.values()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built pages; a warning fails the build."""
    pytest.importorskip("sphinx", reason='not installed: pip install ".[docs]"')
    out = tmp_path_factory.mktemp("site")
    words = [*WORDS, "-d", f"{out}/trees", "-c", "notebooks/docs", "notebooks"]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *words, f"{out}/pages"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return out / "pages"


@pytest.mark.skipif(shutil.which("make") is None, reason="no make here")
def test_make_docs_builds_as_these_tests_do():
    dry = ["make", "--dry-run", "docs"]
    said = subprocess.run(dry, cwd=ROOT, capture_output=True, text=True)
    words = " ".join(["sphinx", *WORDS, "-c", "notebooks/docs", "notebooks"])
    assert f"{words} build/docs" in said.stdout


@pytest.mark.reproduce
@pytest.mark.timeout(600)  # half a minute, on a busy machine several
def test_the_site_is_built_without_a_warning_and_has_every_page(site):
    sources = [*NOTEBOOKS.glob("*.ipynb"), *NOTEBOOKS.rglob("*.md")]
    names = [p.relative_to(NOTEBOOKS).with_suffix(".html") for p in sources]
    assert [str(name) for name in names if not (site / name).exists()] == []


@pytest.mark.reproduce
def test_no_page_asks_anything_of_a_network(site):
    found = []
    for page in site.rglob("*.html"):
        reader = Asked()
        reader.feed(page.read_text("utf-8"))
        foreign = [a for a in reader.addresses if re.match(r"(https?:)?//", a)]
        found += [f"{page.relative_to(site)}: {address}" for address in foreign]
    assert found == []
    styles = "".join(p.read_text("utf-8") for p in site.rglob("*.css"))
    assert re.findall(r"(?:url\(|@import )[\"']?(?:https?:)?//", styles) == []


@pytest.mark.reproduce
def test_every_public_name_is_in_the_index_of_the_site(site):
    page = (site / "genindex.html").read_text("utf-8")
    anchors = set(re.findall(r"#(?:module-)?([\w.]+)\"", page))
    assert [n for n in nbtrack.__all__ if f"nbtrack.{n}" not in anchors] == []


@pytest.mark.reproduce
def test_the_pages_of_tables_have_no_mark_left(site):
    for name in ("magics", "command", "settings", "query", "reproduce"):
        html = (site / f"docs/reference/{name}.html").read_text("utf-8")
        assert "<table" in html
        assert not re.search(
            r"<!-- (magics|command|features|fields|verdicts) -->", html
        )
