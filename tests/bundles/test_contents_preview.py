"""The page and the readme of a bundle: all that is known, and nothing that runs."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from bundles.tracked_runs import HOSTILE, renamed, tracked

from nbtrack.bundles.contents.check_item import Item
from nbtrack.bundles.contents.checklist import checklist
from nbtrack.bundles.contents.curves import curve_members
from nbtrack.bundles.contents.metrics import expected
from nbtrack.bundles.contents.preview import preview_html
from nbtrack.bundles.contents.readme import readme_text
from nbtrack.bundles.contents.reasons import without_places
from nbtrack.slices.slice import slice_of_record

VOID = {"meta", "img", "col", "br", "link", "input"}
WIDE = "w" * 3_000


class Seen(HTMLParser):
    """The elements, attributes and texts of a page; it has to be nested well."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.texts, self._open = [], [], []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return "".join(self.texts)


def manifest_of(record, results, **changes):
    metrics = [
        {"name": n, "goal": m["goal"], "final": m["last"], "best": m["best"],
         "n": m["n"], "series_sha256": m["series_sha256"]}
        for n, m in results["metrics"].items()
    ]  # fmt: skip
    params = {n: {"value": p.value, "origin": p.origin} for n, p in
              record.params.items()}  # fmt: skip
    return {
        "nbtrack": "0.1.0",
        "run": {
            "name": record.name, "experiment": record.experiment,
            "status": record.status, "started_at": record.started_at,
            "duration_s": record.duration_s, "notes": record.notes, "params": params,
        },
        "slice": {"proof": "PROVEN", "reason": "all 4 series are the same"},
        "environment": {"python": "3.11.7", "lock": "hashes", "threads": 2},
        "code": {"git.commit": {"missing": "no repository"}},
        "seeds": {"seed.torch": {"value": 3}},
        "data": {"n_embedded": 1, "n_referenced": 2, "n_private": 1},
        "metrics": metrics,
        "not_captured": [{"what": "network", "why": "a cell used the network"}],
        "needs": ["API_KEY"],
    } | changes  # fmt: skip


INPUTS = {
    "files": [
        {"path": "points.csv", "role": "input", "sha256": "ab" * 32,
         "size_bytes": 2_000, "policy": "embed"},
        {"path": "far.csv", "role": "input", "sha256": None, "size_bytes": None,
         "policy": "private"},
    ],
    "variables": [{"name": "x", "type": "tensor", "digest": "cd" * 32, "n_rows": 20}],
}  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    pytest.importorskip("torch")
    with tracked(tmp_path_factory.mktemp("trained")) as found:
        yield found


@pytest.fixture(scope="module")
def parts(trained):
    store, record = trained
    found = slice_of_record(store, record)
    return {
        "items": checklist(store, record, found, {}, INPUTS),
        "slice": found,
        "curves": curve_members(store, record),
        "inputs": INPUTS,
    }


@pytest.fixture(scope="module")
def manifest(trained):
    store, record = trained
    return manifest_of(record, expected(store, record, []))


@pytest.fixture(scope="module")
def page(manifest, parts):
    return preview_html(manifest, **parts)


def bare(name="base", **changes):
    """Of a run of which hardly anything is known."""
    told = {"run": {"name": name, "status": "finished"}, **changes}
    nothing = {"items": [], "slice": None, "curves": {}, "inputs": {}}
    return preview_html(told, **nothing)


def test_the_page_says_what_the_bundle_holds(page):
    text = Seen(page).text
    for words in (
        "base", "PROVEN", "all 4 series are the same", "train_loss", "points.csv",
        "far.csv", "private: its digest alone", "2.0 KiB", "lr", "Python 3.11.7",
        "not known: no repository", "seed.torch", "python verify.py",
        "uv run run/run.py", "nbtrack rerun FILE.nbt.zip --trust", "API_KEY",
        "a cell used the network", "[4]", "the tracked cell", "model(x).squeeze()",
        "sets x, which [4] reads", "not finite",
    ):  # fmt: skip
        assert words in text, words


def test_every_item_of_the_checklist_is_told_in_words(page, parts):
    seen = Seen(page)
    states = [text for text in seen.texts if text in ("ok", "missing", "unknown")]
    assert states == [item.state for item in parts["items"]]
    assert all(item.item in seen.text for item in parts["items"])


def test_the_page_runs_and_fetches_nothing(page):
    seen = Seen(page)
    tags = {tag for tag, _ in seen.elements}
    assert tags.isdisjoint(
        {"script", "link", "iframe", "object", "form", "base", "svg"}
    )
    policies = [a["content"] for _, a in seen.elements if "http-equiv" in a]
    assert len(policies) == 1
    assert policies[0].startswith("default-src 'none'; img-src data:;")
    for _, attributes in seen.elements:
        assert not any(name.startswith("on") for name in attributes)
        assert attributes.get("src", "data:").startswith("data:image/") or (
            "src" not in attributes
        )
        assert attributes.get("href", "#")[0] == "#"
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def test_every_curve_is_drawn(page, parts):
    pictures = [a for tag, a in Seen(page).elements if tag == "img"]
    assert len(pictures) == len(parts["curves"]) > 3
    assert all(a["alt"] for a in pictures)


