"""Checks this bundle with nothing but Python (3.9 or later): no nbtrack, no network.

    python verify.py [FILE.nbt.zip | FOLDER]

Is it whole? Could it run here? Is its data there? It reads and compares: it runs none
of what the bundle holds, unpickles none of it and writes nothing. It ends with 0 where
all is intact, 1 where something was changed or is missing, 2 where it is no bundle.
"""

import hashlib
import json
import os
import platform
import re
import stat
import struct
import sys
import zlib
from contextlib import suppress
from importlib import metadata
from typing import Any
from unicodedata import normalize

LISTING = "MANIFEST.sha256"
MAX_MEMBERS, MAX_BYTES, MAX_RATIO, MAX_TEXT = 10_000, 2 << 30, 200, 10_000_000
LINE = re.compile(r"([0-9a-f]{64})  (0|[1-9][0-9]{0,11})  (.+)\n")
BAD = re.compile("[\\\\\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
BAD_PART = re.compile(rb"\.{0,2}|[A-Za-z]:.*|.*[. ]|.{256,}", re.DOTALL)
TROUBLE = (OSError, ValueError, TypeError, KeyError, AttributeError, RuntimeError)
TROUBLE = (*TROUBLE, MemoryError, zlib.error, struct.error)  # type: ignore[assignment]


def need(is_so: bool, what: str) -> None:
    """End with what is wrong, unless it is so."""
    if not is_so:
        raise ValueError(what)


def check_names(names: Any) -> None:
    """Names that are one place anywhere, each of another file."""
    files, folders = set[str](), set[str]()
    for name in names:
        parts = name.encode().split(b"/")
        is_bad = BAD.search(name) or any(map(BAD_PART.fullmatch, parts))
        key = normalize("NFC", normalize("NFC", name).casefold())
        is_bad = is_bad or key in files or len(name.encode()) > 1_000 or len(parts) > 32
        need(not is_bad, f"the name {name!r} is not allowed")
        files.add(key)
        folders.update(key.rsplit("/", n)[0] for n in range(1, len(parts)))
    need(not files & folders, "a file is also a folder")


def read(member: Any, *, keep: bool = True) -> tuple[str, bytes]:
    """The sha256 and, where it is kept, the content; refuses what is not as told."""
    size, crc, path, at, left, method = member
    digest, inflater, found, kept = hashlib.sha256(), zlib.decompressobj(-15), 0, []
    with open(path, "rb") as file:
        file.seek(at)
        while left:
            packed = file.read(min(left, 1 << 16))
            piece = inflater.decompress(packed) if method else packed
            size, left = size - len(piece), left - len(packed)
            need(packed != b"" and size >= 0, "it is longer or shorter than it says")
            found = zlib.crc32(piece, found)
            digest.update(piece)
            kept += [piece] if keep else []
    is_whole = not method or (inflater.eof and not inflater.unused_data)
    need(is_whole and size == 0 and crc in (None, found), "it is not what it says")
    return digest.hexdigest(), b"".join(kept)


def open_zip(path: str) -> dict[str, Any]:
    """The members by name; every byte around them is as the format says."""
    members, directory, at = dict[str, Any](), [], 0
    with open(path, "rb") as file:
        while file.read(4) == b"PK\3\4" and len(members) <= MAX_MEMBERS:
            *facts, n_extra = struct.unpack("<5H3L2H", file.read(26))
            raw, method, (crc, packed, size) = file.read(facts[8]), facts[2], facts[5:8]
            name, flags = raw.decode("utf-8"), 0 if raw.isascii() else 0x800
            is_fine = facts[:5] == [20, flags, method, 0, 0x21] and method in (0, 8)
            is_fine = is_fine and size <= MAX_RATIO * packed and name not in members
            need(is_fine and n_extra == 0, f"{name!r} is no plain member")
            entry = struct.pack("<4s6H3L", b"PK\1\2", 3 << 8 | 20, *facts[:8])
            entry += struct.pack("<5H2L", facts[8], 0, 0, 0, 0, 0o100644 << 16, at)
            directory.append(entry + raw)
            at += 30 + len(raw) + packed
            members[name] = (size, crc, path, at - packed, packed, method)
            file.seek(at)
        n, end = len(members), b"".join(directory)
        end += struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, n, n, len(end), at, 0)
        file.seek(at)
        need(file.read(len(end) + 1) == end, "it does not end as a bundle does")
    return members


