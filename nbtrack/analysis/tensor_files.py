"""Tensors in files, one at a time and in pieces; nothing is ever unpickled.

safetensors and npz are read as what they are, torch's files with `weights_only=True`
and mapped. A file of several gigabytes needs a few megabytes of memory.
"""

from __future__ import annotations

import json
import math
import pickle
import struct
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO

from nbtrack.errors import StoreError
from nbtrack.text import shorten, visible

if TYPE_CHECKING:
    import numpy as np

    from nbtrack.store import Store

BLOCK = 1 << 18  # elements looked at together: 2 MiB as float64
TORCH_SUFFIXES = frozenset({".pt", ".pth", ".ckpt", ".bin"})
SUFFIXES = TORCH_SUFFIXES | {".safetensors", ".npz", ".npy"}
_HEADER_MAX_BYTES = 100 << 20  # as the format itself has it
_SAFE_TYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8",
    "I32": "<i4", "I16": "<i2", "I8": "|i1", "U64": "<u8", "U32": "<u4", "U16": "<u2",
    "U8": "|u1", "BOOL": "|b1", "C64": "<c8",
}  # fmt: skip
_SHOWN_TYPES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16",
    "I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8", "U64": "uint64",
    "U32": "uint32", "U16": "uint16", "U8": "uint8", "BOOL": "bool", "C64": "complex64",
    "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2", "F8_E8M0": "float8_e8m0fnu",
}  # fmt: skip

Array = Any  # of numpy: one axis, float64 or complex128


class UnseenError(Exception):
    """A file that cannot be looked into, and why."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor of a file: what it is, and its elements in order, in blocks."""

    shape: tuple[int, ...]
    dtype: str
    blocks: Callable[[], Iterator[Array]] | None  # None: of a type without numbers
    # Their bytes as they are, little endian; None where they lie elsewhere (sparse).
    raw: Callable[[], Iterator[bytes]] | None = None


def is_tensor_file(name: str) -> bool:
    """Whether a file may hold tensors, by its name.

    >>> is_tensor_file("mlp.safetensors"), is_tensor_file("a.csv")
    (True, False)
    """
    return PurePosixPath(name).suffix.lower() in SUFFIXES


def open_tensors(
    store: Store, digest: str, name: str, stack: ExitStack
) -> Mapping[str, Tensor]:
    """The tensors of a kept file, by name; valid until the stack is closed.

    Raises
    ------
    UnseenError
        When they cannot be read without running code, or at all.
    """
    return _opened(
        PurePosixPath(name).suffix.lower(),
        lambda: store.file_path(digest),
        lambda: stack.enter_context(store.open_file(digest)),
        stack,
    )


def tensors_in(path: Path, stack: ExitStack) -> Mapping[str, Tensor]:
    """The tensors of a file, by name; valid until the stack is closed.

    Raises
    ------
    UnseenError
        When they cannot be read without running code, or at all.
    """
    suffix = path.suffix.lower()
    return _opened(
        suffix, lambda: path, lambda: stack.enter_context(path.open("rb")), stack
    )


def _opened(
    suffix: str,
    place: Callable[[], Path],
    open_file: Callable[[], BinaryIO],
    stack: ExitStack,
) -> Mapping[str, Tensor]:
    try:
        if suffix in TORCH_SUFFIXES:
            return _of_torch(place())
        file = open_file()
        if suffix == ".safetensors":
            return _of_safetensors(file)
        if suffix == ".npy":
            return {"array": _of_npy(lambda: file, file)}
        return _of_npz(stack.enter_context(zipfile.ZipFile(file)))
    except (StoreError, OSError) as exc:
        raise UnseenError(str(exc)) from exc
    except (ValueError, KeyError, TypeError, zipfile.BadZipFile, struct.error) as exc:
        what = visible(shorten(str(exc), 120))
        raise UnseenError(f"it is no {suffix} file that can be read: {what}") from exc


# -- safetensors -------------------------------------------------------------------


def _of_safetensors(file: BinaryIO) -> dict[str, Tensor]:
    (length,) = struct.unpack("<Q", file.read(8))
    if length > _HEADER_MAX_BYTES:
        raise ValueError("its header is too large")
    header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    start = 8 + length
    return {name: _safe_tensor(file, start, about) for name, about in header.items()}


def _safe_tensor(file: BinaryIO, start: int, about: Mapping[str, Any]) -> Tensor:
    kind, shape = str(about["dtype"]), tuple(int(n) for n in about["shape"])
    begin, end = (int(at) for at in about["data_offsets"])
    known = _SAFE_TYPES.get(kind)

    def raw() -> Iterator[bytes]:
        import numpy as np

        width = np.dtype(known).itemsize if known else 1
        if known and math.prod(shape) * width != end - begin:
            raise UnseenError("the places of its tensors do not fit their shapes")
        for at in range(start + begin, start + end, BLOCK * width):
            file.seek(at)
            size = min(BLOCK * width, start + end - at)
            content = file.read(size)
            if len(content) != size:
                raise UnseenError("it ends too early")
            yield content

    def blocks() -> Iterator[Array]:
        import numpy as np

        for content in raw():
            block = np.frombuffer(content, known)
            yield _as_numbers(_of_bfloat16(block) if kind == "BF16" else block)

    shown = _SHOWN_TYPES.get(kind, kind)
    return Tensor(shape, shown, blocks if known else None, raw)


