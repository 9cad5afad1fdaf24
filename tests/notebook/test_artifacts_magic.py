"""`%artifacts` and `%lineage` in a real shell: tables, pages, changes, slips."""

from __future__ import annotations

import hashlib

import pytest
from IPython.core.error import UsageError

import nbtrack
from nbtrack.errors import ArtifactNotFoundError, OptionError
from nbtrack.notebook.artifacts_display import ROWS_SHOWN
from nbtrack.notebook.artifacts_magic import artifacts_magic, lineage_magic
from nbtrack.records import InputRecord

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(autouse=True)
def _nothing_captured(store_path, monkeypatch):
    monkeypatch.setenv("NBTRACK_OFF", "all")


def log(run, name, content, *, type="model", **more) -> None:
    digest = hashlib.sha256(repr(content).encode()).hexdigest()
    files = [[f"{name}.pt", digest, 2048, None, None]]
    run._emit("artifact", name=name, type=type, files=files, **more)
    assert run.store.journal.flush(5)


@pytest.fixture
def logged():
    """A dataset, three checkpoints of one run (the oldest pruned) and their user."""
    with nbtrack.start("prep") as run:
        log(run, "ds", 0, type="dataset", description="600 images", tags={"raw": None})
    with nbtrack.start("train") as run:
        run._emit("artifact_used", name="ds", version=0)
        for step, loss in enumerate((0.9, 0.2, 0.5)):
            run.log(val_loss=loss)
            log(run, "mlp", step, type="checkpoint", step=step,
                metrics={"val_loss": loss}, metadata={"batch": 32})  # fmt: skip
    store = run.store
    store.give_up([store.artifact("mlp:v0").id], why="pruned")
    store.set_alias("mlp:v1", "prod")
    with nbtrack.start("use") as run:
        run._emit("artifact_used", name="mlp", version=1)
    return store


def refs(table) -> list[str]:
    return [record.ref for record in table.versions.records]


def test_the_table_has_the_newest_first_and_says_what_was_pruned(logged):
    table = artifacts_magic("")
    text = repr(table).splitlines()

    assert refs(table) == ["mlp:v2", "mlp:v1", "mlp:v0", "ds:v0"]
    assert text[0].split() == [
        "artifact", "aliases", "type", "size", "files", "run", "step", "metrics",
        "created", "kept", "tags", "about",
    ]  # fmt: skip
    assert "best, prod" in text[2]
    assert "val_loss 0.2000" in text[2]
    assert "pruned" in text[3]
    assert text[-1] == "4 versions of 2 artifacts · 6.0 KiB · 1 given up"
    html = table._repr_html_()
    assert html.count("<tr") == 5
    assert html.count("opacity:.5") == 1


def test_words_find_versions_by_all_that_they_are_called(logged):
    for line, wanted in (
        ("mlp", ["mlp:v2", "mlp:v1", "mlp:v0"]),
        ("mlp:v2", ["mlp:v2"]),
        ("mlp:best", ["mlp:v1"]),
        ("prod", ["mlp:v1"]),
        ("prep", ["ds:v0"]),
        ("raw", ["ds:v0"]),
        ("images", ["ds:v0"]),
        ("d*", ["ds:v0"]),
        ("train best", ["mlp:v1"]),
        ("--type dataset", ["ds:v0"]),
        ("--gone", ["mlp:v0"]),
        ("mlp --last 1", ["mlp:v2"]),
        ("--type nothing", []),
    ):
        assert refs(artifacts_magic(line)) == wanted, line
    with pytest.raises(ArtifactNotFoundError, match="Did you mean mlp"):
        artifacts_magic("mpl")


def test_the_frame_has_every_column(logged):
    frame = artifacts_magic("mlp").df

    assert frame["ref"].tolist() == ["mlp:v2", "mlp:v1", "mlp:v0"]
    assert frame["step"].tolist() == [2, 1, 0]
    assert frame["aliases"].tolist() == [["latest"], ["best", "prod"], []]
    assert frame["gone"].fillna("").tolist() == ["", "", "pruned"]
    assert frame["metrics.val_loss"].tolist() == [0.5, 0.2, 0.9]
    assert artifacts_magic("--type nothing").df.empty


def test_a_page_has_files_lineage_and_the_line_that_loads_it(logged):
    run = logged.run("train")
    page = repr(artifacts_magic("show mlp:v1"))

    for said in (
        "mlp:v1 · checkpoint · 2.0 KiB, 1 file · best, prod",
        f'nbtrack.load_checkpoint("{run.id}", step=1, name="mlp")',
        "nbtrack.artifacts.get('mlp:v1')",
        "mlp.pt  2.0 KiB  sha256",
        "batch  32",
        "made by  train",
        "used by  use",
        "best goes by  val_loss",
        "alias  prod",
    ):
        assert said in page
    assert "its files are not kept any more" in repr(artifacts_magic("show mlp:v0"))
    assert "used by  train" in repr(artifacts_magic("show ds"))