def open_folder(path: str) -> dict[str, Any]:
    """The same of a bundle that was unpacked."""
    members = {}
    for folder, folders, files in os.walk(path):
        for found in (os.path.join(folder, name) for name in folders + files):
            size, kind = os.lstat(found).st_size, stat.S_IFMT(os.lstat(found).st_mode)
            need(kind in (stat.S_IFREG, stat.S_IFDIR), f"{found!r} is no plain file")
            if kind == stat.S_IFREG:
                inside = os.path.relpath(found, path).replace(os.sep, "/")
                members[inside] = (size, None, found, 0, size, 0)
    return members


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
    is_folder = row["role"] == "folder" and (member or digest) is None
    if row["policy"] == "private":
        return "PRIVATE"
    if row["policy"] == "embed":
        if member in listed and member not in bad:
            return "PRESENT" if digest in (None, listed[member][0]) else "CHANGED"
        is_changed = bad.get(member) == "tampered"
        return "CHANGED" if is_changed else "PRESENT" if is_folder else "MISSING"
    if not os.path.isfile(path):
        is_here = is_folder and os.path.isdir(path)
        return "PRESENT" if is_here else "FETCHABLE" if row["url"] else "MISSING"
    size = os.path.getsize(path)
    found = read((size, None, path, 0, size, 0), keep=False)[0]
    return "PRESENT" if found == digest else "CHANGED"


def check(path: str) -> list[str]:
    """What is found of a bundle, as lines; the first one ends with the state."""
    members = (open_folder if os.path.isdir(path) else open_zip)(path)
    is_small = sum(member[0] for member in members.values()) <= MAX_BYTES
    is_small = is_small and members[LISTING][0] <= MAX_TEXT
    need(is_small and len(members) <= MAX_MEMBERS, "it holds too much")
    check_names(members)
    id_, listing = read(members.pop(LISTING))
    listed = {m[3]: (m[1], int(m[2])) for m in LINE.finditer(listing.decode("utf-8"))}
    again = "".join(f"{listed[n][0]}  {listed[n][1]}  {n}\n" for n in sorted(listed))
    need(again.encode() == listing, f"{LISTING} is no list of members")
    check_names([LISTING, *listed])
    bad = dict.fromkeys(listed.keys() - members.keys(), "missing")
    bad.update(dict.fromkeys(members.keys() - listed.keys(), "extra"))
    for name in members.keys() & listed.keys():
        with suppress(*TROUBLE):
            if (read(members[name], keep=False)[0], members[name][0]) == listed[name]:
                continue
        bad[name] = "tampered"

    def sound(name: str, default: str) -> Any:
        if name in bad or name not in listed:
            return json.loads(default)
        need(listed[name][1] <= MAX_TEXT, f"{name} is too long")
        return json.loads(read(members[name])[1].decode("utf-8"))

    manifest = sound("manifest.json", '{"run": {"name": "unknown"}, "slice": {}}')
    state = "INCOMPLETE" if set(bad.values()) == {"missing"} else "TAMPERED"
    about = f"bundle {id_[:12]}, run {manifest['run']['name']}"
    lines = [f"{about}: {state if bad else 'INTACT'}"]
    for what in ("tampered", "missing", "extra"):
        lines += [f"  {what}: {name}" for name in sorted(bad) if bad[name] == what]
    packages = sound("env/packages.json", "null")
    lost = ["MISSING", "env/packages.json is missing or was changed"]
    first, *why = lost if packages is None else environment(packages)
    files = sound("data/inputs.json", '{"files": []}')["files"]
    lines += [f"environment: {first}", *(f"  {said}" for said in why)]
    lines += [f"data: {len(files) or 'no'} file{'s'[: len(files) != 1]}"]
    lines += [f"  {data_state(row, listed, bad)} {row['path']}" for row in files]
    return [*lines, f"proof: {manifest['slice'].get('proof') or 'unknown'}"]


def main(arguments: list[str]) -> int:
    """Check what is named, by default the folder that this file is in."""
    path = arguments[0] if arguments else os.path.dirname(os.path.abspath(__file__))
    try:
        lines = check(path)
    except TROUBLE as exc:
        lines = [f"no bundle: {exc!r}"]
    sys.stdout.writelines(x.encode("unicode_escape").decode() + "\n" for x in lines)
    return 2 if len(lines) == 1 else 0 if lines[0].endswith(": INTACT") else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