def _of_bfloat16(block: Array) -> Array:
    """Bfloat16 is the upper half of a float32."""
    import numpy as np

    return (block.astype(np.uint32) << 16).view(np.float32)


def _as_numbers(block: Array) -> Array:
    import numpy as np

    return block.astype(np.complex128 if block.dtype.kind == "c" else np.float64)


# -- numpy -------------------------------------------------------------------------


def _of_npz(archive: zipfile.ZipFile) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for member in archive.namelist():
        with archive.open(member) as file:
            tensors[member.removesuffix(".npy")] = _of_npy(
                _opener(archive, member), file
            )
    return tensors


def _opener(archive: zipfile.ZipFile, member: str) -> Callable[[], Any]:
    return lambda: archive.open(member)


def _of_npy(reopen: Callable[[], Any], file: Any) -> Tensor:
    shape, is_fortran, dtype = _npy_header(file)
    if dtype.hasobject:
        raise UnseenError("it holds pickled Python objects, which are not unpickled")
    shown = str(dtype)

    def parts() -> Iterator[Array]:
        import numpy as np

        again = reopen()
        if again.seekable():
            again.seek(0)
        if is_fortran and len(shape) > 1:  # its elements stand in another order
            whole = np.lib.format.read_array(again, allow_pickle=False)
            flat = whole.ravel()
            for at in range(0, flat.size, BLOCK):
                yield flat[at : at + BLOCK]
            return
        _npy_header(again)
        left = math.prod(shape) * dtype.itemsize
        while left:
            size = min(BLOCK * dtype.itemsize, left)
            content = _exactly(again, size)
            left -= size
            yield np.frombuffer(content, dtype)

    def raw() -> Iterator[bytes]:
        little = dtype.newbyteorder("<")
        return (part.astype(little, copy=False).tobytes() for part in parts())

    if dtype.kind not in "biufc":
        return Tensor(shape, shown, None, raw)
    return Tensor(shape, shown, lambda: map(_as_numbers, parts()), raw)


def _npy_header(file: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    from numpy.lib import format as npy

    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, is_fortran, dtype = read(file)
    return shape, is_fortran, dtype


def _exactly(file: Any, size: int) -> bytes:
    pieces: list[bytes] = []
    while size:
        piece = file.read(size)
        if not piece:
            raise UnseenError("it ends too early")
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


# -- torch -------------------------------------------------------------------------


def _of_torch(path: Path) -> dict[str, Tensor]:
    try:
        import torch
    except ImportError as exc:
        raise UnseenError("torch is not installed") from exc
    is_zip = zipfile.is_zipfile(path)
    try:
        with warnings.catch_warnings(action="ignore"):  # of old forms of files
            found = torch.load(path, map_location="cpu", weights_only=True, mmap=is_zip)
    except pickle.UnpicklingError as exc:
        raise UnseenError(
            "it holds pickled Python objects, which are not unpickled"
        ) from exc
    except (RuntimeError, EOFError) as exc:
        what = visible(shorten(str(exc), 120))
        raise UnseenError(f"torch cannot read it: {what}") from exc
    return dict(_flattened(found, "", torch))


def _flattened(value: Any, prefix: str, torch: Any) -> Iterator[tuple[str, Tensor]]:
    """The tensors of nested dicts and lists; other values are no tensors."""
    if isinstance(value, torch.Tensor):
        yield prefix or "tensor", _torch_tensor(value.detach(), torch)
        return
    if isinstance(value, Mapping):
        pairs: Any = value.items()
    elif isinstance(value, list | tuple):
        pairs = enumerate(value)
    else:
        return
    for key, item in pairs:
        yield from _flattened(item, f"{prefix}.{key}" if prefix else str(key), torch)


def _torch_tensor(value: Any, torch: Any) -> Tensor:
    shape, dtype = tuple(value.shape), str(value.dtype).removeprefix("torch.")
    if value.layout is not torch.strided or value.is_quantized:
        return Tensor(shape, dtype, None)
    wide = torch.complex128 if value.is_complex() else torch.float64

    def parts() -> Iterator[Any]:
        flat = value.reshape(-1)
        return (flat[at : at + BLOCK] for at in range(0, flat.numel(), BLOCK))

    def blocks() -> Iterator[Array]:
        return (part.to(wide).numpy() for part in parts())

    def raw() -> Iterator[bytes]:
        for part in parts():
            plain = part.resolve_conj().resolve_neg().contiguous()
            yield plain.view(torch.uint8).numpy().tobytes()

    return Tensor(shape, dtype, blocks, raw)
