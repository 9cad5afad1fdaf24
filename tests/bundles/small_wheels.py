"""Real wheels of a few lines, written by hand: a wheel is a zip with a list in it."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from pathlib import Path

from nbtrack.bundles.environment.inventory import python_facts


def write_wheel(
    folder: Path,
    name: str,
    version: str,
    *,
    requires=(),
    code: str = "",
    scripts=(),
    tag: str = "py3-none-any",
) -> Path:
    """`NAME-VERSION-TAG.whl`, with one module of that name."""
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {line}\n" for line in requires)
    head = f"Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: {tag}\n"
    files = {
        f"{name}.py": code or f"version = {version!r}\n",
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": head,
    }
    if scripts:
        lines = "".join(f"{each} = {name}:main\n" for each in scripts)
        files[f"{info}/entry_points.txt"] = f"[console_scripts]\n{lines}"
    record = "".join(f"{path},{_line(text)}\n" for path, text in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n"
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return wheel


def _line(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    told = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return f"sha256={told},{len(text.encode())}"


def unpack(wheel: Path, place: Path) -> None:
    """Install it, as an installer without notes of its own would."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)


def package(name: str, version: str, wheel: Path | None = None, **told) -> dict:
    """One entry of env/packages.json."""
    known = None
    if wheel is not None:
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        known = {"file": wheel.name, "sha256": digest, "url": None}
    source = {"type": "index", "url": None, "sha256": None, "commit": None}
    return {
        "name": name,
        "version": version,
        "group": "run",
        "loaded": True,
        "source": source | told.pop("source", {}),
        "record_sha256": None,
        "requires": [],
        "wheel": known,
        **told,
    }


def listed(*packages: dict, **told: str) -> dict:
    """The content of env/packages.json, for this Python."""
    return {**python_facts(), **told, "packages": list(packages)}


def set_pip(monkeypatch, folder: Path) -> None:
    """Caches of the test's own, and no index: pip asks nobody."""
    for name in ("PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    monkeypatch.delenv("NBTRACK_OFFLINE", raising=False)
