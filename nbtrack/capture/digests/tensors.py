"""torch tensors by their values: dtype, shape and elements, wherever they live.

Each piece is cloned and brought to the CPU before it is looked at: `numpy()` on the
user's own tensor would take away its right to be resized.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nbtrack.capture.digests.pieces import COPY_BYTES, NotDigestible, Pieces, framed


def tensor_pieces(tensor: Any) -> Pieces:
    """A tensor or parameter: dense, sparse or quantised."""
    import torch

    if type(tensor) not in (torch.Tensor, torch.nn.Parameter):
        kind = type(tensor)
        if kind.__torch_function__ is not torch.Tensor.__torch_function__ or (
            "__torch_dispatch__" in vars(kind)
        ):
            raise NotDigestible(f"{kind.__name__}: a tensor with a mind of its own")
    if tensor.is_meta:
        raise NotDigestible("a tensor on the meta device has no values")
    with torch.no_grad():
        yield from _pieces(tensor.detach())


def plain_blocks(tensor: Any) -> Iterator[Any]:
    """The elements in order, as one-dimensional numpy arrays on the CPU.

    Those of a dtype that numpy lacks come as whole numbers of the same bits.
    """
    import torch

    for block in _flat_blocks(tensor):
        block = block.clone().cpu().resolve_conj().resolve_neg()
        if block.dtype in _unknown_to_numpy(torch):
            block = block.view(torch.uint8)
        yield block.numpy()


def _pieces(tensor: Any) -> Pieces:
    import torch

    if tensor.layout is torch.strided and not tensor.is_quantized:
        yield framed("tensor", str(tensor.dtype), list(tensor.shape))
        yield from _values(tensor)
    elif tensor.is_quantized:
        yield framed("quantized", str(tensor.dtype), str(tensor.qscheme()))
        yield from _pieces(tensor.int_repr())
        yield from _scales(tensor)
    elif tensor.layout is torch.sparse_coo:
        tensor = tensor.coalesce()
        yield framed("sparse", "coo", list(tensor.shape))
        yield from _pieces(tensor.indices())
        yield from _pieces(tensor.values())
    elif tensor.layout in (torch.sparse_csr, torch.sparse_bsr):
        yield framed("sparse", str(tensor.layout), list(tensor.shape))
        for part in (tensor.crow_indices(), tensor.col_indices(), tensor.values()):
            yield from _pieces(part)
    elif tensor.layout in (torch.sparse_csc, torch.sparse_bsc):
        yield framed("sparse", str(tensor.layout), list(tensor.shape))
        for part in (tensor.ccol_indices(), tensor.row_indices(), tensor.values()):
            yield from _pieces(part)
    else:
        raise NotDigestible(f"a tensor of the layout {tensor.layout}")


def _scales(tensor: Any) -> Pieces:
    import torch

    if tensor.qscheme() in (torch.per_tensor_affine, torch.per_tensor_symmetric):
        yield framed("scale", repr(tensor.q_scale()), int(tensor.q_zero_point()))
        return
    yield framed("scales", int(tensor.q_per_channel_axis()))
    yield from _pieces(tensor.q_per_channel_scales())
    yield from _pieces(tensor.q_per_channel_zero_points())


def _values(tensor: Any) -> Pieces:
    from nbtrack.capture.digests.arrays import raw_pieces

    for block in plain_blocks(tensor):
        yield from raw_pieces(block)


def _flat_blocks(tensor: Any) -> Iterator[Any]:
    n_bytes = tensor.numel() * tensor.element_size()
    if not n_bytes:
        return
    if tensor.is_contiguous():
        flat = tensor.view(-1)
        step = max(1, COPY_BYTES // tensor.element_size())
        for start in range(0, len(flat), step):
            yield flat[start : start + step]
    elif n_bytes <= COPY_BYTES:
        yield tensor.reshape(-1)
    elif len(tensor) == 1:
        yield from _flat_blocks(tensor[0])
    else:
        step = max(1, len(tensor) * COPY_BYTES // n_bytes)
        for start in range(0, len(tensor), step):
            yield from _flat_blocks(tensor[start : start + step])


def _unknown_to_numpy(torch: Any) -> frozenset[Any]:
    names = ["bfloat16"] + [n for n in dir(torch) if n.startswith("float8")]
    return frozenset(getattr(torch, name) for name in names if hasattr(torch, name))
