"""References: nothing is copied, and what has changed where it lies is said."""

import http.server
import threading
from functools import partial

import pytest

from nbtrack.errors import ArtifactError, MissingExtraError
from nbtrack.tracking.artifacts import api, references

pytestmark = pytest.mark.usefixtures("plain_surroundings")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = tmp_path / "my data"
    (made / "sub").mkdir(parents=True)
    (made / "a.csv").write_text("x\n1\n")
    (made / "sub" / "b.csv").write_text("x\n2\n")
    return made


def no_blobs(run):
    return [p for p in (run.store.path / "blobs").rglob("*") if p.is_file()] == []


def test_a_local_file_is_known_by_its_sha_and_used_where_it_is(run, folder):
    file = folder / "a.csv"
    logged = run.log_artifact(file.as_uri(), aliases="raw")
    assert (logged.ref, logged.record().type) == ("a:v0", "dataset")
    [row] = api.files("a").to_dict("records")
    assert (row["uri"], row["size_bytes"], len(row["digest"])) == (
        file.as_uri(), 4, 64,
    )  # fmt: skip
    assert no_blobs(run)
    assert run.use_artifact("a:raw") == file
    assert run.use_artifact("a", path="copy.csv").read_text() == "x\n1\n"
    file.write_text("x\n9\n")
    with pytest.raises(ArtifactError, match=r"changed since it was logged.*sha256"):
        run.use_artifact("a")
    assert [p.path for p in api.verify("a").problems] == ["a.csv"]
    assert run.log_artifact(file.as_uri()).ref == "a:v1"
    file.unlink()
    with pytest.raises(ArtifactError, match=r"nothing at .* any more"):
        run.use_artifact("a")


def test_a_local_folder_is_a_reference_too(run, folder):
    run.log_artifact(folder.as_uri(), "data")
    assert api.files("data")["path"].tolist() == ["a.csv", "sub/b.csv"]
    assert (run.use_artifact("data"), no_blobs(run)) == (folder, True)
    (folder / "sub" / "b.csv").write_text("longer than before")
    with pytest.raises(ArtifactError, match=r"b\.csv has changed.*bytes"):
        run.use_artifact("data")


class Handler(http.server.BaseHTTPRequestHandler):
    def __init__(self, content, *args):
        self.content = content
        super().__init__(*args)

    def do_HEAD(self):
        body, etag = self.content.get(self.path, (None, None))
        self.send_response(404 if body is None else 200)
        if body is not None:
            self.send_header("Content-Length", str(len(body)))
        if etag:
            self.send_header("ETag", etag)
        self.end_headers()
        return body

    def do_GET(self):
        self.wfile.write(self.do_HEAD() or b"")

    def log_message(self, *_):
        """Keep still."""


@pytest.fixture
def web():
    """A server of this machine; what it serves, and where."""
    content = {}
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Handler, content)
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield content, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_address_with_an_etag_is_copied_only_when_used(run, web):
    content, home = web
    content["/data/a.csv"] = (b"x\n1\n", '"one"')
    run.log_artifact(f"{home}/data/a.csv")
    [row] = api.files("a").to_dict("records")
    assert (row["etag"], row["digest"], row["size_bytes"]) == ('"one"', None, 4)
    assert no_blobs(run)
    path = run.use_artifact("a")
    assert (path.name, path.read_bytes()) == ("a.csv", b"x\n1\n")
    path.chmod(0o600)
    path.write_bytes(b"x\n7\n")  # damaged here: copied anew
    assert run.use_artifact("a").read_bytes() == b"x\n1\n"
    content["/data/a.csv"] = (b"x\n2\n", '"two"')
    assert run.use_artifact("a").read_bytes() == b"x\n1\n"  # that version, kept here
    with pytest.raises(ArtifactError, match=r"etag was .*one.*is .*two"):
        run.use_artifact("a", path="fresh.csv")
    assert [p.path for p in api.verify("a").problems] == ["a.csv"]
    assert run.log_artifact(f"{home}/data/a.csv").ref == "a:v1"
    content.clear()
    with pytest.raises(ArtifactError, match="any more"):
        run.use_artifact("a:v1")


