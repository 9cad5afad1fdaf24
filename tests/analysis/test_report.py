"""A report of a selection: right numbers, self-contained, made again from itself."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest

import nbtrack
from nbtrack.analysis import edits
from nbtrack.analysis.comparing.state import CompareState
from nbtrack.analysis.model_card import plain
from nbtrack.analysis.report.asked import Asked
from nbtrack.analysis.report.card_html import card_html
from nbtrack.analysis.report.charts import trend
from nbtrack.analysis.report.content import Cell, Grid
from nbtrack.analysis.report.dashboard import group_table, table
from nbtrack.analysis.report.look import look_at
from nbtrack.errors import (
    MetricNotFoundError,
    OptionError,
    QueryError,
    RunNotFoundError,
)
from nbtrack.slices.report import make

HOSTILE = "a|b`<img src=x onerror=alert(1)>\"'\x1b[31m\u202e-->*[x](javascript:y)"
LOADS = {"src", "href", "srcset", "data", "poster", "action", "xlink:href"}


class Seen(HTMLParser):
    """The tags of a file, and every attribute that may load something."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.loads, self.handlers = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.loads += [value for name, value in attrs if name in LOADS]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


@pytest.fixture
def runs(store_path, plain_surroundings, tmp_path, monkeypatch):
    """Six runs in two groups, one with NaN alone, one without the metric."""
    monkeypatch.chdir(tmp_path)
    for opt in ("adam", "sgd"):
        for seed in range(3):
            params = {"opt": opt, "seed": seed, "lr": 0.1}
            with nbtrack.start(f"{opt}-{seed}", params=params, group=opt) as run:
                for step in range(5):
                    loss = 1 / (step + 1) + (opt == "sgd") * 0.5 + seed / 100
                    run.log(val_loss=loss, acc=1 - loss / 2)
    with nbtrack.start("nan") as run:
        run.log(val_loss=math.nan)
    with nbtrack.start("other") as run:
        run.log(speed=3.0)
    return nbtrack.open()


def look_of(store, **state):
    return look_at(store, Asked(CompareState(**state)))


def texts(grid: Grid) -> dict[str, list[Cell]]:
    return {row[0].text: list(row[1:]) for row in grid.rows}


def test_best_worst_and_differences_go_by_each_column_across_the_runs(runs):
    base = runs.run("sgd-0").id
    look = look_of(runs, baseline=base, columns=("best.val_loss", "best.acc"))
    assert [look.names[at] for at in look.ranked][:2] == ["adam-0", "adam-1"]
    assert len(look.ranked) == 6  # neither NaN nor the run without it
    found = table(look)
    assert found.heads == ["run", "val_loss ↓", "acc ↑"]
    rows = texts(found)
    tones = {name: [cell.tone for cell in cells] for name, cells in rows.items()}
    assert tones["adam-0"] == ["best", "best"]
    assert tones["sgd-2"] == ["worst", "worst"]
    assert tones["nan"] == tones["other"] == ["", ""]
    assert [c.text for c in rows["nan"]] == ["NaN @ 0", ""]
    loss, acc = rows["adam-0"]
    assert (loss.note, loss.note_tone) == ("−0.5000", "good")
    assert (acc.note, acc.note_tone) == ("+0.2500", "good")
    assert rows["sgd-1"][0].note_tone == "bad"
    assert [c.note for c in rows["sgd-0"]] == ["", ""]


def test_groups_have_the_mean_of_their_own_runs(runs):
    rows = texts(group_table(look_of(runs)))
    assert list(rows) == ["sgd", "adam"]
    means = [nbtrack.mean_ci([0.2 + s / 100 + d for s in range(3)]) for d in (0.5, 0)]
    assert [rows[g][1].text for g in rows] == [mean.short for mean in means]
    assert [rows[g][1].tone for g in rows] == ["worst", "best"]
    by_seed = group_table(look_of(runs, group="seed"))
    assert by_seed.heads[0] == "seed"
    assert [row[1].text for row in by_seed.rows] == ["2", "2", "2", "2"]
    assert trend(look_of(runs)).caption.startswith("val_loss over 6 runs")
    assert trend(look_of(runs, runs=("adam-0",))) is None


