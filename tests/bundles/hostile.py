"""Zip files as nobody should make them, written byte by byte.

`zip_of` writes what it is told, also where it makes no sense; without a change it is a
bundle that opens. `MALFORMED` has one change each.
"""

from __future__ import annotations

import hashlib
import stat
import struct
import zlib
from dataclasses import dataclass, field, replace

from bundles.made import as_json, manifest

LISTING = b"MANIFEST.sha256"
MANIFEST_JSON = as_json(manifest())
LOCAL, CENTRAL, END = "<4s5H3L2H", "<4s6H3L5H2L", "<4s4H2LH"
REGULAR = (stat.S_IFREG | 0o644) << 16


@dataclass(frozen=True)
class Member:
    """A member, and what its two headers say of it where that is not the truth."""

    name: bytes
    content: bytes = b""
    method: int = 0
    flags: int | None = None
    local: dict = field(default_factory=dict)
    central: dict = field(default_factory=dict)
    data: bytes | None = None  # as it lies in the file
    gap: bytes = b""  # before it

    @property
    def packed(self) -> bytes:
        if self.data is not None:
            return self.data
        return deflated(self.content) if self.method == 8 else self.content

    def facts(self) -> dict:
        flags = 0 if self.name.isascii() else 0x800
        return {
            "needs": 20, "flags": flags if self.flags is None else self.flags,
            "method": self.method, "crc": zlib.crc32(self.content),
            "packed": len(self.packed), "size": len(self.content), "name": self.name,
            "extra": b"", "comment": b"", "mark": None, "disk": 0, "external": REGULAR,
            "made_by": 3 << 8 | 20,
        }  # fmt: skip

    def local_bytes(self) -> bytes:
        f = self.facts() | self.local
        head = struct.pack(
            LOCAL, f["mark"] or b"PK\3\4", f["needs"], f["flags"], f["method"], 0, 0x21,
            f["crc"], f["packed"], f["size"], len(f["name"]), len(f["extra"]),
        )  # fmt: skip
        return head + f["name"] + f["extra"] + self.packed

    def central_bytes(self, at: int) -> bytes:
        f = self.facts() | {"at": at} | self.central
        head = struct.pack(
            CENTRAL, f["mark"] or b"PK\1\2", f["made_by"], f["needs"], f["flags"],
            f["method"], 0, 0x21, f["crc"], f["packed"], f["size"], len(f["name"]),
            len(f["extra"]), len(f["comment"]), f["disk"], 0, f["external"], f["at"],
        )  # fmt: skip
        return head + f["name"] + f["extra"] + f["comment"]


def deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


def line_of(name: bytes, content: bytes) -> bytes:
    return b"%s  %d  %s\n" % (
        hashlib.sha256(content).hexdigest().encode(), len(content), name
    )  # fmt: skip


def listing_of(members) -> bytes:
    return b"".join(line_of(m.name, m.content) for m in members)


def bundle_of(*more: Member, listing: bytes | None = None, odd=None) -> list[Member]:
    """Members of a bundle: manifest.json, these, and the list of all."""
    members = [Member(b"manifest.json", MANIFEST_JSON, 8), *more]
    if listing is None:
        listing = listing_of(sorted(members, key=lambda m: m.name))
    return [*members, replace(Member(LISTING, listing), **(odd or {}))]


def zip_of(members, *, prefix=b"", before_directory=b"", after=b"", **end) -> bytes:
    file, directory = bytearray(prefix), bytearray()
    for member in members:
        file += member.gap
        directory += member.central_bytes(len(file))
        file += member.local_bytes()
    file += before_directory
    facts = {
        "disk": 0, "first": 0, "here": len(members), "n": len(members),
        "size": len(directory), "at": len(file), "comment": b"",
    } | end  # fmt: skip
    file += directory
    file += struct.pack(
        END, b"PK\5\6", facts["disk"], facts["first"], facts["here"], facts["n"],
        facts["size"], facts["at"], len(facts["comment"]),
    )  # fmt: skip
    return bytes(file) + facts["comment"] + after


def with_names(*names: str | bytes) -> bytes:
    raw = [name if isinstance(name, bytes) else name.encode() for name in names]
    return zip_of(bundle_of(*(Member(name, b"x") for name in raw)))


def with_one(**changes) -> bytes:
    """With one more member that is odd."""
    return zip_of(bundle_of(Member(b"odd.txt", b"some text", **changes)))


def with_listing(listing: bytes, **odd) -> bytes:
    return zip_of(bundle_of(Member(b"a.txt", b"x"), listing=listing, odd=odd))


