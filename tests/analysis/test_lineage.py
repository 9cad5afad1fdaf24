"""Lineage says who made what from what, and nothing that the store does not hold."""

from __future__ import annotations

import hashlib
import re
from itertools import pairwise

import pytest

import nbtrack
from nbtrack.analysis.graph_layout import LAYERS_PER_ROW, layered
from nbtrack.analysis.lineage import lineage, trace
from nbtrack.analysis.lineage_view import NODES_MAX, folded
from nbtrack.errors import (
    ArtifactNotFoundError,
    MetricNotFoundError,
    RunNotFoundError,
)
from nbtrack.records import Fact, InputRecord, TextRecord
from nbtrack.store import Store

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(autouse=True)
def _nothing_captured(store_path, monkeypatch):
    monkeypatch.setenv("NBTRACK_OFF", "all")


def sha(*parts) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def log(run, name, content=0, *, type="model", files=(), **more) -> None:
    """A version of one file, or of `files`, given as contents by their names."""
    named = dict(files) or {f"{name}.bin": content}
    rows = [[path, sha(body), 10, None, None] for path, body in named.items()]
    run._emit("artifact", name=name, type=type, files=rows, **more)
    assert run.store.journal.flush(5)


def use(run, name, version) -> None:
    run._emit("artifact_used", name=name, version=version)
    assert run.store.journal.flush(5)


def read(run, name, content) -> None:
    run.log_inputs([InputRecord(name, "file", sha(content), 10)])


def edges(found) -> set[tuple[str, str, str]]:
    labels = {node.id: node.label for node in found.nodes}
    return {(labels[e.source], e.what, labels[e.target]) for e in found.edges}


def labels(nodes) -> list[str]:
    return sorted(node.label for node in nodes)


@pytest.fixture
def guide():
    """Data -> dataset -> base model -> two fine-tuned models -> an evaluation."""
    with nbtrack.start("prepare") as run:
        read(run, "raw.csv", "raw")
        log(run, "ds", type="dataset", files={"a.csv": "a", "b.csv": "b"})
    with nbtrack.start("base", params={"lr": 0.1}) as run:
        use(run, "ds", 0)
        run.log(val_acc=0.8)
        log(run, "cnn", step=0, metrics={"val_acc": 0.8})
    for name, acc in (("ft-32", 0.9), ("ft-64", 0.95)):
        with nbtrack.start(name) as run:
            use(run, "cnn", 0)
            run.log(val_acc=acc)
            run.log_facts([Fact("git.commit", "abc123"), Fact("git.dirty", True)])
            run.log_texts([TextRecord("diff", "diff", None, "+x\n+y")])
            log(run, name, name, step=0, metrics={"val_acc": acc})
    with nbtrack.start("evaluate") as run:
        read(run, "/data/ft-64.bin", "ft-64")  # the file of ft-64:v0, opened by hand


def test_up_and_down_from_a_version(guide):
    found = lineage("cnn:v0")

    assert edges(found) == {
        ("raw.csv", "read", "prepare"),
        ("prepare", "logged", "ds:v0"),
        ("ds:v0", "used", "base"),
        ("base", "logged", "cnn:v0"),
        *(("cnn:v0", "used", name) for name in ("ft-32", "ft-64")),
        *((name, "logged", f"{name}:v0") for name in ("ft-32", "ft-64")),
        ("ft-64:v0", "opened", "evaluate"),
    }
    assert found.headline() == ("lineage of cnn:v0: 5 runs, 4 versions, 1 data input")


def test_one_direction_and_a_depth_cut_it(guide):
    assert labels(lineage("base", down=False).nodes) == [
        "base", "ds:v0", "prepare", "raw.csv",
    ]  # fmt: skip
    assert labels(lineage("base", up=False, depth=2).nodes) == [
        "base", "cnn:v0", "ft-32", "ft-64",
    ]  # fmt: skip
    assert labels(lineage("base", depth=0).nodes) == ["base"]


def test_who_made_this_and_who_used_it(guide):
    found = lineage(None)

    assert labels(found.made_by("cnn")) == ["base"]
    assert labels(found.made_by("cnn:latest")) == ["base"]
    assert labels(found.used_by("cnn:v0")) == ["ft-32", "ft-64"]
    assert labels(found.used_by("ft-64:v0")) == ["evaluate"]
    assert labels(found.used_by("raw.csv")) == ["prepare"]
    assert labels(found.used_by(sha("raw")[:12])) == ["prepare"]
    assert labels(found.made_by("evaluate")) == ["ft-64:v0"]
    with pytest.raises(ArtifactNotFoundError, match="Did you mean cnn:v0"):
        found.made_by("cnm:v0")


