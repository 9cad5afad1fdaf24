"""Checks this bundle with nothing but Python (3.9 or later): no nbtrack, no network.

    python verify.py [FILE.nbt.zip | FOLDER]

Is it whole? Could it run here? Is its data there? It reads and compares: it runs none
of what the bundle holds, unpickles none of it and writes nothing. It ends with 0 where
all is intact, 1 where something was changed or is missing, 2 where it is no bundle.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import stat
import sys
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable
from importlib import metadata
from typing import IO, Any

LISTING = "MANIFEST.sha256"
MAX_MEMBERS, MAX_BYTES, MAX_RATIO, MAX_TEXT = 10_000, 2 << 30, 200, 10_000_000
PLAIN = (0, stat.S_IFREG)
LINE = re.compile(r"([0-9a-f]{64})  (0|[1-9][0-9]{0,11})  (.+)")
BAD_PART = re.compile(r"\.{0,2}|[A-Za-z]:.*|.*[. ]", re.DOTALL)
TROUBLE = (OSError, ValueError, TypeError, KeyError, AttributeError, RuntimeError)
TROUBLE = (*TROUBLE, EOFError, MemoryError, zipfile.BadZipFile, zlib.error)  # type: ignore[assignment]


def need(is_so: bool, what: str) -> None:
    """End with what is wrong, unless it is so."""
    if not is_so:
        raise ValueError(what)


def check_names(names: Iterable[str]) -> None:
    """Names that are one place anywhere, each of another file."""
    folded = set()
    for name in names:
        kinds = {unicodedata.category(char) for char in name}
        is_bad = kinds & {"Cc", "Cs", "Zl", "Zp"} or "\\" in name
        is_bad = is_bad or any(map(BAD_PART.fullmatch, name.split("/")))
        key = unicodedata.normalize("NFC", name).casefold()
        need(not is_bad and key not in folded, f"the name {name!r} is not allowed")
        folded.add(key)


def open_zip(path: str) -> tuple[dict[str, int], Callable[[str], IO[bytes]]]:
    """Sizes of the members by name, and what opens one."""
    file = zipfile.ZipFile(path)
    infos = {info.orig_filename: info for info in file.infolist()}
    need(len(infos) == len(file.infolist()) <= MAX_MEMBERS, "too many members")
    check_names(infos)
    at = n_names = 0
    for name, info in sorted(infos.items(), key=lambda item: item[1].header_offset):
        kind = stat.S_IFMT(info.external_attr >> 16)
        is_odd = info.external_attr & 0x10 or info.flag_bits & ~0x800 or info.extra
        is_odd = is_odd or info.compress_type not in (0, 8) or kind not in PLAIN
        need(not is_odd, f"{name!r} is no plain member")
        is_bomb = info.file_size > MAX_RATIO * info.compress_size
        need(info.header_offset == at and not is_bomb, f"{name!r} hides something")
        at += 30 + len(name.encode()) + info.compress_size
        n_names += 46 + len(name.encode())
    need(at == file.start_dir, "something lies before the directory")
    need(at + n_names + 22 == os.path.getsize(path), "something lies at the end")
    return {n: i.file_size for n, i in infos.items()}, lambda n: file.open(infos[n])


def open_folder(path: str) -> tuple[dict[str, int], Callable[[str], IO[bytes]]]:
    """The same of a bundle that was unpacked."""
    sizes = {}
    for folder, folders, files in os.walk(path):
        for name in folders + files:
            found = os.path.join(folder, name)
            inside = os.path.relpath(found, path).replace(os.sep, "/")
            info = os.lstat(found)
            if not stat.S_ISDIR(info.st_mode):
                need(stat.S_ISREG(info.st_mode), f"{inside!r} is no plain file")
                sizes[inside] = info.st_size
    need(len(sizes) <= MAX_MEMBERS, "too many members")
    check_names(sizes)
    return sizes, lambda name: open(os.path.join(path, name), "rb")


def digest_of(file: IO[bytes]) -> str:
    """The sha256 of what is in a file, read in pieces."""
    digest = hashlib.sha256()
    with file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()


def read_listing(content: bytes) -> dict[str, tuple[str, int]]:
    """What MANIFEST.sha256 says of each member."""
    lines = content.decode("utf-8").split("\n")[:-1]
    found = {m[3]: (m[1], int(m[2])) for m in map(LINE.fullmatch, lines) if m}
    need(len(found) == len(lines), f"{LISTING} has a line that is none, or one twice")
    check_names([LISTING, *found])
    return found


def environment(packages: dict[str, Any]) -> list[str]:
    """EXACT, COMPATIBLE or MISSING, and a sentence for each difference."""
    here, had = platform.python_version(), packages["python"]
    said = [f"Python is {here} here, the run had {had}"] if here != had else []
    is_other = here.split(".")[:2] != had.split(".")[:2]
    missing, differing = (said, []) if is_other else ([], said)
    for package in packages["packages"]:
        name, had = package["name"], package["version"]
        try:
            here = metadata.version(name) if package["group"] == "run" else had
            if here != had:
                differing.append(f"{name} is {here} here, the run had {had}")
        except metadata.PackageNotFoundError:
            missing.append(f"{name} {had} is not installed")
    state = "MISSING" if missing else "COMPATIBLE" if differing else "EXACT"
    return [state, *missing, *differing]


def data_state(row: Any, listed: Any, bad: dict[str, str]) -> str:
    """PRESENT, FETCHABLE, PRIVATE, CHANGED or MISSING."""
    path, member, digest = row["path"], row["member"], row["sha256"]
    if row["policy"] == "private":
        return "PRIVATE"
    is_folder = row["role"] == "folder" and (member or digest) is None
    if row["policy"] == "embed":
        if member not in listed or member in bad:
            is_changed = bad.get(member) == "tampered"
            return "CHANGED" if is_changed else "PRESENT" if is_folder else "MISSING"
        return "PRESENT" if digest in (None, listed[member][0]) else "CHANGED"
    if not os.path.isfile(path):
        is_here = is_folder and os.path.isdir(path)
        return "PRESENT" if is_here else "FETCHABLE" if row["url"] else "MISSING"
    with open(path, "rb") as file:
        return "PRESENT" if digest_of(file) == digest else "CHANGED"


def check(path: str) -> list[str]:
    """What is found of a bundle, as lines; the first one ends with the state."""
    sizes, opener = (open_folder if os.path.isdir(path) else open_zip)(path)
    is_small = sum(sizes.values()) <= MAX_BYTES and sizes.get(LISTING, 0) < MAX_TEXT
    need(is_small and LISTING in sizes, f"there is no {LISTING}, or too much")
    with opener(LISTING) as file:
        listing = file.read()
    listed = read_listing(listing)
    there = sizes.keys() - {LISTING}
    bad = dict.fromkeys(listed.keys() - there, "missing")
    bad.update(dict.fromkeys(there - listed.keys(), "extra"))
    for name in there & listed.keys():
        try:
            found = digest_of(opener(name)), sizes[name]
        except TROUBLE:
            found = "", -1
        if found != listed[name]:
            bad[name] = "tampered"

    def sound(name: str, default: str) -> Any:
        if name in bad or name not in listed:
            return json.loads(default)
        need(listed[name][1] <= MAX_TEXT, f"{name} is too long")
        with opener(name) as file:
            return json.loads(file.read().decode("utf-8"))

    manifest = sound("manifest.json", '{"run": {"name": "unknown"}, "slice": {}}')
    state = "INCOMPLETE" if set(bad.values()) == {"missing"} else "TAMPERED"
    state, id_ = state if bad else "INTACT", hashlib.sha256(listing).hexdigest()[:12]
    lines = [f"bundle {id_}, run {manifest['run']['name']}: {state}"]
    for what in ("tampered", "missing", "extra"):
        lines += [f"  {what}: {name}" for name in sorted(bad) if bad[name] == what]
    packages = sound("env/packages.json", "null")
    lost = ["MISSING", "env/packages.json is missing or was changed"]
    first, *why = lost if packages is None else environment(packages)
    lines += [f"environment: {first}", *(f"  {said}" for said in why)]
    files = sound("data/inputs.json", '{"files": []}')["files"]
    lines.append(f"data: {len(files) or 'no'} file{'s'[: len(files) != 1]}")
    lines += [f"  {data_state(row, listed, bad)} {row['path']}" for row in files]
    return [*lines, f"proof: {manifest['slice'].get('proof') or 'unknown'}"]


def main(arguments: list[str]) -> int:
    """Check what is named, by default the folder that this file is in."""
    path = arguments[0] if arguments else os.path.dirname(os.path.abspath(__file__))
    try:
        lines = check(path)
    except TROUBLE as exc:
        sys.stdout.write(f"no bundle: {exc!a}\n")
        return 2
    for line in lines:
        sys.stdout.write(line.encode("unicode_escape").decode("ascii") + "\n")
    return 0 if lines[0].endswith(": INTACT") else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