GOOD = zip_of(bundle_of(Member(b"a.txt", b"x")))
_LINES = listing_of([Member(b"a.txt", b"x"), Member(b"manifest.json", MANIFEST_JSON)])
_OVERLAP = bundle_of(Member(b"a.txt", b"x"), Member(b"b.txt", b"x", central={"at": 0}))
_TWICE = Member(b"a.txt", b"x")
ZEROS = bytes(50_000_000)

NAMES = {
    "up": ["../a"], "up inside": ["a/../../b"], "absolute": ["/a"], "double": ["a//b"],
    "folder": ["a/"], "here": ["./a"], "here inside": ["a/./b"], "dots": [".."],
    "dot": ["."], "empty": [""], "backslash": ["a\\b"], "up by backslash": ["..\\a"],
    "drive": ["C:/a"], "drive without slash": ["c:a"], "drive inside": ["a/c:b"],
    "NUL": ["a.txt\0.exe"], "line": ["a\nb"], "escape": ["a\x1b[31mb"], "tab": ["a\tb"],
    "delete": ["a\x7fb"], "C1": ["a\x85b"], "bidi": ["a\u202etxt.exe"],
    "line separator": ["a\u2028b"], "trailing dot": ["a."], "trailing space": ["a "],
    "folder with dot": ["a./b"], "folder with space": ["a /b"], "dots as name": ["..."],
    "long part": ["a" * 256], "long": ["/".join(["a" * 100] * 11)],
    "deep": ["/".join("a" * 40)], "long in bytes": ["ä" * 130],
    "case": ["A.txt", "a.txt"], "case of folder": ["A/x", "a/x"],
    "composed": ["\u00e9", "e\u0301"], "sharp s": ["stra\u00dfe", "strasse"],
    "Kelvin": ["K", "\u212a"], "file and folder": ["a", "a/b"],
    "file and folder, deep": ["a/b", "a/b/c/d"],
    "file and folder by case": ["A", "a/b"],
    "the list in small": ["manifest.SHA256"], "no UTF-8": [b"a\xff"],
    "surrogate": [b"a\xed\xa0\x80"],
}  # fmt: skip