def test_the_frame_has_a_row_for_each_edge(guide):
    frame = lineage("base", down=False).to_frame()

    assert frame[["source", "what", "target"]].values.tolist() == [
        ["raw.csv", "read", "prepare"],
        ["prepare", "logged", "ds:v0"],
        ["ds:v0", "used", "base"],
    ]
    assert str(frame["step"].dtype) == "Int64"
    assert lineage("base", depth=0).to_frame().empty


def test_what_is_not_there_is_said(guide):
    with pytest.raises(RunNotFoundError, match="no run 'nobody'"):
        lineage("nobody")
    with pytest.raises(ArtifactNotFoundError, match="no version 'v7'"):
        lineage("cnn:v7")
    assert lineage("cnn").start == lineage("cnn:v0").start


def test_the_walk_goes_from_the_best_value_to_data_and_code(guide):
    walk = lineage("ds:v0").walk("val_acc")

    text = repr(walk)
    assert [(step.what, step.found) for step in walk] == [
        ("metric", "val_acc 0.9500"),
        ("run", "ft-64"),
        ("made", "ft-64:v0"),
        ("data", "cnn:v0"),
        ("code", "no cell: its source was not kept"),
        ("code", "git abc123"),
        ("before", "prepare"),
        ("before", "base"),
    ]
    for said in (
        "the largest of 3 runs",
        sha(0)[:12],
        "2 lines of diff",
        "made cnn:v0",
    ):
        assert said in text
    assert walk.run.name == "ft-64"
    assert repr(lineage("ds:v0").walk()) == text


def test_a_walk_without_that_metric_says_so(guide):
    with pytest.raises(MetricNotFoundError, match="Did you mean val_acc"):
        lineage(None).walk("val_ac")
    with pytest.raises(MetricNotFoundError, match="what better is"):
        lineage("prepare", down=False).walk()


def test_an_unchanged_file_names_the_version_that_explains_all():
    with nbtrack.start("data") as run:
        log(run, "ds", files={"same": "s", "other": 1})
        log(run, "ds", files={"same": "s", "other": 2})
        log(run, "ds", files={"same": "s", "other": 3})
    with nbtrack.start("middle") as run:
        read(run, "same", "s")
        read(run, "other", 2)
    with nbtrack.start("newest") as run:
        read(run, "same", "s")
    with nbtrack.start("told") as run:
        use(run, "ds", 0)
        read(run, "same", "s")

    found = lineage(None)
    assert labels(found.made_by("middle")) == ["ds:v1"]
    assert labels(found.made_by("newest")) == ["ds:v2"]
    assert labels(found.made_by("told")) == ["ds:v0"]


def test_a_file_that_a_run_logged_itself_is_not_its_input():
    with nbtrack.start("base") as run:
        log(run, "ds", "x")
        read(run, "x.csv", "x")

    assert edges(lineage("base")) == {
        ("x.csv", "read", "base"),
        ("base", "logged", "ds:v0"),
    }


def test_data_without_a_digest_is_the_runs_own_and_says_why():
    for name in ("a", "b"):
        with nbtrack.start(name) as run:
            run.log_inputs([InputRecord("big", "dataset", missing="too large")])

    found = lineage(None)
    data = [node for node in found.nodes if node.kind == "data"]
    assert [node.facts["no digest"] for node in data] == ["too large"] * 2
    assert len(found.edges) == 2


def test_cycles_end_and_are_drawn():
    with nbtrack.start("one") as run:
        log(run, "m", 0)
        use(run, "m", 0)
    with nbtrack.start("two") as run:
        use(run, "m", 0)
        log(run, "m", 0)

    found = lineage("m:v0")
    assert len(found.nodes) == 3
    assert len(found.edges) == 4
    assert found._repr_html_().count("<area") == 3 + 2


def test_a_fork_comes_from_its_run(store):
    with nbtrack.start("base") as run:
        run.log(loss=1.0)
    forked = run.fork(step=0)
    forked.finish()

    assert ("base", "forked", forked.name) in edges(lineage("base"))


