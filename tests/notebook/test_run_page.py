"""A run's page holds everything that is known of it, as text, and says what is not."""

from __future__ import annotations

import pytest

import nbtrack
from nbtrack.errors import NbtrackError, OptionError
from nbtrack.notebook.run_page import ROWS_SHOWN, TEXT_SHOWN, show_magic
from nbtrack.records import CellRecord, Fact, InputRecord, MediaRecord, TextRecord

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def described(store_path):
    """A run with something in every section."""
    with nbtrack.start("base", params={"lr": 0.1}, off="all") as run:
        run.log(loss=0.5)
        run.log_facts([Fact("git.commit", "abc123"), Fact("cpu.model", "fast"),
                       Fact("gpu", missing="no NVIDIA driver"),
                       Fact("rng.unseeded", ["torch"])])  # fmt: skip
        run.log_texts([TextRecord("diff", "diff", None, "+x = 1"),
                       TextRecord("module", "lib.py", "d" * 64, "y = 2"),
                       TextRecord("stdout", "stdout", None, HOSTILE)])  # fmt: skip
        run.log_inputs([InputRecord("df", "dataframe", "e" * 64, 1 << 20, 312,
                                    {"drift": "+312 rows since base"})])  # fmt: skip
        run.log_media(MediaRecord("roc", "roc", 0, 0.0, data={"auc": 0.9}))
        run.log_cells([CellRecord(0, None, 7, f"print('{HOSTILE}')\nz = 1", "d",
                                  "2026-11-01T00:00:00Z", 0.25, True)])  # fmt: skip
        run.log_measured(peak_rss_bytes=3 << 20)
        run.notices(["f (a function)"])
        run.log_grade("D", ["`x` comes from a deleted cell [4]", HOSTILE])
    return run


def test_the_page_names_code_data_environment_and_what_is_not_known(described):
    page = repr(nbtrack.show("base"))
    for said in (
        "base · finished", "git.commit  abc123", "diff (1 lines)", "module lib.py",
        "312 rows, 1.0 MiB", "+312 rows since base", "cpu.model  fast",
        "rng.unseeded  torch", "peak RSS  3.0 MiB", "gpu  no NVIDIA driver",
        "[7]  print(", "roc  roc  step 0", "f (a function)",
        "UTC · grade D", "`x` comes from a deleted cell [4]",
    ):  # fmt: skip
        assert said in page


def test_hostile_text_of_a_run_is_text_on_its_page(described):
    html = nbtrack.show(described)._repr_html_()
    assert "<img src=x" not in html
    assert html.count("&lt;img src=x") >= 3
    assert "<script" not in html


def test_pictures_of_the_store_stand_on_the_page(described, tmp_path):
    png = tmp_path / "p.png"
    png.write_bytes(b"\x89PNG not really")
    kept = described.store.put_file(png)
    described.log_media(
        MediaRecord("p", "image", 0, 0.0, "image/png", kept.digest, kept.size_bytes)
    )
    described.store.journal.flush()
    assert "data:image/png;base64," in nbtrack.show("base")._repr_html_()
    described.store.file_path(kept.digest).unlink()
    assert "data:image/png" not in nbtrack.show("base")._repr_html_()


def test_long_texts_and_many_rows_are_cut_and_said(described):
    described.log_texts([TextRecord("stdout", "stdout", None, "x" * 3 * TEXT_SHOWN)])
    described.log_facts([Fact(f"cpu.n{n}", n) for n in range(2 * ROWS_SHOWN)])
    described.store.journal.flush()
    html = nbtrack.show("base")._repr_html_()
    assert "characters left out here" in html
    assert f"and {ROWS_SHOWN + 1} more" in html
    assert len(html) < 200_000


def test_a_slip_is_one_clear_error(described):
    with pytest.raises(OptionError, match="takes one run"):
        show_magic("a b")
    with pytest.raises(NbtrackError, match="There is no run 'bsae'"):
        show_magic("bsae")


def test_a_parent_shows_what_its_folds_are_together(store_path):
    with nbtrack.start("folds") as parent:
        for acc in (0.90, 0.92, 0.91):
            with nbtrack.start("fold") as fold:
                fold.log(acc=acc)
    page = repr(nbtrack.show("folds"))
    assert "runs inside it  3" in page
    assert "acc  best 0.91" in page
    assert "(95 % CI, n=3)" in page
    assert "inside  folds" in repr(nbtrack.show(fold.id))
    assert "Related runs" not in repr(nbtrack.show(_alone().id))
    with nbtrack.fork(fold.id, step=0, name="other") as fork:
        pass
    assert f"forked from  {fold.name}  its points up to step 0" in repr(
        nbtrack.show(fork.id)
    )
    assert parent.status == "finished"


def _alone():
    with nbtrack.start("alone") as run:
        pass
    return run
