"""A used version is a local path with just its content, or an error that says why."""

import os
import stat

import pytest

import nbtrack
from nbtrack.errors import ArtifactError, ArtifactNotFoundError, StoreError
from nbtrack.tracking.artifacts import api, using

pytestmark = pytest.mark.usefixtures("plain_surroundings")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of two files that is logged as `data`, and a file as `mlp`."""
    monkeypatch.chdir(tmp_path)
    made = tmp_path / "data"
    (made / "sub").mkdir(parents=True)
    (made / "a.txt").write_text("a")
    (made / "sub" / "b.bin").write_bytes(os.urandom(3 << 20))
    (tmp_path / "mlp.pt").write_bytes(b"weights")
    return made


@pytest.fixture
def logged(run, folder):
    run.log_artifact("mlp.pt", aliases="good")
    run.log_artifact(folder)
    return run


def same(one, other):
    def content(root):
        files = (p for p in root.rglob("*") if p.is_file())
        return {p.relative_to(root): p.read_bytes() for p in files}

    return content(one) == content(other)


def test_a_reference_gives_a_checked_path_and_an_input_edge(logged, folder):
    for ref in ("mlp", "mlp:v0", "mlp:good", "mlp:latest"):
        path = logged.use_artifact(ref)
        assert (path.name, path.read_bytes()) == ("mlp.pt", b"weights")
    assert same(logged.use_artifact("data"), folder)
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    logged.record()
    edges = logged.store.artifact_uses(run=logged.id, role="input")
    assert [(edge.name, edge.version) for edge in edges] == [("mlp", 0), ("data", 0)]


def test_another_run_uses_what_a_process_before_it_logged(logged, folder):
    logged.finish()
    with nbtrack.start("reader") as reader:
        reader.use_artifact("data:v0")
    who = [(u.run_name, u.role) for u in logged.store.artifact_uses(role="input")]
    assert who == [("reader", "input")]


def test_a_copy_that_was_changed_is_made_anew(logged, folder):
    path = logged.use_artifact("mlp")
    path.chmod(0o600)
    path.write_bytes(b"WEIGHTS")
    assert logged.use_artifact("mlp").read_bytes() == b"weights"
    used = logged.use_artifact("data")
    (used / "extra").write_text("not ours")
    assert same(logged.use_artifact("data"), folder)
    (used / "a.txt").unlink()
    assert same(logged.use_artifact("data"), folder)
    assert [p.name for p in used.parent.glob(".nbtrack-*")] != []  # put aside, not lost


def test_files_go_where_they_are_asked_and_overwrite_nothing(logged, folder, tmp_path):
    out = tmp_path / "out"
    assert logged.use_artifact("mlp", path=out / "net.pt").read_bytes() == b"weights"
    assert logged.use_artifact("mlp", path="out") == out / "mlp.pt"
    assert logged.use_artifact("mlp", path="out") == out / "mlp.pt"  # there already
    (out / "net.pt").write_text("mine")
    with pytest.raises(ArtifactError, match=r"net\.pt is there already"):
        logged.use_artifact("mlp", path=out / "net.pt")
    assert (out / "net.pt").read_text() == "mine"
    assert same(logged.use_artifact("data", path="copy"), folder)
    assert same(logged.use_artifact("data", path="copy"), folder)
    (tmp_path / "copy" / "mine").write_text("mine")
    with pytest.raises(ArtifactError, match="is there already"):
        logged.use_artifact("data", path="copy")
    (tmp_path / "void").mkdir()
    assert same(api.get("data", "void"), folder)
    assert [p for p in tmp_path.iterdir() if p.name.startswith(".nbtrack-")] == []


def test_a_flipped_byte_is_refused_and_verify_names_the_file(logged, folder):
    for name, file in (("mlp", "mlp.pt"), ("data", "sub/b.bin")):
        blobs = logged.store.path / "blobs"
        pattern = "packs/*" if name == "data" else f"*/{api.find(name).digest}"
        [place] = blobs.glob(pattern)
        place.chmod(0o600)
        content = bytearray(place.read_bytes())
        content[len(content) // 2] ^= 1
        place.write_bytes(content)
        with pytest.raises(ArtifactError, match=r"cannot be used.*verify"):
            logged.use_artifact(name)
        found = api.verify(name)
        assert not found
        assert [problem.path for problem in found.problems] == [file]
        assert f"{name}:v0 {file}" in repr(found)
    assert {p.ref for p in api.verify().problems} == {"mlp:v0", "data:v0"}
    assert [p for p in (logged.store.path / "cache").rglob("*") if p.is_file()] == []


def test_a_missing_file_is_named_by_verify(logged):
    logged.store.file_path(api.find("mlp").digest).unlink()
    assert [problem.path for problem in api.verify("mlp").problems] == ["mlp.pt"]
    with pytest.raises(ArtifactError, match="cannot be used"):
        api.get("mlp")


def test_what_was_given_up_is_said(logged):
    with pytest.raises(ArtifactError, match="alias 'good'"):
        api.delete("mlp:v0")
    api.unalias("mlp:good")
    api.delete("mlp:v0")
    with pytest.raises(ArtifactError, match="gone: deleted"):
        logged.use_artifact("mlp:v0")
    with pytest.raises(ArtifactError, match="are gone"):
        api.verify("mlp:v0")
    with pytest.raises(ArtifactNotFoundError, match="given up"):
        logged.use_artifact("mlp")


@pytest.mark.parametrize(
    ("ref", "named"),
    [("mpl", "Did you mean mlp"), ("mlp:goood", "Did you mean good"), ("mlp:v7", "v0")],
)
def test_an_unknown_reference_is_an_error_with_a_hint(logged, ref, named):
    with pytest.raises(ArtifactNotFoundError, match=named):
        logged.use_artifact(ref)


HOSTILE = [
    "../a", "a/../../b", "/etc/passwd", "a//b", "", ".", "..", "a/.",
    "..\\a", "C:\\a", "a/..", "//host/a",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_in_a_store_leads_outside(run, folder, tmp_path, name):
    """Stores come from others: a manifest is data, not a place to write to."""
    kept = run.store.put_bytes(b"x")
    event = {"name": "bad", "type": "file", "files": [
        ["good", kept.digest, 1, None, None], [name, kept.digest, 1, None, None],
    ]}  # fmt: skip
    run.store.keep_artifact(event)
    before = sorted(tmp_path.rglob("*"))
    for path in (None, tmp_path / "out", tmp_path / "deep" / "out"):
        with pytest.raises(ArtifactError, match="leads out of"):
            run.use_artifact("bad", path=path)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_name_that_ends_in_its_middle_is_refused():
    with pytest.raises(ArtifactError, match="leads out of"):
        using.refuse_outside("a\0b")


def test_a_file_that_is_a_folder_too_is_an_error_and_leaves_nothing(run, folder):
    kept = run.store.put_bytes(b"x")
    rows = [[name, kept.digest, 1, None, None] for name in ("a", "a/b")]
    run.store.keep_artifact({"name": "bad", "type": "file", "files": rows})
    with pytest.raises(StoreError, match="cannot be copied"):
        run.use_artifact("bad")
    assert list((run.store.path / "cache" / "artifacts").iterdir()) == []


def test_a_link_in_the_place_of_a_copy_is_not_followed(logged, folder, tmp_path):
    path = logged.use_artifact("mlp")
    target = tmp_path / "elsewhere"
    target.write_bytes(b"weights")
    path.unlink()
    path.symlink_to(target)
    again = logged.use_artifact("mlp")
    assert not again.is_symlink()
    assert target.read_bytes() == b"weights"


def test_a_full_disk_leaves_no_copy(logged, folder, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(using, "_write", full)
    with pytest.raises(StoreError, match="No space left"):
        logged.use_artifact("data")
    assert list((logged.store.path / "cache" / "artifacts").iterdir()) == []