def test_changes_are_kept_and_said(shell, logged, capsys):
    shell.run_line_magic("load_ext", "nbtrack")
    for line in (
        "alias mlp:v2 candidate",
        "note mlp:v2 'the larger one'",
        "tag mlp:v2 checked 'data: mnist'",
    ):
        shell.run_line_magic("artifacts", line)

    record = logged.artifact("mlp:candidate")
    assert (record.ref, record.description) == ("mlp:v2", "the larger one")
    assert record.tags == {"checked": None, "data": "mnist"}
    shell.run_line_magic("artifacts", "unalias mlp:candidate")
    shell.run_line_magic("artifacts", "untag mlp:v2 checked")
    assert logged.artifact("mlp:v2").aliases == ("latest",)
    assert logged.artifact("mlp:v2").tags == {"data": "mnist"}
    said = capsys.readouterr().out
    assert "mlp:candidate is mlp:v2 now" in said
    assert "mlp:v2 · tags checked, data: mnist" in said
    with pytest.raises(UsageError, match="The alias 'latest' is the newest"):
        shell.run_line_magic("artifacts", "alias mlp:v2 latest")


def test_slips_are_named(logged):
    for line, said in (
        ("show", "Write %artifacts show REF"),
        ("alias mlp:v1", "Write %artifacts alias REF ALIAS"),
        ("show mlp --gone", "takes no options"),
        ("--last many", "--last needs a whole number"),
        ("--typ x", "Did you mean --type"),
    ):
        with pytest.raises(OptionError, match=said):
            artifacts_magic(line)
    with pytest.raises(OptionError, match="takes one run or version"):
        lineage_magic("mlp ds")
    with pytest.raises(OptionError, match="goes with --walk"):
        lineage_magic("mlp --metric loss")


def test_two_versions_are_compared_and_one_is_verified(store_path):
    with nbtrack.start("base") as run:
        run.log_artifact({"a": 1}, "config")
        run.log_artifact({"a": 2}, "config")

    assert artifacts_magic("diff config:v0 config:v1").files[0].change == "changed"
    assert "all whole" in repr(artifacts_magic("verify config:v1"))
    assert "2 files" in repr(artifacts_magic("verify"))


def test_lineage_by_its_options(logged):
    def labels(line):
        return sorted(node.label for node in lineage_magic(line).nodes)

    assert labels("mlp:v1") == ["ds:v0", "mlp:v1", "prep", "train", "use"]
    assert labels("mlp:v1 --down") == ["mlp:v1", "use"]
    assert labels("train --up --depth 1") == ["ds:v0", "train"]
    assert labels("") == ["ds:v0", "mlp:v1", "prep", "train", "use"]
    assert labels("--all --grouped") == ["default", "ds", "mlp"]
    assert lineage_magic("ds --walk --metric val_loss").run.name == "train"


def test_an_empty_store_says_how_to_begin(store):
    assert "run.log_artifact(path, name)" in repr(artifacts_magic(""))
    assert artifacts_magic("")._repr_html_().startswith("<div>no artifacts yet")


def test_more_rows_than_are_shown_are_said():
    with nbtrack.start("wide") as run:
        for i in range(ROWS_SHOWN + 5):
            files = [["m", hashlib.sha256(bytes(i)).hexdigest(), 1, None, None]]
            run._emit("artifact", name="m", type="model", files=files)
    table = artifacts_magic("")

    assert table._repr_html_().count("<tr>") == ROWS_SHOWN + 1
    assert "… and 5 older; --last N shows more" in repr(table)
    shown = artifacts_magic(f"--last {ROWS_SHOWN + 5}")
    assert shown._repr_html_().count("<tr>") == ROWS_SHOWN + 6


def test_hostile_text_stays_text():
    with nbtrack.start(HOSTILE) as run:
        run.log_inputs([InputRecord(HOSTILE, "file", "d" * 64)])
        log(run, "m", 0, description=HOSTILE, tags={HOSTILE: HOSTILE},
            metadata={HOSTILE: HOSTILE})  # fmt: skip
    for shown in (artifacts_magic(""), artifacts_magic("show m"), lineage_magic("m")):
        html = shown._repr_html_()
        assert "<img src=x" not in html
        assert "&lt;img src=x" in html


def test_a_runs_page_lists_what_it_used_and_logged(logged):
    page = repr(nbtrack.show("train"))

    assert "Artifacts\n  used  ds:v0  dataset" in page
    assert (
        "logged  mlp:v2  checkpoint  @ step 2  val_loss 0.5000  2.0 KiB  latest" in page
    )
    assert (
        "logged  mlp:v0  checkpoint  @ step 0  val_loss 0.9000  2.0 KiB  pruned" in page
    )
