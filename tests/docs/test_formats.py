"""The pages on formats name all that a store and a bundle hold, and nothing else."""

from __future__ import annotations

import os
import re
import sqlite3
from fnmatch import fnmatchcase

import pytest
from bundles.described import SCHEMA_OF, members, schemas
from bundles.exported_kinds import not_run_again, run_again
from docs.format_pages import page, rows, sections, tables, without_code, words

import nbtrack
from nbtrack.bundles import verdict
from nbtrack.bundles.archive import limits
from nbtrack.bundles.archive.directory import DATE
from nbtrack.bundles.judging import SPREADS
from nbtrack.slices import emit_run, snapshot
from nbtrack.store import Store, blobs, chunks, cuts, liveness, packs, schema, segments
from nbtrack.store.asides import PARTIAL
from nbtrack.store.disk_files import DYING
from nbtrack.store.migrations import _STEPS

PAGE, BUNDLE = page("store.md"), page("bundle.md")
SECTIONS, OF_BUNDLE = sections(PAGE), sections(BUNDLE)
VIEWS = ("summaries", "points", "checkpoints")


@pytest.fixture
def database(tmp_path):
    """A new store's database, through the bare sqlite3."""
    Store.open(tmp_path).close()
    connection = sqlite3.connect(tmp_path / ".nbtrack/nbtrack.db")
    yield connection
    connection.close()


def documented(part: str) -> dict[str, list[list[str]]]:
    """Tables or views of the page, by name, in the part between two headings."""
    below = PAGE.partition(f"\n## {part}\n")[2]
    own = re.split(r"^## ", without_code(below), flags=re.MULTILINE)[0]
    return {name.strip("`"): rows(text) for name, text in sections(own).items()}


def names_of(database, kind):
    found = database.execute(
        "select name from sqlite_master where type = ? and name not like 'sqlite_%'",
        (kind,),
    )
    return {name for (name,) in found}


def test_every_table_and_column_stands_in_the_page_as_it_is(database):
    told = documented("Tables")
    assert told.keys() == names_of(database, "table")
    for table, columns in told.items():
        expected = [
            [f"`{name}`", type_.lower() + ("" if is_set or key else ", null")
             + (", key" if key else "")]
            for _, name, type_, is_set, _, key in database.execute(
                f"pragma table_info({table})"
            )
        ]  # fmt: skip
        assert [column[:2] for column in columns] == expected, table
        assert all(column[2] for column in columns), table


def test_every_view_and_its_columns_stand_in_the_page(database):
    told = documented("Views")
    assert told.keys() == names_of(database, "view") == set(VIEWS)
    connection = sqlite3.connect(":memory:")
    connection.executescript(schema.SCHEMA)
    connection.create_function("nbtrack_points", 1, lambda body: None)
    connection.create_function("nbtrack_shared", 1, lambda metric: None)
    for view, columns in told.items():
        seen = connection.execute(f"select * from {view}").description
        assert [f"`{name}`" for name, *_ in seen] == [c[0] for c in columns], view
    assert "The views `summaries`, `points` and `checkpoints` stay" in PAGE


