"""Push and pull, to a folder and to a real S3 interface on this machine."""

import hashlib
import json
import os
import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from s3_here import BUCKET, s3_here

import nbtrack
from nbtrack.errors import (
    ArtifactNotFoundError,
    MissingExtraError,
    RemoteError,
)
from nbtrack.store import Store
from nbtrack.tracking.artifacts import api
from nbtrack.tracking.remotes import layout
from nbtrack.tracking.remotes.place import PARALLEL, Place
from nbtrack.tracking.remotes.pull import pull
from nbtrack.tracking.remotes.push import PULLED_KEY, push

MIB = 1 << 20
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def s3():
    with pytest.MonkeyPatch.context() as patch, s3_here(patch) as served:
        yield served


@pytest.fixture
def s3_url(s3, tmp_path):
    s3.reset()
    return f"s3://{BUCKET}/{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:12]}"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "remote"


@pytest.fixture
def other(tmp_path):
    with Store.open(tmp_path / "other") as opened:
        yield opened


def content(n_bytes, seed=0):
    return random.Random(seed).randbytes(n_bytes)


def kept(store, name, files, **about):
    """A version of these files, as `log_artifact` keeps them."""
    work = store.path.parent / "work"
    shutil.rmtree(work, ignore_errors=True)
    for path, body in files.items():
        (work / path).parent.mkdir(parents=True, exist_ok=True)
        (work / path).write_bytes(body)
    refs = store.put_files([work / path for path in files])
    rows = [
        [path, ref.digest, ref.size_bytes, None, None]
        for path, ref in zip(files, refs, strict=True)
    ]
    return store.keep_artifact(
        {"name": name, "type": "dataset", "files": rows, "run": None, **about}
    )


def everything(store):
    """What there is, but for ids and the mark of where it came from."""
    return [
        replace(
            version, id=0,
            metadata={k: v for k, v in version.metadata.items() if k != PULLED_KEY},
        )
        for version in sorted(store.artifact_versions(), key=lambda v: v.ref)
    ]  # fmt: skip


def snapshot(folder):
    files = [path for path in Path(folder).rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in files}


# -- there and back ----------------------------------------------------------------


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_versions_go_there_and_come_back_whole(kind, request, store, other):
    url = request.getfixturevalue("s3_url" if kind == "s3" else "folder")
    # A small file, a large one, a folder with an empty file and one that is twice.
    kept(store, "one", {"a.csv": b"x\n1\n"}, description="one file", tags={"raw": None})
    large = {"w.bin": content(3 * MIB + 5)}
    kept(store, "ds", large, aliases=["gold"], metadata={"rows": 3})
    small = {f"d/{n}": content(100 + n, n) for n in range(30)}
    kept(store, "ds", {"empty": b"", "again": small["d/1"], **small})
    done = []
    sent = push(url, store=store, progress=lambda *at: done.append(at))
    assert sent.versions == ("one:v0", "ds:v0", "ds:v1")
    assert done[-1][0] == done[-1][1]
    assert all(a <= b for a, b in done)
    again = push(url, store=store)
    assert (again.versions, again.n_objects, again.n_bytes) == ((), 0, 0)
    came = pull(url, store=other)
    assert sorted(came.versions) == ["ds:v0", "ds:v1", "one:v0"]
    assert came.n_bytes >= sent.n_bytes > 3 * MIB
    assert everything(other) == everything(store)
    assert api.verify(store=other)
    assert (api.get("ds:v1", store=other) / "empty").read_bytes() == b""
    assert api.get("ds:gold", store=other).read_bytes() == large["w.bin"]
    before = other.artifact_versions()
    assert pull(url, store=other) == replace(came, versions=(), n_objects=0, n_bytes=0)
    assert other.artifact_versions() == before
    assert push(url, store=other).versions == ()


def test_a_second_push_asks_a_little_and_sends_nothing(s3, s3_url, store):
    kept(store, "ds", {f"{n}": content(2000, n) for n in range(60)})
    push(s3_url, store=store)
    assert (s3.requests["PUT"], s3.most_at_once <= PARALLEL) == (62, True)
    assert s3.most_at_once > 1
    s3.reset()
    push(s3_url, store=store)
    assert (s3.requests["PUT"], s3.requests["POST"], s3.sent_bytes) == (0, 0, 0)
    assert s3.requests.total() < 12
    # One file more: one object more, and the manifest.
    kept(store, "ds", {f"{n}": content(2000, n) for n in range(61)})
    s3.reset()
    push(s3_url, store=store)
    assert s3.requests["PUT"] == 2