def test_html_stands_alone_and_has_no_script(runs):
    path = nbtrack.report(title="Week 3", baseline="sgd-0", group="opt")
    text = path.read_text()
    seen = Seen(text)
    assert path.name == "report.html"
    assert "script" not in seen.tags
    assert "link" not in seen.tags
    assert seen.handlers == []
    assert {load[0] for load in seen.loads} == {"#"}
    assert not re.search(r"url\(|@import", text)
    loaded = text.replace("http://www.w3.org/2000/svg", "")  # a name of a language
    assert "://" not in loaded
    assert "default-src 'none'" in text
    for part in ("<h1>Week 3</h1>", "The best run: adam-0",
                 "param seed: 1 in A, 0 in B",
                 r"\begin{tabular}", "| adam | **0.210**", "8: 8 finished",
                 "%report --group params.opt --baseline sgd-0 --title"):  # fmt: skip
        assert part in text, part
    for picture in re.findall(r"<figure[^>]*>.*?</figure>", text):
        ET.fromstring(picture[picture.index("<svg") : picture.rindex("</figure>")])


def test_a_report_is_made_again_with_its_own_selection(runs, tmp_path):
    path = nbtrack.report("adam-0", "adam-1", "sgd-0", path="r.html", title="mine")
    with nbtrack.start("newer") as run:
        run.log(val_loss=0.01)
    edits.trash(runs, "sgd-0")
    again = make(Asked(), path=path)
    text = path.read_text()
    assert (again.n_runs, again.n_gone, again.is_refreshed) == (2, 1, True)
    assert "1 run of the selection is deleted or in the trash" in text
    assert "<h1>mine</h1>" in text
    assert "newer" not in text
    # A query is asked again, so new runs come in.
    by_query = nbtrack.report(query="val_loss < .205", path="q.md")
    assert "newer" in by_query.read_text()
    assert "%report val_loss \\< .205" not in by_query.read_text()  # it is in a fence
    assert "\n%report val_loss < .205 -o q.md\n" in by_query.read_text()
    with nbtrack.start("newest") as run:
        run.log(val_loss=0.02)
    assert make(Asked(), path=by_query).n_runs == 3
    for name in ("adam-0", "adam-1"):
        edits.trash(runs, name)
    with pytest.raises(RunNotFoundError, match="All 2 runs of this report"):
        nbtrack.report(path=path)
    assert path.read_text() != ""
    assert not [p.name for p in tmp_path.iterdir() if p.name.startswith(".r.html")]


def test_what_is_no_report_is_never_written_over(runs, tmp_path):
    mine = tmp_path / "notes.html"
    mine.write_text("x" * 300 + "<meta name='nbtrack-report' content='{}'>")
    with pytest.raises(OptionError, match="is no report of nbtrack"):
        nbtrack.report(path=mine)
    assert mine.read_text().startswith("xxx")
    folder = tmp_path / "week_files"
    folder.mkdir()
    (folder / "chart-01.svg").write_text("<svg>mine</svg>")
    (folder / "chart-99.svg").write_text("<svg>mine too</svg>")
    with pytest.raises(OptionError, match="no picture of a report"):
        nbtrack.report(path="week.md")
    assert not (tmp_path / "week.md").exists()
    (folder / "chart-01.svg").unlink()
    path = nbtrack.report(path="week.md")
    assert len(list(folder.iterdir())) > 3
    nbtrack.report("other", path=path)  # has one chart: those of before go
    left = {file.name for file in folder.iterdir()}
    assert left == {"chart-01.svg", "chart-99.svg"}
    assert "mine too" in (folder / "chart-99.svg").read_text()