@pytest.mark.parametrize("text", [PAGE, BUNDLE], ids=["store", "bundle"])
def test_links_within_a_page_lead_somewhere(text):
    titles = re.findall(r"^#{1,3} (.+)$", without_code(text), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", t.lower()).replace(" ", "-") for t in titles}
    asked = set(re.findall(r"\]\(#([^)]+)\)", text))
    assert asked
    assert asked - anchors == set()
    assert len(anchors) == len(titles)


def test_the_marks_and_versions_are_those_of_the_code(database):
    assert f"`pragma application_id` is 0x{schema.APPLICATION_ID:08X}" in PAGE
    assert f"the version of the schema, {schema.VERSION} today" in PAGE
    assert f"format number of their own, {chunks._FORMAT} today" in PAGE
    assert segments._FORMAT == chunks._FORMAT
    assert database.execute("pragma user_version").fetchone() == (schema.VERSION,)
    listed = re.search(r"Versions so far: (.+)", PAGE)[1].split("; ")
    assert [int(each.split()[0]) for each in listed] == [
        *range(1, len(_STEPS) + 1)
    ] == [*range(1, schema.VERSION + 1)]  # fmt: skip


def test_the_layout_of_a_chunk_is_that_of_the_code():
    header, steps, times = tables(SECTIONS["A chunk, byte by byte"])
    assert f"`{chunks._HEADER.format}`" in PAGE
    fields = [words(row[1])[0] for row in header[:8]]
    assert "<" + "".join(fields) == chunks._HEADER.format
    assert f"1 to {chunks.MAX_POINTS:,}" in header[4][2]
    assert header[8][0] == f"{chunks._HEADER.size} …"
    told = {int(code) for row in steps for code in row[0].split(", ")}
    assert told == {chunks._REGULAR, *chunks._CODES, chunks._RAW_STEPS}
    assert [int(row[0]) for row in times] == [chunks._DELTA_TIMES, chunks._RAW_TIMES]


def test_the_layout_of_a_segment_is_that_of_the_code():
    parts, slot = tables(SECTIONS["A segment, byte by byte"])
    assert words(parts[0][1]) == [segments._HEADER.format]
    assert words(parts[1][1]) == [segments.SLOT.format]
    assert f"magic `{segments._MAGIC.decode()}`" in parts[0][2]
    assert (
        f"slots of {segments.SLOT_BYTES} bytes" in SECTIONS["A segment, byte by byte"]
    )
    assert "<" + "".join(words(row[1])[0] for row in slot) == segments.SLOT.format
    assert slot[-1][2:] == [f"mark {segments.POINT}", f"mark {segments.EVENT}"]
    assert f", {segments.NOTHING} that it means nothing" in PAGE


def test_the_sizes_and_times_of_the_page_are_those_of_the_code():
    assert f"({blobs.WHOLE_BYTES:,} bytes)" in PAGE
    assert cuts.LONGEST_CHUNK_BYTES == 2 << 20
    assert cuts.CHUNK_BYTES == 1 << 20
    assert packs.HASH_BYTES == 32
    assert f"every {liveness.HEARTBEAT_S:.0f} s" in PAGE
    assert f"younger than {liveness._STALE_S:.0f} s" in PAGE


@pytest.mark.usefixtures("store_path")
def test_every_file_of_a_store_in_use_is_one_of_the_page(tmp_path, store_path):
    (tmp_path / "large.bin").write_bytes(os.urandom(3 << 20))
    (tmp_path / "small.bin").write_bytes(b"small")
    with nbtrack.start("busy") as run:
        run.log(loss=1.0)
        run.log_artifact(tmp_path / "large.bin", "large")
        run.log_artifact(tmp_path / "small.bin", "small")
        there = {
            path.relative_to(store_path).as_posix()
            for path in store_path.rglob("*")
            if path.is_file()
        }
    told = [word for row in rows(SECTIONS["The folder"]) for word in words(row[0])]
    told += [
        f"journal/<session>/{words(row[0])[0]}" for row in rows(SECTIONS["Journal"])
    ]
    assert f"blobs/<ab>/{DYING}<sha256>" in told
    assert f"**/{PARTIAL}<random>" in told
    forms = [re.sub(r"<\w+>|\d+(?=\.seg)", "[^/]+", re.escape(t)) for t in told]
    forms = [f.replace("<session>", "[^/]+") for f in forms]
    odd = [p for p in there if not any(re.fullmatch(f, p) for f in forms)]
    assert odd == []
    assert any(p.startswith("blobs/packs/") for p in there)
    assert any(p.endswith(".seg") for p in there)


def of_members() -> dict[str, list[str]]:
    """The forms of members' names as the page has them, each with its other cells."""
    return {words(row[0])[0]: row[1:] for row in rows(OF_BUNDLE["Members"])}


def form_of(name: str) -> str | None:
    return next((form for form in of_members() if fnmatchcase(name, form)), None)


def check_members(found: dict[str, dict[str, bytes]]) -> set[str]:
    """Hold the page against bundles; the forms that were there."""
    seen = set()
    for bundle, names in found.items():
        assert [name for name in names if form_of(name) is None] == [], bundle
        forms = {form_of(name) for name in names}
        always = {form for form, (is_always, *_) in of_members().items()
                  if is_always == "yes"}  # fmt: skip
        assert always - forms == set(), bundle
        seen |= forms
    return seen


@pytest.mark.timeout(240)
@pytest.mark.reproduce
def test_every_member_of_bundles_is_one_of_the_page(tmp_path):
    found = {n: members(path) for n, path in not_run_again(tmp_path).items()}
    assert "results/checkpoints/*.safetensors" in check_members(found)


@pytest.mark.reproduce
@pytest.mark.timeout(400)
def test_every_member_of_the_page_is_one_of_bundles(tmp_path):
    found = {n: members(path) for n, path in run_again(tmp_path).items()}
    unseen = of_members().keys() - check_members(found)
    # A lock needs an index of packages; a value is kept of a session that goes on.
    assert unseen == {"env/pylock.toml", "run/values/*.pickle"}


def test_the_folders_of_a_script_are_those_of_the_code():
    assert f"run/{emit_run.FOLDER}/*" in of_members()
    assert f"run/{snapshot.FOLDER}/*.pickle" in of_members()


def test_every_json_member_names_its_schema():
    told = {form: words(cells[1]) for form, cells in of_members().items()}
    assert {form: names[0] for form, names in told.items() if names} == SCHEMA_OF


def test_every_field_of_the_manifest_stands_in_the_page():
    fields = {words(row[0])[0] for row in rows(OF_BUNDLE["manifest.json"])}
    assert fields == schemas()["manifest"]["properties"].keys()


def test_the_words_and_bounds_of_the_page_are_those_of_the_code():
    told = [words(row[0])[0] for row in rows(OF_BUNDLE["Verdicts"])]
    assert tuple(told) == verdict.FROM_BEST
    assert f"inside {SPREADS} × `spread`" in BUNDLE
    assert f"{limits.MAX_MEMBERS:,} members, {limits.MAX_BYTES >> 30} GiB" in BUNDLE
    assert f"{limits.MAX_RATIO} times its packed size" in BUNDLE
    assert f"{limits.MAX_MANIFEST_BYTES:,} bytes for a JSON member" in BUNDLE
    assert f"{limits.MAX_DEPTH} levels of JSON" in BUNDLE
    names = f"{limits.MAX_NAME_BYTES:,} bytes, {limits.MAX_PART_BYTES} a part"
    assert names in BUNDLE
    year, month, day = 1980 + (DATE >> 9), DATE >> 5 & 15, DATE & 31
    assert f"dated {year}-{month:02}-{day:02}" in BUNDLE