def test_grouped_has_one_node_for_an_artifact_and_an_experiment(guide):
    grouped = lineage(None).grouped()

    assert labels(grouped.nodes) == [
        "cnn",
        "default",
        "ds",
        "ft-32",
        "ft-64",
        "raw.csv",
    ]
    runs = next(node for node in grouped.nodes if node.kind == "run")
    assert (runs.n, runs.note) == (5, "5 runs")
    assert grouped.headline() == "lineage: 5 runs, 4 versions, 1 data input"
    assert ("cnn", "used", "default") in edges(grouped)


def test_hostile_names_stay_text_in_the_picture_and_its_tooltips():
    with nbtrack.start(HOSTILE) as run:
        run.log_inputs([InputRecord("'><script>", "file", sha(1))])
        log(run, "m", description="' onload='x")
    html = lineage("last")._repr_html_()

    assert "<script" not in html
    assert "<img src=x" not in html
    assert "' onload=" not in html
    assert "&lt;img src=x" in html


def test_many_siblings_are_folded_and_named_ones_stay():
    with nbtrack.start("wide") as run:
        for i in range(40):
            rows = [["m", sha(i), 1, None, None]]
            aliases = ["prod"] if i == 20 else []
            run._emit("artifact", name="m", type="model", files=rows, aliases=aliases)
        assert run.store.journal.flush(5)
    found = lineage("wide")

    nodes, lines = folded(found.nodes, found.edges, keep=found.start)

    assert len(found.nodes) == 41
    assert [node.label for node in nodes if node.kind == "artifact"] == [
        "m:v0", "m:v1", "m:v2", "33 more versions", "m:v20", "m:v37", "m:v38", "m:v39",
    ]  # fmt: skip
    assert len(lines) == len(nodes) - 1


def test_more_than_can_be_drawn_is_said_in_words():
    for i in range(NODES_MAX // 2 + 5):
        with nbtrack.start(f"r{i}") as run:
            rows = [["m", sha(i), 1, None, None]]
            run._emit("artifact", name=f"m{i}", type="model", files=rows)
    run.store.journal.flush(5)
    found = lineage(None)

    html = found._repr_html_()

    assert len(found.nodes) == NODES_MAX + 10
    assert "… and 10 more nodes are not drawn" in html
    assert html.count("<area") <= 2 * NODES_MAX


def test_lineage_is_asked_of_any_store(store_path, tmp_path):
    with Store.open(tmp_path / "other") as other:
        assert lineage(None, store=other).headline() == "lineage: nothing is known"
        assert "no artifact was logged" in trace(other, None)._repr_html_()


def test_the_layout_goes_from_left_to_right_and_never_overlaps():
    pairs = [
        (f"n{i}", f"n{j}") for i in range(40) for j in (i + 1, i * 2 + 1) if j < 40
    ]
    nodes = [f"n{i}" for i in range(40)]

    layout = layered(nodes, pairs)

    def far(node):
        return layout.places[node].row * LAYERS_PER_ROW + layout.places[node].layer

    assert all(far(source) < far(target) for source, target in pairs)
    taken = sorted((p.row, p.layer, p.y) for p in layout.places.values())
    for before, after in pairwise(taken):
        if before[:2] == after[:2]:
            assert after[2] - before[2] > 0.999
    assert layered(nodes, pairs) == layout
    assert max(p.layer for p in layout.places.values()) < LAYERS_PER_ROW


def test_a_straight_chain_is_drawn_straight():
    nodes = [f"n{i}" for i in range(13)]
    layout = layered(nodes, list(pairwise(nodes)))

    assert {place.y for place in layout.places.values()} == {0.0}
    assert layout.heights == (1.0, 1.0, 1.0)
    assert layered(["a"], [("a", "a")]).paths == {}
    assert layered([], []).places == {}


def test_the_picture_is_whole_svg_without_script(guide):
    import base64
    import xml.etree.ElementTree as ET

    html = lineage("cnn:v0")._repr_html_()
    pictures = re.findall(r"base64,([^']+)'", html)
    trees = [ET.fromstring(base64.b64decode(picture)) for picture in pictures]

    assert len(trees) == 2
    assert "<script" not in html
    texts = [t.text for t in trees[0].iter("{http://www.w3.org/2000/svg}text")]
    assert {"cnn:v0", "base", "raw.csv"} <= set(texts)


def test_a_store_that_can_only_be_read_has_lineage_too(guide, store_path, monkeypatch):
    monkeypatch.setattr("nbtrack.store.store.why_read_only", lambda *_: "a test")
    with Store.open(store_path) as opened:
        assert opened.read_only
        assert len(lineage(None, store=opened).nodes) == 10
