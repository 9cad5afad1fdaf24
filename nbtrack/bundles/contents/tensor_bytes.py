"""Tensors as the bytes they are: their digests, and a safetensors file of them.

No number is converted, so every type survives bit for bit, bfloat16 and NaN as well.
The file is written by hand: it is a header and the bytes, and what is written here does
not depend on which version of a library the exporter had. Nothing is ever unpickled.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbtrack.analysis.tensor_files import Tensor, tensors_in

# What safetensors calls a type, and how many bytes an element has.
_CODES = {
    "float64": ("F64", 8), "float32": ("F32", 4), "float16": ("F16", 2),
    "bfloat16": ("BF16", 2), "float8_e4m3fn": ("F8_E4M3", 1),
    "float8_e5m2": ("F8_E5M2", 1), "float8_e8m0fnu": ("F8_E8M0", 1),
    "int64": ("I64", 8), "int32": ("I32", 4), "int16": ("I16", 2), "int8": ("I8", 1),
    "uint64": ("U64", 8), "uint32": ("U32", 4), "uint16": ("U16", 2),
    "uint8": ("U8", 1), "bool": ("BOOL", 1), "complex64": ("C64", 8),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of a file of tensors."""

    about: Mapping[str, dict[str, Any]]  # name -> dtype, shape, sha256
    body: bytes | None  # the file as safetensors; None where it was not asked for
    left_out: tuple[str, ...] = ()  # tensors of a type that safetensors has not


def digests_of_file(path: Path) -> dict[str, dict[str, Any]]:
    """What each tensor of a file is, and the sha256 of its little-endian bytes.

    A file of torch, NumPy or safetensors with the same tensors gives the same.

    Parameters
    ----------
    path
        A `.pt`, `.pth`, `.ckpt`, `.bin`, `.npz`, `.npy` or `.safetensors`.

    Returns
    -------
    dict
        By name: `dtype`, `shape`, and `sha256`, None where the elements do not lie in
        a row (sparse, quantized).

    Raises
    ------
    UnseenError
        When the file cannot be read without running code, or at all.

    Examples
    --------
    >>> import tempfile, numpy
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "a.npy")
    ...     numpy.save(path, numpy.zeros(2))
    ...     digests_of_file(path)["array"]["shape"]
    [2]
    """
    with ExitStack() as stack:
        return dict(read_tensors(tensors_in(path, stack), with_body=False).about)


def size_of(tensors: Mapping[str, Tensor]) -> int:
    """How many bytes those take that go into a file of safetensors.

    Examples
    --------
    >>> size_of({"a": Tensor((2, 3), "float32", None)})
    24
    """
    each = (_CODES.get(_plain(t.dtype), ("", 0))[1] * math.prod(t.shape)
            for t in tensors.values())  # fmt: skip
    return sum(each)


def read_tensors(tensors: Mapping[str, Tensor], *, with_body: bool) -> Read:
    """Digests of open tensors, and the file of safetensors that holds them.

    Raises
    ------
    UnseenError
        When the file turns out to be shorter than it says.

    Examples
    --------
    >>> one = Tensor((1,), "bool", None, lambda: iter([b"x"]))
    >>> read_tensors({"a": one}, with_body=True).body[-1:]
    b'x'
    """
    about: dict[str, dict[str, Any]] = {}
    kept: dict[str, bytes] = {}
    left_out = []
    for name in sorted(tensors):
        tensor = tensors[name]
        dtype = _plain(tensor.dtype)
        fits = dtype in _CODES and tensor.raw is not None
        if not fits:
            left_out.append(name)
        digest, content = _taken(tensor, keep=with_body and fits)
        if with_body and fits:
            kept[name] = content
        about[name] = {"dtype": dtype, "shape": list(tensor.shape), "sha256": digest}
    body = _safetensors(about, kept) if with_body else None
    return Read(about, body, tuple(left_out))


def _plain(dtype: str) -> str:
    """A type without the order of its bytes: the bytes are made little-endian.

    >>> _plain(">f8"), _plain("bfloat16")
    ('float64', 'bfloat16')
    """
    if dtype[:1] not in (">", "<", "="):
        return dtype
    import numpy as np

    return np.dtype(dtype).name


def _taken(tensor: Tensor, *, keep: bool) -> tuple[str | None, bytes]:
    if tensor.raw is None:
        return None, b""
    digest, pieces = hashlib.sha256(), []
    for piece in tensor.raw():
        digest.update(piece)
        if keep:
            pieces.append(piece)
    return digest.hexdigest(), b"".join(pieces)


def _safetensors(
    about: Mapping[str, Mapping[str, Any]], kept: Mapping[str, bytes]
) -> bytes:
    """Wide types first, as the library has it, so that each stands on its width."""
    codes = {name: _CODES[about[name]["dtype"]] for name in kept}
    order = sorted(kept, key=lambda name: (-codes[name][1], name))
    header, end = {}, 0
    for name in order:
        begin, end = end, end + len(kept[name])
        header[name] = {
            "dtype": codes[name][0],
            "shape": about[name]["shape"],
            "data_offsets": [begin, end],
        }
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    length = len(text).to_bytes(8, "little")
    return b"".join([length, text, *(kept[name] for name in order)])
