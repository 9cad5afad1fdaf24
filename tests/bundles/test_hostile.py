"""S7: whatever a file holds, only BundleError leaves and nothing is written."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from bundles.hostile import (
    GOOD,
    LISTING,
    MALFORMED,
    MANIFEST_JSON,
    Member,
    bundle_of,
    deflated,
    listing_of,
    many_members,
    zip_of,
)
from bundles.made import made_bundle, members, metrics_lines
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import nbtrack
from nbtrack.bundles.archive.checked_json import parse_json
from nbtrack.bundles.archive.limits import MAX_MEMBERS
from nbtrack.bundles.archive.reading import open_bundle
from nbtrack.bundles.standalone import verify as standalone
from nbtrack.errors import BundleError

MAX_RSS_BYTES = 300 << 20
MAX_S = 10.0


def files_below(folder):
    return sorted(str(p) for p in Path(folder).rglob("*"))


def test_what_is_changed_below_was_a_bundle(tmp_path):
    (tmp_path / "good.nbt.zip").write_bytes(GOOD)
    assert nbtrack.verify(tmp_path / "good.nbt.zip").state == "INTACT"
    assert len(MALFORMED) >= 60


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED)
def test_s07_a_malformed_bundle_is_only_an_error(content, tmp_path, store):
    path = tmp_path / "bad.nbt.zip"
    path.write_bytes(content)
    before = files_below(tmp_path)
    with pytest.raises(BundleError) as raised:
        open_bundle(path)
    assert "\x1b" not in str(raised.value)
    with pytest.raises(BundleError):
        nbtrack.verify(path)
    with pytest.raises(BundleError):
        nbtrack.import_bundle(path, store=store)
    assert files_below(tmp_path) == before
    assert store.runs(trashed=None) == []


BROKEN_MEMBERS = {
    "another crc": {"central": {"crc": 7}, "local": {"crc": 7}},
    "no deflate": {"method": 8, "data": b"\xff" * 20},
    "cut": {"method": 8, "data": deflated(b"some text")[:-2]},
    "more behind it": {"method": 8, "data": deflated(b"some text") + b"hidden"},
    "longer than it says": {"method": 8, "data": deflated(b"some text and more")},
    "shorter than it says": {"method": 8, "data": deflated(b"some")},
    "other bytes": {"data": b"SOME TEXT", "central": {"crc": zlib.crc32(b"SOME TEXT")},
                    "local": {"crc": zlib.crc32(b"SOME TEXT")}},
}  # fmt: skip


@pytest.mark.parametrize("odd", BROKEN_MEMBERS.values(), ids=BROKEN_MEMBERS)
def test_a_broken_member_is_named_and_never_read(odd, tmp_path, store):
    path = tmp_path / "bad.nbt.zip"
    path.write_bytes(zip_of(bundle_of(Member(b"odd.txt", b"some text", **odd))))
    assert nbtrack.verify(path).tampered == ("odd.txt",)
    before = files_below(tmp_path)
    with open_bundle(path) as bundle:
        with pytest.raises(BundleError):
            bundle.read("odd.txt")
        with pytest.raises(BundleError):
            bundle.extract(tmp_path / "out")
    with pytest.raises(BundleError):
        nbtrack.import_bundle(path, store=store)
    assert files_below(tmp_path) == before


@pytest.mark.parametrize("odd", [*BROKEN_MEMBERS.values()], ids=BROKEN_MEMBERS)
def test_the_script_without_nbtrack_finds_a_broken_member(odd, tmp_path):
    path = tmp_path / "bad.nbt.zip"
    path.write_bytes(zip_of(bundle_of(Member(b"odd.txt", b"some text", **odd))))
    found = standalone.check(str(path))
    assert found[1] == "  tampered: odd.txt"


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED)
def test_the_script_without_nbtrack_calls_no_malformed_bundle_intact(
    content, tmp_path, capsys
):
    path = tmp_path / "bad.nbt.zip"
    path.write_bytes(content)
    assert standalone.main([str(path)]) in (1, 2)


def test_ten_thousand_members_are_the_most(tmp_path):
    path = tmp_path / "many.nbt.zip"
    path.write_bytes(many_members(MAX_MEMBERS))
    assert nbtrack.verify(path).state == "INTACT"
    path.write_bytes(many_members(MAX_MEMBERS + 1))
    with pytest.raises(BundleError, match="members"):
        open_bundle(path)


def test_what_is_no_file_is_only_an_error(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero", tmp_path, tmp_path / "x", "a\0b"):
        with pytest.raises(BundleError):
            open_bundle(path)


@pytest.mark.parametrize("kind", ["link", "link to a folder", "pipe", "bad name"])
def test_a_folder_with_more_than_plain_files_is_refused(kind, tmp_path):
    with open_bundle(made_bundle(tmp_path)) as bundle:
        folder = bundle.extract(tmp_path / "out")
    if kind == "pipe":
        os.mkfifo(folder / "data/pipe")
    elif kind == "bad name":
        (folder / "data/a\\b").write_text("")
    else:
        target = tmp_path if "folder" in kind else tmp_path / "base.nbt.zip"
        (folder / "data/link").symlink_to(target)
    with pytest.raises(BundleError):
        open_bundle(folder)


def test_a_file_that_became_a_link_is_not_followed(tmp_path):
    with open_bundle(made_bundle(tmp_path)) as bundle:
        folder = bundle.extract(tmp_path / "out")
    with open_bundle(folder) as bundle:
        content = (folder / "README.md").read_bytes()
        (tmp_path / "elsewhere").write_bytes(content)
        (folder / "README.md").unlink()
        (folder / "README.md").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(BundleError):
            bundle.read("README.md")


DEEP = {
    "20 lists": (b"[" * 20 + b"]" * 20, True),
    "21 lists": (b"[" * 21 + b"]" * 21, False),
    "a million lists": (b"[" * 1_000_000, False),
    "brackets in a text": (b'"' + b"[" * 100 + b'"', True),
    "brackets behind a quote in a text": (b'"\\"' + b"[" * 100 + b'"', True),
    "a text that does not end": (b'"' + b'\\"' * 1_000_000, False),
    "quotes alone": (b'"' * 1_000_001, False),
    "many lists": (b"[" + b"[]," * 300_000 + b"1]", False),
    "many numbers": (b"[" + b"1," * 2_100_000 + b"1]", False),
    "too long": (b'"' + b"a" * 10_000_000 + b'"', False),
    "a number that is infinite": (b"1e999", False),
    "a word for infinity": (b"Infinity", False),
    "a number without end": (b"1" * 5_000, False),
    "keys twice, many": (
        json.dumps({str(n): 0 for n in range(100_000)}).encode()[:-1] + b',"7":1}',
        False,
    ),
}


@pytest.mark.parametrize(("content", "is_fine"), DEEP.values(), ids=DEEP)
def test_json_is_parsed_within_bounds(content, is_fine):
    if is_fine:
        parse_json(content, name="x.json")
        return
    with pytest.raises(BundleError):
        parse_json(content, name="x.json")


OPENING = """
import json, resource, sys, time
import nbtrack
from nbtrack.bundles.archive.reading import open_bundle
start = time.perf_counter()
try:
    with open_bundle(sys.argv[1]) as bundle:
        bundle.problems()
        bundle.manifest
        said = "opened"
