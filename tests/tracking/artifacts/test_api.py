"""`nbtrack.artifacts` without a run: lists, files, aliases, deletion."""

import pytest

import nbtrack
from nbtrack.errors import ArtifactError, ArtifactNotFoundError

pytestmark = pytest.mark.usefixtures("plain_surroundings")
artifacts = nbtrack.artifacts


@pytest.fixture
def logged(store_path):
    """A finished run with two versions of `mlp` and one of `data`."""
    with nbtrack.start("base") as run:
        for n in range(2):
            run.log(val_loss=0.5 - n / 10)
            run.log_artifact({"n": n}, "mlp", type="model", aliases=f"try {n}")
        run.log_artifact({"rows": 3}, "data", type="dataset", tags="raw")
    return run


def test_the_list_has_a_row_for_each_version_newest_first(logged):
    table = artifacts.list()
    assert table["ref"].tolist() == ["data:v0", "mlp:v1", "mlp:v0"]
    assert table["aliases"][1] == ["best", "latest", "try 1"]
    assert table["metrics.val_loss"].tolist() == [0.4, 0.4, 0.5]
    assert table["run"].tolist() == [logged.id] * 3
    assert str(table["created_at"].dtype).startswith("datetime64")
    assert artifacts.list(type="dataset")["tags"].tolist() == [{"raw": None}]
    assert artifacts.list("nothing").empty
    assert len(artifacts.files("mlp:v0")) == 1


def test_an_alias_moves_and_is_taken_away(logged):
    artifacts.alias("mlp:v0", "production")
    artifacts.alias("mlp:v1", "production")
    assert artifacts.find("mlp:production").version == 1
    assert "production" not in artifacts.find("mlp:v0").aliases
    assert "production" not in artifacts.unalias("mlp:production").aliases
    for ref in ("mlp", "mlp:"):
        with pytest.raises(ArtifactError, match="names no alias"):
            artifacts.unalias(ref)
    with pytest.raises(ArtifactNotFoundError):
        artifacts.unalias("mlp:production")


def test_a_deleted_version_stays_listed_and_comes_back_with_its_bytes(logged):
    with pytest.raises(ArtifactError, match="does not say which version"):
        artifacts.delete("mlp")
    with pytest.raises(ArtifactError, match="alias 'try 1'"):
        artifacts.delete("mlp:v1")
    artifacts.unalias("mlp:try 1")
    assert artifacts.delete("mlp:v1").gone_why == "deleted"
    assert artifacts.delete("mlp:v1").gone_why == "deleted"  # again: nothing new
    assert artifacts.list("mlp")["gone"].tolist()[0] == "deleted"
    assert artifacts.find("mlp").version == 0
    with nbtrack.start("again") as run:
        assert run.log_artifact({"n": 1}, "mlp").ref == "mlp:v1"
    assert artifacts.find("mlp").gone_at is None


def test_who_changed_what_is_written_down(logged):
    artifacts.alias("mlp:v0", "production")
    last = logged.store.artifact_events(name="mlp")[-1]
    assert (last.what, last.detail) == ("alias", "production")
    assert last.by != ""


def test_all_of_a_store_can_be_verified(logged):
    found = artifacts.verify()
    assert found
    assert (found.ok, found.n_versions, found.n_files) == (True, 3, 3)
    assert repr(found) == "3 files of 3 versions: all whole"


def test_another_store_can_be_named(logged, tmp_path):
    with nbtrack.open(logged.store.path) as store:
        assert artifacts.find("mlp", store=store).version == 1
