"""How tensors and generators of torch are read: on the processor, where they lie.

What lies on another device is opaque: to look at it would wait for it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from nbtrack.capture.classes import mro_of, vars_of
from nbtrack.capture.dataflow.portrait_inert import constant
from nbtrack.capture.dataflow.portrait_walk import Handler, Walk


def _tensor(walk: Walk, value: Any) -> None:
    import torch

    walk.roots.add("torch")
    with torch._C.DisableTorchFunction():
        plain = not _dispatches(type(value))
        if not plain or value.device.type != "cpu" or value.is_quantized:
            walk.hide(f"a tensor on {value.device.type}" if plain else "an odd tensor")
            return
        about = (str(value.dtype), str(value.layout), value.requires_grad)
        walk.tokens.append(("tensor", *about, *value.shape))
        grad = value.grad if value.is_leaf or value.retains_grad else None
        attributes = torch.Tensor.__dict__["__dict__"].__get__(value)
        walk.stack.append(dict(attributes) or None)
        walk.stack.append(grad)
        _add_numbers(walk, value.detach())


def _add_numbers(walk: Walk, tensor: Any) -> None:
    import torch

    from nbtrack.capture.dataflow.portrait_arrays import hash_elements, memory_part

    parts = _dense_parts(tensor)
    if parts is None:
        walk.hide(f"a tensor with the layout {tensor.layout}")
        return
    for part in parts:
        memory = part.untyped_storage()
        if memory.data_ptr():
            walk.extra_parts.add(memory_part(memory.data_ptr()))
        if not walk.can_pay(part.nbytes):
            return
        if part.is_conj() or part.is_neg():
            part = part.resolve_conj().resolve_neg()
        if part.dtype in _unknown_to_numpy():
            part = part.view(torch.int16 if part.itemsize == 2 else torch.uint8)
        walk.tokens.append((*part.shape, *part.stride(), hash_elements(part.numpy())))


def _dispatches(kind: type) -> bool:
    """Whether a subclass runs code of its own for every operation."""
    import torch

    for base in mro_of(kind):
        if base is torch.Tensor:
            return False
        if "__torch_dispatch__" in vars_of(base):
            return True
    return True


@cache
def _unknown_to_numpy() -> frozenset[Any]:
    import torch

    names = [name for name in vars(torch) if name.startswith(("bfloat", "float8"))]
    return frozenset(getattr(torch, name) for name in names)


def _dense_parts(tensor: Any) -> list[Any] | None:
    import torch

    if tensor.layout is torch.strided:
        return [tensor]
    if tensor.layout is torch.sparse_coo:
        return [tensor._indices(), tensor._values()]
    if tensor.layout in (torch.sparse_csr, torch.sparse_bsr):
        return [tensor.crow_indices(), tensor.col_indices(), tensor.values()]
    if tensor.layout in (torch.sparse_csc, torch.sparse_bsc):
        return [tensor.ccol_indices(), tensor.row_indices(), tensor.values()]
    return None


def _generator(walk: Walk, value: Any) -> None:
    import torch

    from nbtrack.capture.dataflow.portrait_arrays import hash_elements

    walk.roots.add("torch")
    if value.device.type != "cpu":
        walk.hide(f"a generator on {value.device.type}")
        return
    with torch._C.DisableTorchFunction():
        state = hash_elements(value.get_state().numpy())
    walk.tokens.append(("generator", state))


TENSORS: dict[str, Handler] = {
    "Tensor": _tensor,
    "Generator": _generator,
    **dict.fromkeys(("dtype", "device", "layout", "memory_format"), constant),
}
