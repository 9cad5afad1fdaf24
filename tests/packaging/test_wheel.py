"""What is in the wheel and the sdist: all that is needed, nothing else, and small."""

from __future__ import annotations

import json
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest

import nbtrack

ROOT = Path(__file__).parents[2]
WHEEL_MAX_BYTES = 2_000_000
PANELS = ("uplot", "panel", "compare", "sweep")
SDIST_MAX_BYTES = 5 * 2**20
EXTENSION_MAX_GZ_BYTES = 300_000
DATA = f"nbtrack-{nbtrack.__version__}.data/data/"
INFO = f"nbtrack-{nbtrack.__version__}.dist-info/"
EXTENSION = f"{DATA}share/jupyter/labextensions/nbtrack/"
# Nothing else has been thought of; a new kind is a decision.
KINDS = {
    "nbtrack/": {".py", ".js", ".json"},
    EXTENSION: {".js", ".json"},
}
SINGLE = {
    "nbtrack/py.typed",
    f"{DATA}etc/jupyter/jupyter_server_config.d/nbtrack.json",
    *(f"{INFO}{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt")),
    f"{INFO}licenses/LICENSE",
}
BUILT = ("nbtrack/labextension/", "nbtrack/notebook/static/")

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(600)]


@pytest.fixture
def in_wheel(wheel) -> dict[str, int]:
    """The names in the wheel, and how much each takes there."""
    with zipfile.ZipFile(wheel) as archive:
        return {one.filename: one.compress_size for one in archive.infolist()}


@pytest.fixture
def in_sdist(sdist) -> set[str]:
    """The names in the sdist, without the folder that they are all in."""
    with tarfile.open(sdist) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


def is_foreseen(name: str) -> bool:
    kinds = [kinds for place, kinds in KINDS.items() if name.startswith(place)]
    return name in SINGLE or any(PurePosixPath(name).suffix in k for k in kinds)


def test_the_wheel_and_the_sdist_are_small(wheel, sdist):
    assert wheel.stat().st_size <= WHEEL_MAX_BYTES
    assert sdist.stat().st_size <= SDIST_MAX_BYTES


def test_the_wheel_has_no_file_of_a_kind_that_is_not_foreseen(in_wheel):
    assert [name for name in in_wheel if not is_foreseen(name)] == []
    assert in_wheel.keys() >= SINGLE


def test_the_wheel_has_each_module_of_the_package_and_no_test(in_wheel, sources):
    modules = {n for n in sources if n.startswith("nbtrack/") and n.endswith(".py")}
    assert {name for name in in_wheel if name.endswith(".py")} == modules


def test_the_wheel_carries_both_front_ends_and_they_are_small(in_wheel):
    bundle = [n for n in in_wheel if n.startswith(EXTENSION) and n.endswith(".js")]
    panels = {f"nbtrack/notebook/static/{n}.js" for n in PANELS}
    assert panels <= in_wheel.keys()
    assert f"{EXTENSION}install.json" in in_wheel
    assert not any(name.startswith("nbtrack/labextension/") for name in in_wheel)
    # Deflate, as in gzip.
    assert 0 < sum(in_wheel[name] for name in bundle) <= EXTENSION_MAX_GZ_BYTES


def test_the_wheel_names_no_folder_of_who_built_it(wheel, tmp_path_factory):
    places = {str(tmp_path_factory.getbasetemp()), str(ROOT), str(Path.home())}
    with zipfile.ZipFile(wheel) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    told = [name for name, text in texts.items() if any(p in text for p in places)]
    assert told == []


def test_the_sdist_is_the_checkout_and_the_built_front_end(in_sdist, sources):
    more = in_sdist - set(sources)
    assert set(sources) - in_sdist == set()
    assert {n for n in more if not n.startswith(BUILT)} == {"PKG-INFO"}
    assert "nbtrack/labextension/static/style.js" in more
    assert "nbtrack/notebook/static/panel.js" in more


def test_the_extension_of_the_wheel_has_its_version(wheel):
    with zipfile.ZipFile(wheel) as archive:
        package = json.loads(archive.read(f"{EXTENSION}package.json"))
    assert package["version"] == nbtrack.__version__
    assert package["jupyterlab"]["_build"]["load"].startswith("static/remoteEntry.")