MALFORMED: dict[str, bytes] = {
    **{f"name: {what}": with_names(*names) for what, names in NAMES.items()},
    "name: not ASCII, and not said": zip_of(
        bundle_of(Member("ä.txt".encode(), b"x", flags=0))
    ),
    "two members of one name": zip_of(bundle_of(_TWICE, _TWICE)),
    "two lists": zip_of([*bundle_of(), Member(LISTING, b"")]),
    "encrypted": with_one(flags=1),
    "strongly encrypted": with_one(flags=0x41),
    "sizes behind the data": with_one(flags=8),
    "names encrypted": with_one(flags=0x2000),
    "bzip2": with_one(method=12),
    "LZMA": with_one(method=14),
    "Deflate64": with_one(method=9),
    "Zstandard": with_one(method=93),
    "zip64 version": with_one(central={"needs": 45}),
    "zip64 version in its place": with_one(local={"needs": 45}),
    "extra field": with_one(central={"extra": b"UT\5\0\1\0\0\0\0"}),
    "extra field in its place": with_one(local={"extra": b"UT\5\0\1\0\0\0\0"}),
    "zip64 field": with_one(central={"extra": b"\1\0\x10\0" + bytes(16)}),
    "comment of a member": with_one(central={"comment": b"hi"}),
    "member on another disk": with_one(central={"disk": 1}),
    "link": with_one(central={"external": (stat.S_IFLNK | 0o777) << 16}),
    "device": with_one(central={"external": (stat.S_IFCHR | 0o666) << 16}),
    "block device": with_one(central={"external": (stat.S_IFBLK | 0o666) << 16}),
    "pipe": with_one(central={"external": (stat.S_IFIFO | 0o666) << 16}),
    "socket": with_one(central={"external": (stat.S_IFSOCK | 0o666) << 16}),
    "folder by mode": with_one(central={"external": (stat.S_IFDIR | 0o755) << 16}),
    "folder by MS-DOS": with_one(central={"external": 0x10, "made_by": 20}),
    "other system": with_one(central={"made_by": 19 << 8 | 20}),
    "overlap": zip_of(_OVERLAP),
    "quoted overlap": zip_of(
        bundle_of(Member(b"a.txt", b"x"), Member(b"b", b"", central={"at": 10}))
    ),
    "gap": zip_of(bundle_of(Member(b"a.txt", b"x", gap=b"hidden"))),
    "something before the first": zip_of(bundle_of(), prefix=b"#!/bin/sh\n"),
    "something before the directory": zip_of(bundle_of(), before_directory=b"hidden"),
    "something at the end": GOOD + b"hidden",
    "zip behind a zip": GOOD + GOOD,
    "comment": zip_of(bundle_of(), comment=b"hi"),
    "comment that hides an end": zip_of(bundle_of(), comment=GOOD[-22:]),
    "cut": GOOD[:-1],
    "cut in half": GOOD[: len(GOOD) // 2],
    "end alone": GOOD[-22:],
    "start alone": GOOD[:30],
    "part of several disks": zip_of(bundle_of(), disk=1),
    "directory on another disk": zip_of(bundle_of(), first=1),
    "one member more than there": zip_of(bundle_of(), n=3, here=3),
    "one member less than there": zip_of(bundle_of(), n=1, here=1),
    "two counts": zip_of(bundle_of(), n=3),
    "no members": zip_of([]),
    "many members by count": zip_of(bundle_of(), n=0xFFFF, here=0xFFFF),
    "directory before its place": zip_of(bundle_of(), at=0),
    "directory behind the end": zip_of(bundle_of(), at=1 << 31),
    "directory of another size": zip_of(bundle_of(), size=7),
    "zip64 end": zip_of(bundle_of(), n=0xFFFF, here=0xFFFF, at=0xFFFFFFFF),
    "another name in its place": with_one(local={"name": b"ODD.txt"}),
    "longer name in its place": with_one(local={"name": b"odd.txt.exe"}),
    "another crc in its place": with_one(local={"crc": 7}),
    "another size in its place": with_one(local={"size": 7}),
    "another packed size in its place": with_one(local={"packed": 7}),
    "another method in its place": with_one(local={"method": 8}),
    "other flags in its place": with_one(local={"flags": 1}),
    "no header in its place": with_one(local={"mark": b"PK\3\5"}),
    "no entry in the directory": with_one(central={"mark": b"PK\1\3"}),
    "stored with two sizes": with_one(
        central={"size": 7}, local={"size": 7}
    ),
    "bomb": zip_of(bundle_of(Member(b"zeros", ZEROS, 8))),
    "bomb by its word": with_one(
        method=8, central={"size": 1 << 31}, local={"size": 1 << 31}
    ),
    "bomb of nothing": with_one(
        method=8, data=b"",
        central={"size": 1, "packed": 0}, local={"size": 1, "packed": 0},
    ),
    "no list": zip_of([Member(b"manifest.json", MANIFEST_JSON)]),
    "list: no UTF-8": with_listing(b"\xff"),
    "list: no whole line": with_listing(_LINES[:-1]),
    "list: not sorted": with_listing(b"".join(reversed(_LINES.splitlines(True)))),
    "list: a line twice": with_listing(_LINES.splitlines(True)[0] + _LINES),
    "list: large digest": with_listing(_LINES[:64].upper() + _LINES[64:]),
    "list: short digest": with_listing(_LINES[1:]),
    "list: size below 0": with_listing(_LINES.replace(b"  1  ", b"  -1  ")),
    "list: size with zeros": with_listing(_LINES.replace(b"  1  ", b"  01  ")),
    "list: size beyond all": with_listing(_LINES.replace(b"  1  ", b"  99999999999  ")),
    "list: tabs": with_listing(_LINES.replace(b"  ", b"\t")),
    "list: carriage returns": with_listing(_LINES.replace(b"\n", b"\r\n")),
    "list: an empty line": with_listing(b"\n" + _LINES),
    "list: itself": with_listing(line_of(LISTING, b"") + _LINES),
    "list: a name that goes up": with_listing(line_of(b"../x", b"") + _LINES),
    "list: a name of another case": with_listing(line_of(b"A.TXT", b"") + _LINES),
    "list: another crc": with_listing(
        _LINES, central={"crc": 7}, local={"crc": 7}
    ),
    "list: no deflate": with_listing(_LINES, method=8, data=b"\xff" * 40),
    "list: cut": with_listing(_LINES, method=8, data=deflated(_LINES)[:-3]),
    "list: more behind it": with_listing(
        _LINES, method=8, data=deflated(_LINES) + b"x"
    ),
    "list: longer than it says": with_listing(
        _LINES, method=8, central={"size": 9}, local={"size": 9}
    ),
    "empty": b"",
    "text": b"no bundle\n" * 100,
    "a SQLite file": b"SQLite format 3\0" + bytes(4096),
    "a tar": b"a.txt" + bytes(95) + b"0000644\0" + bytes(412),
    "gzip": b"\x1f\x8b\x08\0" + bytes(60),
    "a pickle": b"\x80\x04cos\nsystem\n(S'true'\ntR.",
    "ends alone": b"PK\5\6" * 6,
}  # fmt: skip


def many_members(n: int) -> bytes:
    return zip_of(bundle_of(*(Member(b"m%05d" % k) for k in range(n - 2))))