except nbtrack.BundleError as exc:
    said = "BundleError"
rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps([said, rss, time.perf_counter() - start]))
"""


def with_manifest(content):
    member = Member(b"manifest.json", content)
    return zip_of([member, Member(LISTING, listing_of([member]))])


def zeros():
    return zip_of(bundle_of(Member(b"z", bytes(100_000_000), 8)))


def longer_than_it_says():
    packed = deflated(bytes(200_000_000))
    said = {"size": 200 * len(packed)}
    return zip_of(
        bundle_of(Member(b"z", b"", 8, data=packed, local=said, central=said))
    )


def within_all_limits():
    """What deflates to a little more than a two hundredth."""
    block = bytes(248_500) + random.Random(0).randbytes(1_500)
    return zip_of(bundle_of(Member(b"z", block * 500, 8)))


def lists():
    return with_manifest(b'{"a":[' + b"{}," * 3_300_000 + b"{}]}")


def commas():
    return with_manifest(b"[" + b"1," * 4_900_000 + b"1]")


def keys():
    return with_manifest(b"{" + b'"":0,' * 1_900_000 + b'"":0}')


BOMBS = {
    zeros: "BundleError",
    lists: "BundleError",
    commas: "BundleError",
    keys: "BundleError",
    longer_than_it_says: "opened",  # and named as tampered
    within_all_limits: "opened",
}


@pytest.mark.parametrize("make", BOMBS)
def test_s07_a_bomb_takes_little_memory_and_time(make, tmp_path):
    path = tmp_path / "bomb.nbt.zip"
    path.write_bytes(make())
    said = subprocess.check_output([sys.executable, "-c", OPENING, str(path)])
    outcome, rss, took_s = json.loads(said)
    assert outcome == BOMBS[make]
    assert rss < MAX_RSS_BYTES
    assert took_s < MAX_S


@pytest.fixture(scope="module")
def valid(tmp_path_factory):
    return made_bundle(tmp_path_factory.mktemp("valid")).read_bytes()


def opened_or_refused(content, folder):
    """Whether it opens; anything but BundleError fails the test."""
    path = folder / "any.nbt.zip"
    path.write_bytes(content)
    try:
        with open_bundle(path) as bundle:
            bundle.problems()
            _ = bundle.manifest
        nbtrack.verify(path)
    except BundleError:
        return False
    finally:
        path.unlink()
    return True


@settings(max_examples=examples(1_000), deadline=None)
@given(data=st.data())
def test_s07_changed_bytes_give_an_error_or_a_bundle(data, valid, tmp_path_factory):
    content = bytearray(valid)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        n_gone = data.draw(st.sampled_from([0, 0, 1, 1, 1, 4, 50]))
        content[at : at + n_gone] = data.draw(st.binary(max_size=6))
    opened_or_refused(bytes(content), tmp_path_factory.mktemp("any"))


@settings(max_examples=examples(1_000), deadline=None)
@given(content=st.binary(max_size=300))
def test_s07_any_bytes_give_an_error(content, tmp_path_factory):
    folder = tmp_path_factory.mktemp("any")
    assert not opened_or_refused(content, folder)
    assert not opened_or_refused(content + GOOD[-22:], folder)


@settings(max_examples=examples(1_000), deadline=None)
@given(listing=st.text(alphabet="0af \n-xé./", max_size=200))
def test_s07_any_list_gives_an_error_or_a_bundle(listing, tmp_path_factory):
    members = [Member(b"manifest.json", MANIFEST_JSON), Member(LISTING, b"")]
    members[1] = Member(LISTING, listing.encode())
    opened_or_refused(zip_of(members), tmp_path_factory.mktemp("any"))


values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5)
    | st.integers(-(2**70), 2**70),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


def paths_in(value, path=()):
    """The places of all values inside a JSON value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        if isinstance(item, dict | list):
            yield from paths_in(item, (*path, key))
        else:
            yield (*path, key)


def changed(value, path, new):
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(value[path[0]], path[1:], new)
    return copy


JSON_MEMBERS = {
    name: json.loads(content)
    for name, content in members().items()
    if name.startswith(("manifest", "run/slice", "env", "data/inputs", "results/exp"))
}
JSON_MEMBERS["results/metrics.jsonl"] = json.loads(metrics_lines().splitlines()[0])
PLACES = [(n, path) for n, value in JSON_MEMBERS.items() for path in paths_in(value)]


@settings(max_examples=examples(400), deadline=None)
@given(place=st.sampled_from(PLACES), new=values)
def test_s07_any_json_gives_an_error_or_a_run(place, new, tmp_path_factory):
    name, path = place
    told = json.dumps(changed(JSON_MEMBERS[name], path, new)).encode()
    folder = tmp_path_factory.mktemp("any")
    bundle = made_bundle(folder, **{name: told})
    try:
        nbtrack.verify(bundle)
        run = nbtrack.import_bundle(bundle, store=folder / ".nbtrack")
    except BundleError:
        left = {"base.nbt.zip", ".nbtrack"}
        assert {path.name for path in folder.iterdir()} <= left
    else:
        assert len(run.id) == 13
