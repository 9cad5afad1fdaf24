"""The table of a paper: its numbers, what is bold, and hostile names in both styles."""

from __future__ import annotations

import math
import re
import shutil
import subprocess

import pytest

import nbtrack
from nbtrack.analysis.statistics.paper_table import paper_table
from nbtrack.analysis.statistics.paper_text import latex
from nbtrack.errors import MetricNotFoundError, OptionError, QueryError

HOSTILE = [
    "a|b <img src=x onerror=alert(1)>",
    r"50% \input{/etc/passwd} $x_1$ & ~^#",
    "[3pt] *x* `c` [l](javascript:1)",
    "**bold** _it_ --- ^^M",
    "*",
    "[",
]


def logged(group, accs, *, losses=(), **params):
    for seed, acc in enumerate(accs):
        given = {"seed": seed, **params}
        with nbtrack.start(group=group, params=given, off="all") as run:
            run.log({"val_acc": acc})
            for loss in losses[seed : seed + 1]:
                run.log({"loss": loss, "lr": 0.1})


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """One store for all tests here, which only read."""
    path = tmp_path_factory.mktemp("paper") / ".nbtrack"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NBTRACK_STORE", str(path))
        logged("base", [0.90, 0.91, 0.89], losses=[0.5, 0.52, 0.51], lr=0.1, opt="sgd")
        logged("wide", [0.95, 0.962, 0.938], losses=[0.4, 0.41], lr=0.01, opt="adam")
        logged("twin", [0.951, 0.959, 0.94], lr=1, opt="adam")
        logged("nan", [math.nan, 0.93, 0.95], lr=0.01, opt="sgd")
        logged("lost", [math.nan], lr=1e-5, opt="sgd")
        logged(None, [0.99], opt="none")
        for at, name in enumerate(HOSTILE):
            logged(name, [0.1 * at], hostile=name)
        nbtrack.tracking.session.process_session().close()
    from nbtrack.store import Store

    with Store.open(path) as store:
        yield store


NAMED = "group in ('base', 'wide', 'twin', 'nan', 'lost') or params.opt == 'none'"


def test_a_table_in_markdown(here):
    found = paper_table(NAMED, metrics=["val_acc", "loss", "lr"], store=here)
    assert str(found) == (
        "| group | val\\_acc ↑ | loss ↓ | lr |\n"
        "|:--|--:|--:|--:|\n"
        "| base | 0.900 ± 0.025 | 0.510 ± 0.025 | 0.1000 ± 0.0000 |\n"
        "| lost | – | – | – |\n"
        "| nan | 0.940 ± 0.127 | – | – |\n"
        "| twin | **0.950** ± 0.024 | – | – |\n"
        "| wide | **0.950** ± 0.030 | **0.405** ± 0.064 | 0.1000 ± 0.0000 |\n"
        "\n"
        "Mean ± 95 % CI (Student's t) of n=2 to 3 runs; best in bold; "
        "1 value NaN left out; 1 run without a row left out."
    )


def test_a_table_in_latex(here):
    query = "group in ('base', 'wide')"
    found = paper_table(query, metrics=["val_acc", "loss"], style="latex", store=here)
    assert str(found) == (
        "% \\usepackage{booktabs}\n"
        "% Mean +- 95 % CI (Student's t) of n=2 to 3 runs; best in bold.\n"
        "\\begin{tabular}{lrr}\n"
        "\\toprule\n"
        "group & val\\_acc $\\uparrow$ & loss $\\downarrow$ \\\\\n"
        "\\midrule\n"
        "base & $0.900 \\pm 0.025$ & $0.510 \\pm 0.025$ \\\\\n"
        "wide & $\\mathbf{0.950} \\pm 0.030$ & $\\mathbf{0.405} \\pm 0.064$ \\\\\n"
        "\\bottomrule\n"
        "\\end{tabular}"
    )


def test_a_notebook_shows_markdown_as_a_table_and_latex_as_text(here):
    from IPython.core.formatters import DisplayFormatter

    shows = DisplayFormatter().format
    found = paper_table(NAMED, metrics="val_acc", store=here)
    assert shows(found)[0] == {"text/markdown": str(found), "text/plain": str(found)}
    found = paper_table(NAMED, metrics="val_acc", style="latex", store=here)
    assert shows(found)[0] == {"text/plain": str(found)}
    assert repr(found) == found


def test_rows_are_params_in_their_order(here):
    query = "group in ('base', 'wide', 'twin', 'nan')"
    found = paper_table(query, rows=["opt", "params.lr"], metrics="val_acc", store=here)
    starts = [line.rsplit("|", 2)[0] for line in found.splitlines()[:6]]
    assert starts == [
        "| opt | params.lr ", "|:--|:--", "| adam | 0.01 ", "| adam | 1 ",
        "| sgd | 0.01 ", "| sgd | 0.1 ",
    ]  # fmt: skip


def test_digits_intervals_and_bold_can_be_chosen(here):
    given = {"metrics": "val_acc", "store": here}
    found = paper_table("group == 'wide'", digits=1, ci=False, bold=False, **given)
    assert "| wide | 0.9 |" in found or "| wide | 1.0 |" in found
    assert "Mean of n=3 runs." in found
    assert "**" not in found
    with pytest.raises(OptionError, match="digits=-1"):
        paper_table(digits=-1, **given)