def test_text_of_runs_stays_text_wherever_it_stands(runs):
    for seed, loss in enumerate((0.1, 0.2)):
        params = {HOSTILE: HOSTILE, "seed": seed}
        with nbtrack.start(HOSTILE, params=params, group=HOSTILE) as run:
            run.log({HOSTILE: 1.0, "val_loss": loss})
            logged = run.log_artifact({"w": seed}, "net", type="model")
    edits.tag(runs, run.id, HOSTILE)
    nbtrack.models.register(logged.ref, "fraud", by=HOSTILE, notes=HOSTILE)
    html = nbtrack.report(title=HOSTILE, path="h.html", cards=True)
    seen, text = Seen(html.read_text()), html.read_text()
    assert "img" not in seen.tags
    assert "script" not in seen.tags
    assert seen.handlers == []
    assert {load[0] for load in seen.loads} == {"#"}
    assert not {"\x1b", "\u202e"} & set(text)
    assert "fraud@1.0.0" in text
    markdown = nbtrack.report(title=HOSTILE, path="h.md").read_text()
    assert not {"\x1b", "\u202e"} & set(markdown)
    outside = re.sub(r"^(`{3,}).*?^\1$", "", markdown, flags=re.DOTALL | re.MULTILINE)
    first, rest = outside.split("\n", 1)
    assert first.startswith("<!-- nbtrack-report {")
    assert not re.search(r"(?<!\\)(?:\\\\)*<", rest)
    assert "](javascript" not in re.sub(r"\\.", "", rest)
    title = Asked(title=HOSTILE)
    assert Asked.from_json(title.as_json()) == title
    for picture in html.parent.glob("h_files/*.svg"):
        ET.parse(picture)


def test_slips_have_a_clear_error(runs, store):
    slips = [
        ({"query": "val_loss < -1"}, RunNotFoundError, "No run answers to"),
        ({"query": "val_los < 1"}, QueryError, "val_loss"),
        ({"metric": "val_los"}, MetricNotFoundError, "Did you mean val_loss"),
        ({"format": "pdf"}, OptionError, "use html or md"),
        ({"path": "a.md", "format": "html"}, OptionError, "ending of the other format"),
        ({"path": "none/a.html"}, OptionError, "cannot be written"),
        ({"diff": ("adam-0",)}, OptionError, "name two runs"),
        ({"diff": ("adam-0", "adam-9")}, RunNotFoundError, "adam-9"),
        ({"baselin": "adam-0"}, OptionError, "Did you mean baseline"),
    ]
    for options, error, says in slips:
        with pytest.raises(error, match=says):
            nbtrack.report(**options)
    with pytest.raises(OptionError, match="cannot be read"):
        Asked.from_json("[1]")
    with pytest.raises(RunNotFoundError, match="nobody"):
        nbtrack.report("nobody")


def test_without_runs_or_a_judge_it_says_so(store_path, plain_surroundings, tmp_path):
    nbtrack.open()
    with pytest.raises(RunNotFoundError, match="no runs here"):
        nbtrack.report(path=tmp_path / "r.html")
    for name, value in (("a", 1.0), ("b", 2.0)):
        with nbtrack.start(name) as run:
            run.log(speed=value)
    text = nbtrack.report(path=tmp_path / "r.html").read_text()
    assert "none is called the best" in text
    assert "no two runs with a metric" in text
    pair = nbtrack.report(path=tmp_path / "r.html", diff=("a", "b")).read_text()
    assert "Why a (A) and b (B) differ." in pair


def test_many_runs_make_a_file_of_less_than_2_mb(store_path, plain_surroundings):
    import numpy as np

    long = np.random.default_rng(1).normal(size=3_000)
    for nth in range(300):
        params = {f"p{k}": nth * k / 7 for k in range(12)}
        with nbtrack.start(f"run-{nth}", params=params, group=f"g{nth % 40}") as run:
            for step in range(3_000 if nth < 7 else 3):
                run.log(val_loss=float(long[step]) + nth, acc=nth / 300)
    path = nbtrack.report(path=store_path.parent / "big.html")
    assert "300: 300 finished" in path.read_text()
    assert path.stat().st_size < 2_000_000


def test_a_card_becomes_html_without_becoming_markup():
    hostile = plain("<b>|*x*")
    card = f"# {hostile}\n\n| name | value |\n|---|---|\n| {hostile} | 1 |\n"
    html = card_html(card)
    assert "<b>" not in html
    assert html.count("<td>") == 2
    assert "<td>&lt;b&gt;|*x*</td>" in html