def test_a_push_that_is_cut_off_looks_like_nothing_and_goes_on(
    s3, s3_url, store, other
):
    kept(store, "big", {"w.bin": content(12 * MIB)})
    s3.refuse_after = 9  # the format, and 8 of 12 chunks
    with pytest.raises(RemoteError, match=r"cannot be reached.*only the rest"):
        push(s3_url, store=store)
    s3.reset()
    assert pull(s3_url, store=other).versions == ()
    assert other.artifact_versions() == []
    s3.reset()
    assert push(s3_url, store=store).n_objects == 4
    assert s3.requests["PUT"] == 5
    assert pull(s3_url, store=other).versions == ("big:v0",)
    assert api.verify(store=other)


def test_a_pull_that_is_cut_off_goes_on(folder, store, other, monkeypatch):
    kept(store, "big", {"w.bin": content(40 * MIB)})
    push(folder, store=store)
    read, n_read = Place.read, []

    def cut(place, path, *, at_most):
        n_read.append(path)
        if len(n_read) > 40:
            raise RemoteError("cut")
        return read(place, path, at_most=at_most)

    monkeypatch.setattr(Place, "read", cut)
    with pytest.raises(RemoteError):
        pull(folder, store=other)
    assert other.artifact_versions() == []
    monkeypatch.setattr(Place, "read", read)
    assert pull(folder, store=other).n_objects == 8  # 32 MiB were kept
    assert api.verify(store=other)


def test_a_half_written_object_is_sent_again(folder, store, other):
    kept(store, "one", {"a": content(5000)})
    push(folder, store=store)
    [blob] = [path for path in (folder / "files").rglob("*") if path.is_file()]
    blob.write_bytes(b"half")
    [manifest] = folder.glob("artifacts/*/*.json")
    manifest.unlink()
    assert push(folder, store=store).n_objects == 1
    assert pull(folder, store=other).versions == ("one:v0",)


def test_names_tell_which_versions_go_and_come(folder, store, other):
    for n in range(4):
        kept(store, "ds", {"a": b"%d" % n}, aliases=["gold"] if n == 1 else [])
    kept(store, "x", {"a": b"x"})
    assert push(folder, "ds:v2", store=store).versions == ("ds:v2",)
    assert push(folder, ["ds", "ds:gold"], store=store).versions == (
        "ds:v0", "ds:v1", "ds:v3",
    )  # fmt: skip
    assert pull(folder, "ds:v2", store=other).versions == ("ds:v2",)
    assert api.get("ds:v2", store=other).read_bytes() == b"2"
    assert pull(folder, ["ds:gold", "ds:latest"], store=other).versions == (
        "ds:v1", "ds:v3",
    )  # fmt: skip
    for wrong, error in [
        ("x", "no artifact 'x'"), ("ds:v9", "no 'ds' 'v9'. It has: v0"),
    ]:  # fmt: skip
        with pytest.raises(ArtifactNotFoundError, match=error):
            pull(folder, wrong, store=other)
    with pytest.raises(ArtifactNotFoundError):
        push(folder, "none", store=store)
    with pytest.raises(RemoteError, match="nothing that nbtrack has pushed"):
        pull(folder / "elsewhere", store=other)


def test_a_number_that_is_taken_becomes_the_next_and_is_said(folder, store, other):
    kept(store, "ds", {"a": b"theirs"})
    kept(other, "ds", {"a": b"ours"})
    push(folder, store=store)
    came = pull(folder, store=other)
    assert came.versions == ("ds:v1",)
    assert came.notices == (
        "ds:v0 of the remote is ds:v1 here: v0 was another version.",
    )
    assert pull(folder, store=other).versions == ()
    # Both v0 go to one remote; who is new there gets one as v0, the other as v1.
    assert push(folder, store=other).versions == ("ds:v0",)
    with Store.open(other.path.parent / "third") as third:
        assert sorted(pull(folder, store=third).versions) == ["ds:v0", "ds:v1"]