def test_without_an_etag_the_content_tells(run, web):
    content, home = web
    content["/a.csv"] = (b"x\n1\n", None)
    run.log_artifact(f"{home}/a.csv")
    assert api.files("a")["digest"][0] is not None
    content["/a.csv"] = (b"x\n2\n", None)
    with pytest.raises(ArtifactError, match="sha256 was"):
        run.use_artifact("a")
    cache = run.store.path / "cache" / "artifacts"
    assert [p for p in cache.rglob("*") if p.is_file()] == []


def test_an_address_without_anything_is_a_mistake_and_a_dead_server_is_not(
    run, web, capsys
):
    _, home = web
    with pytest.raises(FileNotFoundError, match="There is nothing at"):
        run.log_artifact(f"{home}/none.csv")
    logged = run.log_artifact("http://127.0.0.1:9/a.csv")
    assert not logged.is_kept
    assert "Connection refused" in logged.why
    assert "was not kept" in capsys.readouterr().err


@pytest.mark.parametrize(
    "uri",
    [
        "https://me:secret@host/a.csv",
        "https://host/a.csv?X-Amz-Signature=abc",
        "s3://key:secret@bucket/a.csv",
        "https://host/a.csv?token=hf_abcdefghijklmnopqrstuvwx",
    ],
)
def test_an_address_with_a_secret_in_it_is_refused(run, uri):
    with pytest.raises(ArtifactError, match="holds a password, token") as found:
        run.log_artifact(uri)
    assert "secret" not in str(found.value)


def test_what_fsspec_knows_is_read_through_it(run):
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    memory.pipe({"/nb/a.csv": b"x\n1\n", "/nb/sub/b.csv": b"x\n2\n"})
    try:
        run.log_artifact("memory://nb", "data")
        assert api.files("data")["path"].tolist() == ["a.csv", "sub/b.csv"]
        used = run.use_artifact("data")
        assert (used / "sub" / "b.csv").read_bytes() == b"x\n2\n"
        assert run.use_artifact("data") == used
        memory.pipe("/nb/a.csv", b"x\n9\n")
        with pytest.raises(ArtifactError, match="sha256 was"):
            run.use_artifact("data", path="again")
        with pytest.raises(FileNotFoundError):
            run.log_artifact("memory://nb/none")
        with pytest.raises(ArtifactError, match="cannot be read"):
            run.log_artifact("nonsense://a/b")
    finally:
        memory.rm("/nb", recursive=True)


def test_a_missing_package_names_the_extra(run, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingExtraError, match=r'pip install "nbtrack\[remote\]"'):
        run.log_artifact("s3://bucket/a.csv")


def test_an_address_of_another_machine_is_no_file_here(run):
    with pytest.raises(ArtifactError, match="file:///absolute/path"):
        run.log_artifact("file://host/a.csv")
    assert references.local_path("https://host/a") is None


@pytest.fixture
def bucket(monkeypatch):
    """A bucket behind a real S3 interface on this machine; puts a file into it."""
    pytest.importorskip("s3fs")
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    import boto3
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    client = boto3.client("s3")
    client.create_bucket(Bucket="data-of-ours")
    yield lambda key, body: client.put_object(Bucket="data-of-ours", Key=key, Body=body)
    client.close()
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_objects_in_s3_are_known_by_etag(run, bucket):
    bucket("data/a.csv", b"x\n1\n")
    bucket("data/sub/b.csv", b"x\n2\n")
    run.log_artifact("s3://data-of-ours/data/a.csv")
    run.log_artifact("s3://data-of-ours/data", "data")
    [row] = api.files("a").to_dict("records")
    assert (row["uri"], row["digest"], len(row["etag"])) == (
        "s3://data-of-ours/data/a.csv", None, 32,
    )  # fmt: skip
    assert api.files("data")["path"].tolist() == ["a.csv", "sub/b.csv"]
    assert no_blobs(run)
    assert run.use_artifact("a").read_bytes() == b"x\n1\n"
    assert (run.use_artifact("data") / "sub" / "b.csv").read_bytes() == b"x\n2\n"
    assert api.verify("data")
    bucket("data/sub/b.csv", b"x\n3\n")
    assert [p.path for p in api.verify("data").problems] == ["sub/b.csv"]
    with pytest.raises(ArtifactError, match="etag was"):
        run.use_artifact("data", path="fresh")
    assert run.log_artifact("s3://data-of-ours/data", "data").ref == "data:v1"
    with pytest.raises(FileNotFoundError):
        run.log_artifact("s3://data-of-ours/none.csv")
