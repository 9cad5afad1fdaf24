"""Alerts in frames, in what a run leaves in the notebook, on its page and in JSON."""

from __future__ import annotations

import json
import math

import pytest
from click.testing import CliRunner

import nbtrack
from nbtrack.analysis.alerts import ALERTS_MAX, SHOWN_MAX
from nbtrack.analysis.frames import RunFeed
from nbtrack.analysis.static_panel import static_panel
from nbtrack.cli import command

HOSTILE = [
    "<script>window.hurt=1</script>",
    "'\"></div><img src=x onerror=window.hurt=2>",
    "\x1b[2J\u202e",
]


@pytest.fixture
def run(store_path):
    with nbtrack.start("base", off="system") as run:
        run.log(loss=1.0)
        run.log(loss=math.nan)
        yield run


def alerts_in(feed, **how):
    feed.advance()
    return [alert["title"] for alert in feed.frame(**how)[0]["alerts"]]


def test_a_frame_has_each_alert_once_and_a_full_one_all(run):
    feed = RunFeed(run.store, run.id)
    run.store.journal.flush()
    assert alerts_in(feed) == ["loss is NaN"]
    assert alerts_in(feed) == []
    run.alert("odd")
    run.store.journal.flush()
    assert alerts_in(feed) == ["odd"]
    assert alerts_in(feed, full=True) == ["loss is NaN", "odd"]


def test_a_frame_holds_the_newest_of_many(run):
    for n in range(ALERTS_MAX + 9):
        run.alert(f"odd {n}")
    run.store.journal.flush()
    told = alerts_in(RunFeed(run.store, run.id))
    assert (len(told), told[-1]) == (ALERTS_MAX, f"odd {ALERTS_MAX + 8}")
    html = static_panel(run.store, run.id)["text/html"]
    assert html.count("odd ") == SHOWN_MAX
    assert f"{ALERTS_MAX - SHOWN_MAX} alerts before these" in html


def test_the_saved_notebook_says_what_was_told(run):
    run.alert("odd", "and why", "warn")
    run.finish()
    picture = static_panel(run.store, run.id)
    assert "loss is NaN @ step 1" in picture["text/html"]
    assert "and why" in picture["text/html"]
    assert "  ! loss is NaN @ step 1\n  ! odd @ step 1\n" in picture["text/plain"]


def test_s05_no_text_of_an_alert_becomes_markup(run):
    for text in HOSTILE:
        run.alert(text, text)
    run.finish()
    picture = static_panel(run.store, run.id)
    for html in (picture["text/html"], nbtrack.show(run)._repr_html_()):
        assert "<script" not in html
        assert "<img src=x" not in html
        assert not set("\x1b\u202e") & set(html)
    assert not set("\x1b\u202e") & set(picture["text/plain"])


def test_the_page_of_a_run_lists_its_alerts_the_newest_first(run):
    run.alert("odd", "and why", "warn")
    run.finish()
    page = repr(nbtrack.show(run))
    assert page.index("odd @ step 1") < page.index("loss is NaN @ step 1")


def test_the_page_says_what_a_run_waits_for(store_path):
    with nbtrack.start(alerts=["loss > 10", "finished"], off="all") as run:
        pass
    assert "waits for  loss > 10, finished" in repr(nbtrack.show(run))


def test_the_command_line_has_them_in_its_facts(run):
    run.finish()
    for words in (["ls", "--json"], ["show", "last", "--json"]):
        done = CliRunner().invoke(command, [*words, "--store", str(run.store.path)])
        told = json.loads(done.output)
        [alert] = (told[0] if isinstance(told, list) else told)["alerts"]
        assert (alert["kind"], alert["step"], alert["metric"]) == ("nan", 1, "loss")
    shown = ["show", "last", "--store", str(run.store.path)]
    said = CliRunner().invoke(command, shown)
    assert "loss is NaN @ step 1" in said.output