def test_versions_that_were_given_up_here_come_back(folder, store):
    version = kept(
        store, "ds", {"a": content(2 * MIB)}, expires_at="2026-01-01T00:00:00.000000Z"
    )
    push(folder, store=store)
    store.give_up([version.id], why="expired")
    store.free_files(older_than_s=-1)
    assert push(folder, store=store).notices == (
        "ds:v0 was not sent: its files were given up.",
    )
    assert pull(folder, "ds:v0", store=store).versions == ("ds:v0",)
    assert api.get("ds:v0", store=store).read_bytes() == content(2 * MIB)
    assert store.artifact("ds:v0").expires_at is None


def test_aliases_follow_the_remote_but_are_not_taken_from_ours(folder, store, other):
    first, second = (kept(store, "ds", {"a": body}) for body in (b"1", b"2"))
    store.set_alias(first.ref, "gold")
    push(folder, store=store)
    pull(folder, store=other)
    store.set_alias(second.ref, "gold")
    assert push(folder, store=store).versions == ("ds:v1",)
    pull(folder, store=other)
    assert other.artifact("ds:gold").version == 1
    ours = kept(other, "ds", {"a": b"3"}, aliases=["gold"])
    notices = pull(folder, store=other).notices
    assert other.artifact("ds:gold").id == ours.id
    assert notices == (
        "The alias 'gold' stays with ds:v2, which the remote does not have; "
        "there it names ds:v1.",
    )


def test_runs_go_along_as_text(folder, store, other, plain_surroundings, tmp_path):
    (tmp_path / "a.txt").write_text("a")
    with nbtrack.start("base") as run:
        nbtrack.log(loss=float("nan"), acc=0.5)
        run.log_artifact(tmp_path / "a.txt")
    push(folder)
    pull(folder, store=other)
    pulled = other.artifact("a").metadata[PULLED_KEY]
    assert pulled["runs"] == [
        [run.id, "base", "output", 0, {"acc": 0.5, "loss": "nan"}]
    ]
    assert other.runs() == []
    assert push(folder, store=other).versions == ()
    assert pull(folder).versions == ()  # its own runs are no news


def test_addresses_go_without_what_they_name(folder, store, other):
    row = ["a.csv", None, 4, "https://example.invalid/a.csv", '"etag"']
    store.keep_artifact({"name": "ref", "type": "dataset", "files": [row]})
    assert push(folder, store=store).n_objects == 0
    pull(folder, store=other)
    assert everything(other) == everything(store)


def test_a_file_of_an_older_store_that_is_kept_whole_goes_in_pieces(
    folder, store, other
):
    body = content(5 * MIB + 3)
    ref = store.put_bytes(body)  # whole, whatever its size
    row = ["old.bin", ref.digest, ref.size_bytes, None, None]
    store.keep_artifact({"name": "old", "type": "file", "files": [row]})
    assert push(folder, store=store).n_objects == 6
    pull(folder, store=other)
    assert api.get("old", store=other).read_bytes() == body


# -- what is refused ---------------------------------------------------------------


def objects(folder):
    return sorted(
        path for part in ("files", "chunks") for path in (folder / part).rglob("*")
        if path.is_file()
    )  # fmt: skip


@pytest.mark.parametrize("damage", ["flipped", "longer", "shorter", "missing"])
@pytest.mark.parametrize("size", [5000, 3 * MIB])
def test_a_wrong_hash_is_refused_by_name_and_nothing_is_kept(
    folder, store, other, damage, size
):
    kept(store, "ds", {"w.bin": content(size)})
    push(folder, store=store)
    bad = objects(folder)[0]
    whole = bad.read_bytes()
    bad.unlink()
    if damage != "missing":
        changed = {
            "flipped": whole[:-1] + bytes([whole[-1] ^ 1]),
            "longer": whole + b"x",
            "shorter": whole[:-1],
        }
        bad.write_bytes(changed[damage])
    with pytest.raises(RemoteError) as caught:
        pull(folder, store=other)
    assert "w.bin" in str(caught.value)
    assert bad.name in str(caught.value)
    assert other.artifact_versions() == []
    digest = store.artifact_files(1)[0].digest
    assert not other.has_file(digest)
    bad.write_bytes(whole)
    assert pull(folder, store=other).versions == ("ds:v0",)