def test_links_lead_to_parts_of_the_page(page):
    elements = Seen(page).elements
    ids = {attributes.get("id") for _, attributes in elements}
    links = {a["href"][1:] for tag, a in elements if tag == "a"}
    assert links
    assert links <= ids


def test_the_bytes_are_the_same_each_time(manifest, parts, page):
    assert preview_html(manifest, **parts) == page
    assert readme_text(manifest) == readme_text(manifest)


def test_names_of_markup_stay_text_wherever_they_stand(trained, parts):
    store, record = trained
    wild = renamed(store, record, f"{HOSTILE}'\"")
    told = manifest_of(
        wild,
        expected(store, wild, []),
        nbtrack=HOSTILE,
        environment={HOSTILE: HOSTILE, "python": HOSTILE},
        code={HOSTILE: {"value": HOSTILE}},
        needs=[HOSTILE],
        not_captured=[{"what": HOSTILE, "why": HOSTILE}],
        slice={"proof": HOSTILE, "reason": HOSTILE},
    )
    told["run"] |= {
        "experiment": HOSTILE, "status": HOSTILE, "notes": HOSTILE,
        "params": {HOSTILE: {"value": HOSTILE, "origin": HOSTILE}},
    }  # fmt: skip
    curves = {f"results/outputs/{HOSTILE}.svg": b"<svg onload='alert(1)'/>",
              f"results/outputs/{HOSTILE}.txt": b""}  # fmt: skip
    file = {"path": HOSTILE, "role": HOSTILE, "sha256": HOSTILE, "policy": HOSTILE}
    one = {"name": HOSTILE, "type": HOSTILE, "digest": HOSTILE, "n_rows": 1}
    page = preview_html(
        told,
        items=[Item(HOSTILE, HOSTILE, "ok", HOSTILE, HOSTILE)],
        slice=parts["slice"],
        curves=curves,
        inputs={"files": [file], "variables": [one]},
    )
    seen = Seen(page)
    pictures = [a for tag, a in seen.elements if tag == "img"]
    assert len(pictures) == 1
    assert pictures[0]["src"].startswith("data:image/svg+xml;base64,")
    for tag, attributes in seen.elements:
        assert tag != "script"
        assert not any(name.startswith("on") for name in attributes)
    assert seen.text.count("onerror=alert(1)") > 20
    readme = readme_text(told)
    assert "<img" not in readme.replace("\\<", "")


def test_where_files_lay_on_the_exporters_machine_is_not_told(page, trained):
    place = str(trained[0].path.parents[1])
    assert "sets the file points.csv, which [" in Seen(page).text
    assert place not in page


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("sets the file /a b/c/d.csv", "sets the file d.csv"),
        ("changes the file C:\\ann\\d.csv", "changes the file d.csv"),
        ("may change folder /a/b/ (by f)", "may change folder b (by f)"),
        ("sets the file d.csv", "sets the file d.csv"),
        ("sets x", "sets x"),
    ],
)
def test_of_a_place_the_last_part_is_told(was, now):
    reader = ", which [4] reads"
    assert without_places([was + reader]) == [now + reader]


def test_an_unproven_bundle_says_so():
    told = {"proof": "UNPROVEN", "reason": "it asks for input"}
    text = Seen(bare(slice=told)).text
    assert "UNPROVEN" in text
    assert "It was not shown that these cells give the result again: " in text
    assert "it asks for input" in text


def test_a_run_of_which_nothing_is_known_has_a_page():
    text = Seen(bare()).text
    assert "The run logged no metrics." in text
    assert "Its cells were not recorded." in text
    assert "The run read no data that nbtrack saw." in text


def test_wide_and_many_values_are_cut():
    metrics = [
        {"name": f"{WIDE}{n}", "goal": None, "final": 1e300, "best": None, "n": 10**9}
        for n in range(500)
    ]
    page = bare(WIDE, metrics=metrics)
    assert len(page) < 200_000
    assert "… and 300 more" in Seen(page).text
    assert "w" * 250 not in page


def test_controls_and_right_to_left_marks_are_shown_as_escapes():
    page = bare("a\u202eb\x1b[31m\x00c")
    assert "a\\u202eb\\x1b[31m\\x00c" in Seen(page).text


def test_pictures_that_are_too_many_are_named():
    from nbtrack.bundles.contents.preview_parts import pictures_html

    body = b"\x89PNG" + bytes(3_000_000)
    shown = pictures_html(
        {"results/outputs/a.png": body, "results/outputs/b.png": body}
    )
    assert shown.count("<img") == 1
    assert "results/outputs/b.png" in Seen(shown).text


def test_the_readme_says_how_to_check_and_rerun(manifest):
    text = readme_text(manifest)
    assert text.startswith("# base\n")
    for words in (
        "**PROVEN.**", "    python verify.py", "    uv run run/run.py",
        "    nbtrack rerun FILE.nbt.zip --trust", "| `run/run.py` |",
        "| train\\_loss |",
        "API\\_KEY", "## What is not captured", "2 files besides the bundle",
        "1 private file besides the bundle",
    ):  # fmt: skip
        assert words in text, words


def test_the_readme_of_a_bare_run_leaves_out_what_it_has_not():
    text = readme_text({"run": {"name": "base", "status": "failed"}})
    assert "The run logged no metrics." in text
    assert "## What it needs" not in text
    assert "## What is not captured" not in text
