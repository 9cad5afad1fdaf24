"""Cuts fall where parts begin; wherever they fall, the chunks in a row are the file."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from nbtrack.store.cuts import (
    CHUNK_BYTES,
    LARGE_BYTES,
    LONGEST_CHUNK_BYTES,
    RUN_BYTES,
    cut,
)

RANDOM = np.random.default_rng(0).bytes(8 << 20)
MIB = 1 << 20


def lengths(content: bytes) -> list[int]:
    found = cut(lambda n, start: content[start : start + n], len(content))
    assert sum(found) == len(content)
    assert all(0 < length <= LONGEST_CHUNK_BYTES for length in found)
    return found


def chunks(content: bytes) -> list[bytes]:
    pieces, at = [], 0
    for length in lengths(content):
        pieces.append(content[at : at + length])
        at += length
    return pieces


def shared_bytes(one: bytes, other: bytes) -> int:
    known = set(chunks(one))
    return sum(len(chunk) for chunk in chunks(other) if chunk in known)


def zipped(members: dict[str, bytes], *, packed: bool = False) -> bytes:
    body = io.BytesIO()
    how = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(body, "w", how) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=how)
    return body.getvalue()


def tensors(parts: dict[str, bytes], *, note: str = "") -> bytes:
    """As safetensors lays them out."""
    header: dict[str, object] = {"__metadata__": {"note": note}}
    at = 0
    for name, content in parts.items():
        offsets = [at, at + len(content)]
        header[name] = {"dtype": "U8", "shape": [len(content)], "data_offsets": offsets}
        at += len(content)
    head = json.dumps(header).encode()
    return struct.pack("<Q", len(head)) + head + b"".join(parts.values())


def saved_by_torch(path: Path, history: int, head: int) -> bytes:
    torch = pytest.importorskip("torch")
    made = torch.Generator().manual_seed(1)
    state = {f"{n}.weight": torch.randn(300, 1000, generator=made) for n in range(5)}
    changed = torch.Generator().manual_seed(head)
    state["head.weight"] = torch.randn(100, 1000, generator=changed)
    losses = [{"loss": n / 7} for n in range(history)]
    torch.save({"model": state, "history": losses}, path)
    return path.read_bytes()


def test_a_file_of_no_kind_is_cut_every_mib():
    assert lengths(b"") == []
    assert lengths(RANDOM[:10]) == [10]
    assert lengths(RANDOM[: CHUNK_BYTES + LARGE_BYTES]) == [CHUNK_BYTES, LARGE_BYTES]


def test_a_tail_too_short_for_itself_joins_the_last_chunk():
    assert lengths(RANDOM[: 2 * CHUNK_BYTES + 7]) == [CHUNK_BYTES, CHUNK_BYTES + 7]


def test_checkpoints_of_torch_share_the_weights_that_did_not_change(tmp_path):
    """Each has the name of its file in the head of each tensor."""
    first = saved_by_torch(tmp_path / "epoch-9.pt", 3, head=1)
    second = saved_by_torch(tmp_path / "epoch-10.pt", 2000, head=2)
    assert len(second) - len(first) > 10_000  # the history moved all that follows it
    assert shared_bytes(first, second) >= 5 * 300 * 1000 * 4


def test_arrays_of_an_npz_are_shared_when_another_one_grows():
    def saved(n: int) -> bytes:
        body = io.BytesIO()
        weights = np.frombuffer(RANDOM[: 3 * MIB], np.uint8)
        np.savez(body, history=np.arange(n), weights=weights)
        return body.getvalue()

    assert shared_bytes(saved(10), saved(1777)) >= 3 * MIB


def test_tensors_of_safetensors_are_shared_when_its_header_grows():
    parts = {"a": RANDOM[: 2 * MIB], "b": RANDOM[MIB : 3 * MIB], "c": b"tiny" * 9}
    first, second = tensors(parts), tensors(parts, note="longer" * 100)
    assert shared_bytes(first, second) >= 4 * MIB


def test_small_parts_are_joined_and_one_that_grows_costs_its_own_run():
    small = {f"t{n}": RANDOM[n * 7000 : n * 7000 + 7000] for n in range(600)}
    grown = {"t0": RANDOM[:9000]} | {k: v for k, v in small.items() if k != "t0"}
    first, second = zipped(small), zipped(grown)
    assert len(lengths(first)) < len(first) / RUN_BYTES * 1.1
    assert shared_bytes(first, second) > 0.7 * len(second)


def test_large_parts_between_tiny_ones_do_not_make_thousands_of_chunks():
    parts = {}
    for n in range(40):
        parts |= {f"step{n}": b"1234", f"w{n}": RANDOM[n << 17 : (n + 1) << 17]}
    assert len(lengths(zipped(parts))) <= 2 * 40 + 2


def test_packed_members_are_cut_where_they_begin_too():
    text = b"".join(b"%d " % n for n in range(400_000))
    members = {"text": text, "weights": RANDOM[: 2 * MIB]}
    first = zipped(members, packed=True)
    second = zipped({"new": b"x" * 999} | members, packed=True)
    assert shared_bytes(first, second) >= 2 * MIB


def test_the_suffix_says_nothing_and_the_bytes_all(tmp_path, store):
    weights = {"a": RANDOM[: 2 * MIB], "b": RANDOM[2 * MIB : 4 * MIB]}
    for name, note in (("a.txt", ""), ("b.csv", "note" * 30)):
        (tmp_path / name).write_bytes(tensors(weights, note=note))
    refs = [store.put_file(tmp_path / name) for name in ("a.txt", "b.csv")]
    one, other = (dict(store.chunks_of(ref.digest)) for ref in refs)
    assert sum(one[hash_] for hash_ in one.keys() & other.keys()) == 4 * MIB


def lying_zip(**fields: int) -> bytes:
    """A zip whose end record says something else."""
    body = bytearray(zipped({"a": RANDOM[: 2 * MIB]}))
    places = {"n": (10, "<H"), "length": (12, "<L"), "start": (16, "<L")}
    for name, value in fields.items():
        at, how = places[name]
        struct.pack_into(how, body, len(body) - 22 + at, value)
    return bytes(body)


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04" + RANDOM[: 2 * MIB],
        lying_zip(n=65_535),
        lying_zip(start=0xFFFFFFFE),
        lying_zip(length=0x7FFFFFFF),
        lying_zip(start=5),
        zipped({"a": RANDOM[: 2 * MIB]})[:-30],
        struct.pack("<Q", 1 << 62) + b"{" + RANDOM[: 2 * MIB],
        struct.pack("<Q", 100) + b"{" + RANDOM[: 2 * MIB],
        struct.pack("<Q", 2 * MIB - 8) + b"{" * (2 * MIB),
        tensors({"a": RANDOM[: 2 * MIB]})[:-5],
        tensors({"a": RANDOM[: 2 * MIB]}).replace(b'offsets": [0', b'offsets":[-1'),
        tensors({"a": RANDOM[: 2 * MIB]}).replace(b"data_offsets", b"data_offzets"),
    ],
    ids=range(12),
)  # fmt: skip
def test_a_file_that_lies_about_itself_is_cut_every_mib(content):
    assert set(lengths(content)[:-1]) == {CHUNK_BYTES}


def test_a_zip_with_sizes_of_64_bits_is_understood():
    """Written by hand: a real one has 4 GiB."""
    member = RANDOM[: 2 * MIB]
    name = b"w"
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 45, 0, 0, 0, 0, 0,
                        0xFFFFFFFF, 0xFFFFFFFF, 1, 300)  # fmt: skip
    local += name + b"\0" * 300
    extra = struct.pack("<2H3Q", 1, 24, len(member), len(member), 0)
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 45, 45, 0, 0, 0, 0, 0,
                        0xFFFFFFFF, 0xFFFFFFFF, 1, len(extra), 0, 0, 0, 0,
                        0xFFFFFFFF) + name + extra  # fmt: skip
    start = len(local) + len(member)
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1,
                        len(entry), start)  # fmt: skip
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, start + len(entry), 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF,
                      0xFFFFFFFF, 0xFFFFFFFF, 0)  # fmt: skip
    content = local + member + entry + end64 + locator + end
    assert zipfile.ZipFile(io.BytesIO(content)).namelist() == ["w"]
    assert lengths(content) == [
        len(local), CHUNK_BYTES, CHUNK_BYTES,
        len(entry + end64 + locator + end),
    ]  # fmt: skip


@settings(max_examples=examples(60), deadline=None)
@given(data=st.data())
def test_a_zip_with_flipped_bytes_is_still_the_file(data):
    body = bytearray(zipped({"a": RANDOM[: MIB + 5], "b": RANDOM[:70_000], "c": b""}))
    places = st.integers(0, 200) | st.integers(len(body) - 300, len(body) - 1)
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(places)] = data.draw(st.integers(0, 255))
    lengths(bytes(body))


@settings(max_examples=examples(60), deadline=None)
@given(
    st.recursive(
        st.none() | st.integers() | st.floats() | st.text() | st.booleans(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_a_header_of_any_json_is_read_without_an_error(header):
    text = json.dumps({"a": header, "b": {"data_offsets": [0, header]}}).encode()
    lengths(struct.pack("<Q", len(text)) + text + RANDOM[: MIB + 9])


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(st.integers(0, 300_000), min_size=1, max_size=12))
def test_any_members_are_cut_into_the_file_that_they_are(sizes):
    parts = {f"m{n}": RANDOM[n : n + size] for n, size in enumerate(sizes)}
    for content in (zipped(parts), tensors(parts)):
        assert b"".join(chunks(content)) == content
