"""Rows out of a page of a b-tree: cells, what they go on with elsewhere, their values.

A row that is damaged is left out, and its neighbours are read. What SQLite would never
write (a text that is no UTF-8, a chain that ends too early) counts as damage: random
bytes must not become a row.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from nbtrack.store.salvage.pages import DamageError, Pages

TABLE_LEAF, TABLE_NODE, INDEX_LEAF, INDEX_NODE = 13, 5, 10, 2
_HEADER = {TABLE_LEAF: 8, INDEX_LEAF: 8, TABLE_NODE: 12, INDEX_NODE: 12}
_WHOLE = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}  # bytes of a number by its type


@dataclass(frozen=True, slots=True)
class Row:
    """The values of a row as they are kept, and its number in a table with rowids."""

    rowid: int | None
    values: tuple[Any, ...]


@dataclass(slots=True)
class Node:
    """A page of a b-tree: its rows, and the pages under it, in order."""

    rows: list[Row] = field(default_factory=list)
    children: list[int] = field(default_factory=list)
    n_damaged: int = 0  # rows


def read_node(pages: Pages, number: int, *, with_rowid: bool) -> Node:
    """One page of a b-tree; DamageError where it is none of that kind."""
    page = pages.page(number)
    start = 100 if number == 1 else 0
    kind = page[start]
    if kind not in (
        (TABLE_LEAF, TABLE_NODE) if with_rowid else (INDEX_LEAF, INDEX_NODE)
    ):
        raise DamageError(f"page {number} is of another kind")
    node = Node()
    n_cells = int.from_bytes(page[start + 3 : start + 5], "big")
    begin = start + _HEADER[kind]
    if begin + 2 * n_cells > pages.usable:
        raise DamageError(f"page {number} says it has {n_cells} cells")
    for place in struct.unpack(f">{n_cells}H", page[begin : begin + 2 * n_cells]):
        if place < begin + 2 * n_cells or place > pages.usable - 4:
            raise DamageError(f"page {number} has a cell outside of it")
        _read_cell(pages, page, place, kind, node)
    if kind in (TABLE_NODE, INDEX_NODE):
        node.children.append(int.from_bytes(page[start + 8 : start + 12], "big"))
    return node


def _read_cell(pages: Pages, page: bytes, at: int, kind: int, node: Node) -> None:
    if kind in (TABLE_NODE, INDEX_NODE):
        node.children.append(int.from_bytes(page[at : at + 4], "big"))
        at += 4
    if kind == TABLE_NODE:
        return
    try:
        n_bytes, at = _varint(page, at)
        rowid = None
        if kind == TABLE_LEAF:
            rowid, at = _varint(page, at)
            rowid -= (rowid >> 63) << 64
        body = _payload(pages, page, at, n_bytes, is_index=kind != TABLE_LEAF)
        node.rows.append(Row(rowid, tuple(_values(body))))
    except (DamageError, IndexError, UnicodeDecodeError, struct.error):
        node.n_damaged += 1


def _payload(
    pages: Pages, page: bytes, at: int, n_bytes: int, *, is_index: bool
) -> bytes:
    """All of a row, of which a page holds the beginning."""
    usable = pages.usable
    most = (usable - 12) * 64 // 255 - 23 if is_index else usable - 35
    if n_bytes <= most:
        return _slice(page, at, n_bytes)
    least = (usable - 12) * 32 // 255 - 23
    here = least + (n_bytes - least) % (usable - 4)
    here = here if here <= most else least
    if n_bytes > pages.count * usable:
        raise DamageError("a row that is longer than the file")
    parts = [_slice(page, at, here)]
    number = int.from_bytes(_slice(page, at + here, 4), "big")
    left = n_bytes - here
    while left > 0:
        more = pages.page(number)
        number = int.from_bytes(more[:4], "big")
        parts.append(more[4 : 4 + min(left, usable - 4)])
        left -= usable - 4
    if number != 0:
        raise DamageError("a row that goes on behind its end")
    return b"".join(parts)


def _values(body: bytes) -> Iterator[Any]:
    n_header, at = _varint(body, 0)
    place = n_header
    while at < n_header:
        kind, at = _varint(body, at)
        n_bytes = _size_of(kind)
        yield _value(_slice(body, place, n_bytes), kind)
        place += n_bytes
    if at != n_header or place != len(body):
        raise DamageError("a row of another length than it says")


def _size_of(kind: int) -> int:
    if kind >= 12:
        return (kind - 12) // 2
    if kind in (10, 11):
        raise DamageError("a value of no type")
    return 8 if kind == 7 else _WHOLE.get(kind, 0)


def _value(content: bytes, kind: int) -> Any:
    if kind in _WHOLE:
        return int.from_bytes(content, "big", signed=True)
    if kind >= 12:
        return content.decode("utf-8") if kind % 2 else content
    if kind == 7:
        return struct.unpack(">d", content)[0]
    return {0: None, 8: 0, 9: 1}[kind]


def _varint(content: bytes, at: int) -> tuple[int, int]:
    number = 0
    for nth in range(8):
        byte = content[at + nth]
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            return number, at + nth + 1
    return number << 8 | content[at + 8], at + 9


def _slice(content: bytes, at: int, n_bytes: int) -> bytes:
    found = content[at : at + n_bytes]
    if len(found) < n_bytes:
        raise DamageError("a value behind the end")
    return found