def test_metrics_with_a_goal_are_shown_unless_others_are_asked_for(here):
    header = paper_table("group == 'base'", store=here).splitlines()[0]
    assert header == "| group | val\\_acc ↑ | loss ↓ |"


def test_a_star_is_what_the_test_tells_from_the_best(here):
    query = "group in ('base', 'wide', 'twin')"
    found = paper_table(query, metrics="val_acc", star=0.05, store=here)
    p = [
        nbtrack.beats(best, "base", "val_acc", store=here).p
        for best in ("wide", "twin")
    ]
    assert max(p) < 0.025  # also after Holm over two
    starred = [line for line in found.splitlines() if line.endswith("\\* |")]
    assert starred == ["| base | 0.900 ± 0.025\\* |"]
    assert "told from the best with p < 0.05 (two-sided, Holm)" in found
    in_latex = paper_table(
        query, metrics="val_acc", star=0.05, style="latex", store=here
    )
    assert "base & $0.900 \\pm 0.025^{*}$ \\\\" in in_latex
    none = paper_table(query, metrics="val_acc", star=1e-9, store=here)
    assert "\\*" not in none


def test_very_small_and_very_large_numbers_have_an_exponent(store_path):
    for group, values in (("a", [1.5e-9, 1.6e-9]), ("b", [2.5e-9, 2.6e-9])):
        for value in values:
            with nbtrack.start(group=group, off="all") as run:
                run.log(loss=value, score=value * 1e20)
    found = paper_table()
    row = "| a | **1.55e-09** ± 6.35e-10 | 1.55e+11 ± 6.35e+10 |"
    assert row in found.splitlines()
    found = paper_table(style="latex", metrics="loss")
    cell = r"$\mathbf{1.55 \times 10^{-9}} \pm 6.35 \times 10^{-10}$"
    assert rf"a & {cell} \\" in found.splitlines()


def cells_of(line):
    """The cells of a row of GitHub's Markdown, by its own rule for pipes."""
    return re.split(r"(?<!\\)(?:\\\\)*\|", line)[1:-1]


def test_hostile_names_stay_text_in_markdown(here):
    found = paper_table("hostile is not None", rows="hostile", store=here)
    rows = found.splitlines()[2:8]
    assert [len(cells_of(row)) for row in rows] == [2] * 6
    bare = re.sub(r"\\.", "", "\n".join(cells_of(row)[0] for row in rows))
    assert not re.search(r"[<>*_`\[\]$|]", bare)


def balanced(text):
    """Whether braces that are not escaped close in order."""
    depth = 0
    for mark in re.findall(r"(?<!\\)[{}]", text):
        depth += 1 if mark == "{" else -1
        if depth < 0:
            return False
    return depth == 0


def test_hostile_names_stay_text_in_latex(here):
    found = paper_table(
        "hostile is not None", rows="hostile", style="latex", store=here
    )
    rows = found.splitlines()[6:12]
    for row in rows:
        assert row.endswith(r" \\")
        assert balanced(row)
        assert len(re.findall(r"(?<!\\)&", row)) == 1
        label = row.split(" & $")[0]
        assert not re.search(r"(?<!\\)[%$#_&~^]", label.replace(r"{[}", ""))
        assert re.match(r"[\w\\{]", row)  # no argument of the line before
    commands = set(re.findall(r"\\([a-z]+)", "".join(r.split(" & $")[0] for r in rows)))
    assert commands <= {
        "textbackslash", "textasciitilde", "textasciicircum", "textless",
        "textgreater", "textbar", "textasciigrave",
    }  # fmt: skip


def test_every_mark_of_tex_is_escaped():
    for mark in "\\{}$&#^_%~":
        assert latex(mark) != mark
        assert balanced(latex(mark))


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="no LaTeX on this machine")
@pytest.mark.parametrize("rows", ["hostile", "group"])
def test_latex_compiles(here, rows, tmp_path):
    table = paper_table(rows=rows, style="latex", star=0.05, store=here)
    (tmp_path / "paper.tex").write_text(
        "\\documentclass{article}\\usepackage{booktabs}\n\\begin{document}\n"
        f"{table}\n\\end{{document}}\n",
        encoding="utf-8",
    )
    said = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
        cwd=tmp_path, capture_output=True, text=True, errors="replace",
    )  # fmt: skip
    assert said.returncode == 0, said.stdout


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"style": "latx"}, OptionError, "style='latx'.*Did you mean latex"),
        ({"rows": "optt"}, OptionError, "rows='optt'.*Did you mean opt"),
        ({"rows": []}, OptionError, "name a param"),
        ({"rows": ["group", "notebook"]}, OptionError, "rows='notebook'"),
        ({"metrics": "val_ac"}, MetricNotFoundError, "Did you mean val_acc"),
        ({"metrics": []}, OptionError, "name at least one"),
        ({"star": 5}, OptionError, "star=5"),
        ({"query": "opt == 'nothing'"}, OptionError, "No run answers"),
        ({"query": "opt =="}, QueryError, "cannot be read"),
    ],
)
def test_what_makes_no_table_is_refused_with_a_way_out(here, options, error, said):
    with pytest.raises(error, match=said):
        paper_table(options.pop("query", None), store=here, **options)
