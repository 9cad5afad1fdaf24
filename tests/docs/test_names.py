"""Every name of ours that a document says in `code` is there: a slip is told here.

Python names, magics, verbs and their options, options alone, variables of the
environment, files of the checkout, tests.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import shlex
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import click
import pytest
from doc_pages import DOCUMENTS, ROOT, blocks_of, markdown_of, named, prose_of

import nbtrack
from nbtrack.cli import command
from nbtrack.notebook.arguments import Option
from nbtrack.notebook.line_magics import LINE_MAGICS
from nbtrack.notebook.transform import MAGIC_NAMES
from nbtrack.tracking.run import Run
from nbtrack.tracking.settings import FEATURES

# The changelog tells of what was there once; the others of what is there now.
READ = [document for document in DOCUMENTS if document.name != "CHANGELOG.md"]
OPTIONED = """
    artifacts_magic bundle_magics compare_magic diff_magic media_display models_magic
    options report_magic runs_magic slice_magic sweep_magic
""".split()  # noqa: SIM905 - modules with options of magics, one a word
MAGICS = {*MAGIC_NAMES, *LINE_MAGICS, "sweep"}
# IPython's, which pages speak of too.
FOREIGN_MAGICS = {
    "autoreload", "bash", "capture", "cd", "config", "env", "lsmagic", "load_ext",
    "matplotlib", "pip", "run", "set_env", "time", "timeit", "unload_ext",
    "writefile",
}  # fmt: skip
# Options of other programs that pages speak of.
FOREIGN_FLAGS = {"--help", "--version", "--execute", "--nproc-per-node", "--no-header"}
# What `format` says in a bundle's manifest.
WORDS_OF_FORMATS = {"nbtrack.bundle"}
# Files that a newcomer makes, as CONTRIBUTING tells; tests/test_first_tasks.py does.
YET_TO_MAKE = {
    "nbtrack/cli/count_verb.py",
    "nbtrack/tracking/callbacks/ignite.py",
    "tests/cli/test_count.py",
    "tests/frameworks/test_ignite.py",
}
FILES_OF_A_STORE = {"nbtrack.db", "nbtrack.db-wal", "nbtrack.db-shm", "nbtrack.json"}
KNOWN_DOTTED = FILES_OF_A_STORE | WORDS_OF_FORMATS
_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_DOTTED = re.compile(r"(?<![\w./~-])nbtrack((?:\.[A-Za-z_]\w*)+)")
_OF_RUN = re.compile(r"(?<![\w./])[rR]un\.([a-z_]+)(?=\(|$)")
_MAGIC = re.compile(r"(?<![\w%])%{1,2}([A-Za-z_]\w+)")
_FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
_VARIABLE = re.compile(r"\bNBTRACK_[A-Z_]+\b")
_PATH = re.compile(
    r"(?<![\w./])((?:tests|nbtrack|labextension)/[\w./-]*\w)(?:::(\w+))?"
)


def spans_of(text: str) -> list[str]:
    """What stands in backticks in the prose, and each line of its python and sh."""
    found = [" ".join(m[2].split()) for m in _SPAN.finditer(prose_of(text))]
    for block in blocks_of(text):
        if block.language in ("python", "sh"):
            lines = block.body.replace("\\\n", " ").splitlines()
            found += [line for line in lines if not line.lstrip().startswith("#")]
    return found


@cache
def flags_of_magics() -> frozenset[str]:
    modules = [importlib.import_module(f"nbtrack.notebook.{m}") for m in OPTIONED]
    options = [
        option
        for module in modules
        for value in vars(module).values()
        if isinstance(value, tuple)
        for option in value
        if isinstance(option, Option)
    ]
    assert len(options) > 50
    return frozenset(flag for option in options for flag in option.flags)


def flags_of_verb(verb: click.Command) -> set[str]:
    """Its own options, and those of the verbs inside it."""
    own = {o for p in verb.params for o in (*p.opts, *p.secondary_opts)}
    inside = getattr(verb, "commands", {}).values()
    return own | {flag for inner in inside for flag in flags_of_verb(inner)}


@cache
def all_flags() -> frozenset[str]:
    return frozenset(flags_of_verb(command)) | flags_of_magics() | FOREIGN_FLAGS


@cache
def own_source() -> str:
    """All that reads a variable: the package, the tests, what `make` passes on."""
    files = [*(ROOT / "nbtrack").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    files += [ROOT / "Makefile", *(ROOT / "notebooks").glob("*.ipynb")]
    read = (file for file in files if file.parent.name != "docs")
    return "\n".join(file.read_text("utf-8") for file in read)


def resolves(dotted: str) -> bool:
    """Whether `models.register` or `compat.wandb.init` leads somewhere in nbtrack."""
    here: Any = nbtrack
    walked = "nbtrack"
    for part in dotted.strip(".").split("."):
        walked = f"{walked}.{part}"
        if hasattr(here, part):
            here = getattr(here, part)
        elif hasattr(here, "__path__") and importlib.util.find_spec(walked):
            here = importlib.import_module(walked)
        else:
            return False
    return True


def wrong_python(span: str) -> Iterator[str]:
    """Names under `nbtrack.` that are not there, and methods that a run has not."""
    for match in _DOTTED.finditer(span):
        name = f"nbtrack{match[1]}"
        if name not in KNOWN_DOTTED and not resolves(match[1]):
            yield name
    for match in _OF_RUN.finditer(span):
        is_file = match[1] in {"py", "ipynb"}
        if not is_file and not hasattr(Run, match[1]) and match[1] not in _ON_A_RUN:
            yield match[0]


# Attributes that a run gets when it begins.
_ON_A_RUN = {
    "id",
    "name",
    "experiment",
    "status",
    "store",
    "stop",
    "place",
    "n_dropped",
}


def wrong_magics(span: str) -> Iterator[str]:
    """Magics that nobody registers; only where a line or a span begins with one."""
    match = _MAGIC.match(span.strip())
    if match and match[1] not in MAGICS | FOREIGN_MAGICS:
        yield match[0]


def wrong_verbs(span: str) -> Iterator[str]:
    """Verbs of the command that are none, and options that a verb has not."""
    for part in re.split(r"\s(?:\|\|?|&&|;)\s|\$\(", span):
        if not re.match(r"(?:[A-Z_]+=\S* )*nbtrack [a-z]", part.strip()):
            continue
        words = _words(part.strip().rstrip(")"))
        words = words[words.index("nbtrack") + 1 :]
        verb = command.commands.get(words[0])
        if verb is None:
            yield f"nbtrack {words[0]}"
        elif words[0] != "run":  # behind it stand the options of a script
            known = flags_of_verb(verb) | {"--help"}
            flags = (word.split("=")[0] for word in words if word.startswith("--"))
            yield from (f"nbtrack {words[0]} {f}" for f in flags if f not in known)


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError:  # a quote that is not closed: prose
        return line.split()


def wrong_flags(span: str) -> Iterator[str]:
    """Options alone, as `--keep best`, or behind one of our magics."""
    found = _MAGIC.match(span)
    if span.startswith("--"):
        known = all_flags()
    elif found and found[1] in MAGICS:
        known = flags_of_magics()
    else:
        return
    yield from (flag for flag in _FLAG.findall(span) if flag not in known)


def wrong_variables(span: str) -> Iterator[str]:
    """Variables of the environment that nobody reads."""
    for name in _VARIABLE.findall(span):
        if f'"{name}"' not in own_source() and f"({name})" not in own_source():
            yield name


def wrong_paths(span: str) -> Iterator[str]:
    """Files of the checkout that are not there, and tests that no file has."""
    for match in _PATH.finditer(span):
        file = ROOT / match[1]
        if match[1] in YET_TO_MAKE:
            continue
        if not file.exists():
            yield match[1]
        elif match[2] and f"def {match[2]}(" not in file.read_text("utf-8"):
            yield match[0]


CHECKS = (
    wrong_python, wrong_magics, wrong_verbs, wrong_flags, wrong_variables, wrong_paths
)  # fmt: skip


def wrong_in(spans: Iterable[str]) -> list[str]:
    return [slip for span in spans for check in CHECKS for slip in check(span)]


@pytest.mark.parametrize("document", READ, ids=named)
def test_every_name_of_ours_in_a_document_is_there(document):
    assert wrong_in(spans_of(markdown_of(document))) == []


def test_files_that_are_yet_to_make_are_told_of_and_not_there():
    told = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert [f for f in YET_TO_MAKE if f not in told or (ROOT / f).exists()] == []


def test_features_that_a_document_switches_off_are_some():
    said = [
        word
        for document in READ
        for span in spans_of(markdown_of(document))
        if (match := re.search(r"%track_config off ([a-z ]+)$", span))
        for word in match[1].split()
    ]
    assert said
    assert set(said) - {*FEATURES, "all"} == set()


@pytest.mark.parametrize(
    ("text", "slip"),
    [
        ("`nbtrack.rename_metrics`", "nbtrack.rename_metrics"),
        ("`nbtrack.models.registr('a')`", "nbtrack.models.registr"),
        ("`run.log_tables(...)`", "run.log_tables"),
        ("`%%trak base`", "%%trak"),
        ("`nbtrack lst`", "nbtrack lst"),
        ("`nbtrack ls --sorted loss`", "nbtrack ls --sorted"),
        ("`--resum last`", "--resum"),
        ("`%%track --notes 'x' --paramm lr=1`", "--paramm"),
        ("`NBTRACK_STROE`", "NBTRACK_STROE"),
        ("`tests/test_gone.py`", "tests/test_gone.py"),
        ("`tests/test_redact.py::test_gone`", "tests/test_redact.py::test_gone"),
        ("```sh\nnbtrack export x --offlin\n```\n", "nbtrack export --offlin"),
        ("```python\nnbtrack.strat('a')\n```\n", "nbtrack.strat"),
    ],
)
def test_a_slip_is_told(text, slip):
    assert wrong_in(spans_of(text)) == [slip]


def test_what_is_right_is_left_alone():
    fine = (
        "`nbtrack.compat.wandb` `%runs undo` `%%track -p lr=.1` `run.log_table` "
        "`nbtrack` `nbtrack.db` `NBTRACK_STORE` `nbtrack ls 'loss < .3' --json` "
        "`%load_ext nbtrack` `tests/test_redact.py` `X=1 nbtrack run a.py --lr .1` "
        "`--keep best,last`"
    )
    assert len(spans_of(fine)) == 12
    assert wrong_in(spans_of(fine)) == []
