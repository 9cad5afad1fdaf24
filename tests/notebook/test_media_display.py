"""Rich values are shown over steps and side by side, and no text becomes markup."""

from __future__ import annotations

import html
import re

import numpy as np
import pytest

import nbtrack
from nbtrack.errors import OptionError

SCRIPT = "<script>document.title='owned'</script><img src=x onerror=alert(1)>"


@pytest.fixture(autouse=True)
def _store_of_its_own(store_path, monkeypatch):
    monkeypatch.setenv("NBTRACK_OFF", "all")


def two_runs(n_steps=3):
    for name in ("a", "b"):
        with nbtrack.start(name) as run:
            for step in range(n_steps):
                run.log_image(np.full((4, 4), step / n_steps), "sample")
    return nbtrack.show_media("a", "b", name="sample")


def test_two_runs_stand_side_by_side_at_each_step():
    page = two_runs().page()
    rows = re.findall(
        r'<div class="step s0-\d">.*?<div class="row">(.*?)</div></div>', page
    )
    assert len(rows) == 3
    assert [row.count("data:image/png;base64,") for row in rows] == [2, 2, 2]
    assert page.count('type="radio"') == 3
    assert "#d0-2:checked~.s0-2{display:block}" in page


def test_a_step_that_one_run_lacks_is_left_empty():
    two_runs()
    with nbtrack.start("c") as run:
        run.log_image(np.zeros((4, 4)), "sample", step=2)
    page = nbtrack.show_media("a", "c").page()
    assert page.count("data:image/png") == 4
    assert page.count("–</span>") == 2


def test_it_is_shown_in_a_sealed_frame():
    shown = two_runs()._repr_html_()
    assert shown.startswith('<iframe sandbox srcdoc="<!doctype html>')
    assert shown.count("<iframe") == 1
    inner = html.unescape(re.search(r'srcdoc="(.*?)" style', shown, re.S)[1])
    assert "default-src 'none'" in inner
    assert inner == nbtrack.show_media("a", "b", name="sample").page()


def test_no_text_of_a_run_becomes_markup():
    with nbtrack.start(SCRIPT) as run:
        run.log_text(SCRIPT, "text" + SCRIPT)
        run.log_html(SCRIPT, "html")
        run.log_image(np.zeros((2, 2)), "image", caption=SCRIPT)
        run.log_table([{SCRIPT: SCRIPT}], "table")
        run.log_confusion_matrix([SCRIPT], [SCRIPT])
        run.log_importance({SCRIPT: 1.0})
        run.log_roc([SCRIPT, "b"], [0.9, 0.1])
        run.log_predictions([SCRIPT], [SCRIPT])
        run.log_histogram([1, 2], "h")
        run.log_audio(np.zeros(10), "beep", rate=8000)
    page = nbtrack.show_media(run).page()
    outside = re.sub(r'<iframe sandbox srcdoc=".*?"></iframe>', "", page, flags=re.S)
    assert "<script" not in outside
    assert "<img src=x" not in outside
    assert outside.count("&lt;script&gt;") >= 8
    inner = re.findall(r'<iframe sandbox srcdoc="(.*?)"></iframe>', page, re.S)
    assert len(inner) == 1  # the HTML, sealed in a frame of its own
    assert "default-src" in inner[0]
    assert "<audio controls src=" in page


def test_what_is_too_much_for_a_page_is_left_out_and_counted(monkeypatch):
    from nbtrack.notebook import media_display

    monkeypatch.setattr(media_display, "STEPS_MAX", 5)
    page = two_runs(n_steps=12).page()
    assert page.count('type="radio"') == 5
    assert "7 steps left out" in page
    assert 'title="step 0"' in page  # the first and the last are there
    assert 'title="step 11"' in page
    monkeypatch.setattr(media_display, "BYTES_MAX", 10)
    assert "not shown here" in nbtrack.show_media("a").page()


def test_the_magic_is_its_twin(shell):
    shell.run_line_magic("load_ext", "nbtrack")
    two_runs()
    sheet = shell.run_line_magic("media", "a b --name sample")
    assert sheet == nbtrack.show_media("a", "b", name="sample")
    assert repr(sheet).splitlines()[0] == "a: sample step 0 (image)"
    assert not shell.run_cell("%media a --nmae sample").success
    with pytest.raises(OptionError, match="do not fit"):
        nbtrack.show_media(*"abcdefg")
