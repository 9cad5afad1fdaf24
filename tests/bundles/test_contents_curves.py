"""Pictures in a bundle: drawn curves, logged pictures, and nothing that could run."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from bundles.tracked_runs import HOSTILE

import nbtrack
from nbtrack.bundles.contents.curves import curve_members
from nbtrack.bundles.contents.still_svg import is_still

pytestmark = pytest.mark.usefixtures("plain_surroundings")
TOP = "<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink'>"


@pytest.fixture
def live(run):
    return run


def members_of(run):
    from nbtrack.tracking.media.keeping import settle

    settle()
    return curve_members(run.store, run.record())


def test_a_family_of_metrics_is_one_picture(live):
    for step in range(3):
        nbtrack.log(train_loss=1 / (step + 1), val_loss=0.5, acc=0.1 * step)
    assert list(members_of(live)) == [
        "results/outputs/loss.svg",
        "results/outputs/acc.svg",
    ]


def test_a_curve_is_xml_without_script_or_reference(live):
    for step, value in enumerate([1.0, float("nan"), 0.5]):
        nbtrack.log({"loss": value, HOSTILE: value}, step=step)
    members = members_of(live)
    assert len(members) == 2
    for path, body in members.items():
        assert path.startswith("results/outputs/")
        assert path.isascii()
        assert is_still(body)
        tags = {
            element.tag.rpartition("}")[2] for element in ET.fromstring(body).iter()
        }
        assert tags <= {"svg", "path", "text", "circle"}


def test_pictures_are_the_same_each_time(live):
    for step in range(600):
        nbtrack.log(loss=np.sin(step))
    live.log_image(np.zeros((4, 4), "u1"), "zeros")
    assert members_of(live) == members_of(live)


def test_logged_pictures_are_taken_as_they_are_of_the_last_step(live):
    for step in range(2):
        live.log_image(np.full((2, 2), 100 * step, "u1"), "sample", step=step)
    found = members_of(live)
    assert list(found) == ["results/outputs/sample.png"]
    last = live.store.media(live.id, "sample")[-1]
    kept = live.store.file_path(last.digest).read_bytes()
    assert found["results/outputs/sample.png"] == kept


def test_at_most_twenty_pictures_are_taken(live):
    for nth in range(23):
        live.log_image(np.full((2, 2), nth, "u1"), f"sample {nth}")
    assert len(members_of(live)) == 20


def test_a_picture_with_a_script_stays_out(live, tmp_path):
    for name, inner in (("bad", "<script>alert(1)</script>"), ("good", "<g/>")):
        path = tmp_path / f"{name}.svg"
        path.write_text(f"{TOP}{inner}</svg>")
        live.log_image(path, name)
    assert list(members_of(live)) == ["results/outputs/good.svg"]


def test_a_picture_of_matplotlib_is_still(live, tmp_path):
    figure = pytest.importorskip("matplotlib.figure").Figure()
    axes = figure.subplots()
    axes.plot([1, 2], [3, 4])
    axes.set_title("a title")
    figure.savefig(tmp_path / "drawn.svg")
    assert is_still((tmp_path / "drawn.svg").read_bytes())


def test_a_run_with_nothing_to_see_has_no_pictures(live):
    live.log_text("a sample", "sample")
    assert members_of(live) == {}


@pytest.mark.parametrize(
    "inner",
    [
        "<path d='M0,0'/>",
        "<image href='data:image/png;base64,AAAA'/>",
        "<use xlink:href='#a'/>",
        "<g clip-path='url(#a)'/>",
        "<style>path{fill:url(#a)}</style>",
    ],
)
def test_what_only_draws_is_still(inner):
    assert is_still(f"{TOP}{inner}</svg>".encode())


@pytest.mark.parametrize(
    "inner",
    [
        "<script/>",
        "<g onload='alert(1)'/>",
        "<foreignObject><b xmlns='http://www.w3.org/1999/xhtml'/></foreignObject>",
        "<b xmlns='http://www.w3.org/1999/xhtml'/>",
        "<a xlink:href='javascript:alert(1)'><g/></a>",
        "<image href='https://example.org/a.png'/>",
        "<image href='data:image/svg+xml;base64,AAAA'/>",
        "<use href='other.svg#a'/>",
        "<g style='fill:url(https://example.org)'/>",
        "<g style=\"fill:url('https://example.org')\"/>",
        "<style>@import 'https://example.org/a.css';</style>",
        "<style>g{fill:u\\72l(https://example.org)}</style>",
        "<set attributeName='onload' to='alert(1)'/>",
        "<?xml-stylesheet href='a.css'?>",
        "<g>",
    ],
)
def test_what_runs_or_fetches_is_not_still(inner):
    assert not is_still(f"{TOP}{inner}</svg>".encode())


@pytest.mark.parametrize(
    "text",
    [
        "<!DOCTYPE svg [<!ENTITY a 'b'>]>" + TOP + "&a;</svg>",
        "<g xmlns='http://www.w3.org/2000/svg'/>",
        "<svg/>",
        "GIF89a",
        "",
    ],
)
def test_other_documents_are_not_still(text):
    assert not is_still(text.encode())