def forge(folder, change):
    """Rewrite the one manifest, digest and place included, as a stranger would."""
    [path] = folder.glob("artifacts/*/*.json")
    body = json.loads(path.read_bytes())
    path.unlink()
    text = change(body) or json.dumps(body)
    try:
        files = [layout.ArtifactFile(*row[:5]) for row in body["files"]]
        digest = body["digest"] = layout.manifest_digest(files)
        text = text if isinstance(text, bytes) else json.dumps(body)
    except (TypeError, AttributeError, ValueError):
        digest = "0" * 64
    digest = digest if "/" not in digest else "0" * 64
    target = folder / layout.artifact_folder(str(body["name"])) / f"{digest}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(text if isinstance(text, bytes) else text.encode())


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


FORGERIES = {
    "up": lambda b: b["files"][0].__setitem__(0, "../evil"),
    "up inside": lambda b: b["files"][0].__setitem__(0, "a/../../evil"),
    "absolute": lambda b: b["files"][0].__setitem__(0, "/etc/evil"),
    "backslash": lambda b: b["files"][0].__setitem__(0, "..\\evil"),
    "empty part": lambda b: b["files"][0].__setitem__(0, "a//b"),
    "control": lambda b: b["files"][0].__setitem__(0, "a\x1b[31m"),
    "nul": lambda b: b["files"][0].__setitem__(0, "a\0b"),
    "bidi": lambda b: b["files"][0].__setitem__(0, "a\u202eb"),
    "long part": lambda b: b["files"][0].__setitem__(0, "x" * 300),
    "surrogate": lambda b: b["files"][0].__setitem__(0, "\ud800"),
    "no text": lambda b: b["files"][0].__setitem__(0, 7),
    "twice": lambda b: b["files"].append(list(b["files"][0])),
    "file and folder": lambda b: b["files"].append(
        [f"{b['files'][0][0]}/x", *b["files"][0][1:]]
    ),
    "no files": lambda b: b["files"].clear(),
    "short row": lambda b: b["files"][0].pop(),
    "no digest": lambda b: b["files"][0].__setitem__(1, None),
    "path as digest": lambda b: b["files"][0].__setitem__(1, "../../nbtrack.json"),
    "negative size": lambda b: b["files"][0].__setitem__(2, -1),
    "true as size": lambda b: b["files"][0].__setitem__(2, True),
    "endless size": lambda b: b["files"][0].__setitem__(2, 10**30),
    "large without chunks": lambda b: b["files"][0].__setitem__(2, 1 << 40),
    "chunks of another size": lambda b: b["files"][0].__setitem__(5, [["0" * 64, 9]]),
    "huge chunk": lambda b: b["files"][0].__setitem__(5, [["0" * 64, 1 << 40]]),
    "chunk is a path": lambda b: b["files"][0].__setitem__(5, [["../x", 5]]),
    "name goes up": lambda b: b.__setitem__("name", "../../x"),
    "name with colon": lambda b: b.__setitem__("name", "a:v1"),
    "no name": lambda b: b.__setitem__("name", ""),
    "negative version": lambda b: b.__setitem__("version", -1),
    "endless version": lambda b: b.__setitem__("version", 1 << 62),
    "time": lambda b: b.__setitem__("created_at", "<script>"),
    "newer format": lambda b: b.__setitem__("format", 99),
    "deep metadata": lambda b: b.__setitem__("metadata", {"a": nested(200)}),
    "huge metadata": lambda b: b.__setitem__("metadata", {"a": "x" * (2 * MIB)}),
    "metadata a list": lambda b: b.__setitem__("metadata", []),
    "runs": lambda b: b.__setitem__("runs", [["id", "name", "owner", 0, {}]]),
    "no key": lambda b: b.pop("aliases"),
    "NaN": lambda b: json.dumps(b).replace('"version": 0', '"version": NaN').encode(),
    "no JSON": lambda b: b"{",
    "deep JSON": lambda b: b"[" * 200_000,
    "a list": lambda b: b"[]",
    "binary": lambda b: bytes(range(256)),
    "long number": lambda b: b"1" * 10_000,
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_strangers_manifest_is_refused_and_nothing_is_kept(
    folder, store, other, forgery
):
    kept(store, "ds", {"a": content(5)})
    push(folder, store=store)
    forge(folder, FORGERIES[forgery])
    before = {path for path in folder.parent.rglob("*") if path.is_file()}
    with pytest.raises(RemoteError) as caught:
        pull(folder, store=other)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 1000
    assert other.artifact_versions() == []
    after = {path for path in folder.parent.rglob("*") if path.is_file()}
    assert {path.name for path in after - before} <= {
        "nbtrack.db-wal",
        "nbtrack.db-shm",
    }


def test_a_manifest_that_is_sound_passes_the_same_forge(folder, store, other):
    kept(store, "ds", {"a": content(5)})
    push(folder, store=store)
    forge(folder, lambda b: b["files"][0].__setitem__(0, "renamed"))
    assert pull(folder, store=other).versions == ("ds:v0",)


def test_chunks_that_make_another_file_are_refused_by_its_name(folder, store, other):
    kept(store, "ds", {"good": content(2 * MIB), "bad": content(2 * MIB, 1)})
    push(folder, store=store)

    def swap(body):
        rows = {row[0]: row for row in body["files"]}
        rows["bad"][5] = rows["good"][5]

    forge(folder, swap)
    with pytest.raises(RemoteError, match="file 'bad' is refused"):
        pull(folder, store=other)
    assert other.artifact_versions() == []


def test_a_manifest_in_anothers_place_is_refused(folder, store, other):
    kept(store, "ds", {"a": b"1"})
    push(folder, store=store)
    [path] = folder.glob("artifacts/*/*.json")
    path.rename(path.with_name(f"{'0' * 64}.json"))
    with pytest.raises(RemoteError, match="is damaged: it holds ds:v0"):
        pull(folder, store=other)


def test_aliases_that_cannot_be_are_left_out(folder, store, other):
    kept(store, "ds", {"a": b"1"})
    push(folder, store=store)
    forge(folder, lambda b: b.__setitem__("aliases", ["v7", "latest", "a:b", "ok"]))
    pull(folder, store=other)
    assert other.artifact("ds").aliases == ("latest", "ok")


def test_what_lies_about_at_a_remote_is_no_trouble(folder, store, other):
    kept(store, "ds", {"a": b"1"})
    push(folder, store=store)
    for name in ("artifacts/.partial-1", "artifacts/x/notes.txt", "other/x.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"?")
    assert pull(folder, store=other).versions == ("ds:v0",)
    (folder / "nbtrack.json").write_text('{"format": 2}')
    with pytest.raises(RemoteError, match=r"has format 2.*Upgrade"):
        pull(folder, store=other)
    with pytest.raises(RemoteError, match="has format 2"):
        push(folder, store=store)


def test_a_remote_that_cannot_be_written_is_one_line(store, tmp_path, s3_url):
    kept(store, "ds", {"a": b"1"})
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(RemoteError, match="cannot be reached"):
        push(tmp_path / "file" / "remote", store=store)
    with pytest.raises(RemoteError, match="Make the bucket or folder first"):
        push("s3://no-such-bucket-here/x", store=store)
    with pytest.raises(MissingExtraError, match=r"nbtrack\[remote\]"):
        push("gs://bucket/x", store=store)
    with pytest.raises(RemoteError, match="cannot be reached"):
        push("nonsense://x", store=store)


# -- the place ---------------------------------------------------------------------


def test_no_password_is_shown_or_kept(other, store, monkeypatch):
    kept(store, "ds", {"a": b"1"})
    url = "memory://user:hunter2@host/models"
    push(url, store=store)
    pull(url, store=other)
    assert "hunter2" not in repr(other.artifact("ds"))
    place = Place.at(url)

    def failing(*_, **__):
        raise OSError("https://user:hunter2@host says no")

    monkeypatch.setattr(place.files, "cat_file", failing)
    with pytest.raises(RemoteError) as caught:
        place.read("x", at_most=1)
    assert "hunter2" not in str(caught.value)


def test_a_folder_remote_is_never_seen_half_written(folder, store, monkeypatch):
    kept(store, "ds", {"a": content(3 * MIB)})
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(RemoteError, match="full"):
        push(folder, store=store)
    assert snapshot(folder) == {}


def test_a_push_clears_up_after_pushes_that_died(folder, store):
    kept(store, "ds", {"a": b"1"})
    push(folder, store=store)
    old, new = folder / ".partial-old", folder / ".partial-new"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    push(folder, store=store)
    assert (old.exists(), new.exists()) == (False, True)
