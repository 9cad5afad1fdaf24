"""Expressions whose value is an input of the run, though it is only known later.

`len(data) // batch_size`, `"cuda" if torch.cuda.is_available() else "cpu"`: made of
constants, params, sizes and calls without effect. `correct / total` is a result.
"""

from __future__ import annotations

import ast
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from nbtrack.capture.accumulators import is_tracked_name
from nbtrack.capture.evaluate import NO_DEFAULT, PURE_BUILTINS, Known, dotted, known_or
from nbtrack.capture.inherited import is_record, is_simple
from nbtrack.capture.survey import Survey

_PURE_CALLS = frozenset(
    {"torch.device", "torch.cuda.is_available", "torch.backends.mps.is_available"}
    | {"torch.cuda.device_count", "os.cpu_count", "os.environ.get", "os.getenv", "Path"}
    | {"pathlib.Path", "isinstance", "np.sqrt", "np.log", "np.log2", "np.log10"}
    | {"torch.accelerator.is_available", "torch.get_default_dtype", "device"}
)
_PURE_MODULES = ("math.", "operator.")
_SHAPES = frozenset({"shape", "size", "ndim", "numel", "n_features_in_"})


def is_pure(
    node: ast.expr, found: Survey, settled: AbstractSet[str], known: Known
) -> bool:
    """Whether `node` is made of inputs alone; `settled` are the params of the cell.

    >>> node = ast.parse("len(data) * epochs", mode="eval").body
    >>> is_pure(node, Survey(), {"epochs"}, Known())
    True
    """
    return _Purity(found, settled, known)._is_pure(node)


@dataclass(frozen=True, slots=True)
class _Purity:
    _found: Survey
    _settled: AbstractSet[str]
    _known: Known

    def _is_pure(self, node: ast.expr) -> bool:
        """Made of constants, params, operators, pure calls: an input, not a result."""
        if isinstance(node, ast.Constant):
            return True
        if isinstance(node, ast.Name):
            return self._is_param(node.id)
        if isinstance(node, ast.Attribute):
            return _is_shape(node) or self._is_pure_attribute(node)
        if isinstance(node, ast.Subscript):
            return self._is_pure(node.value) and self._is_pure(node.slice)
        if isinstance(node, ast.Call):
            return self._is_pure_call(node)
        if isinstance(node, ast.JoinedStr | ast.FormattedValue | ast.IfExp | ast.BinOp):
            return self._all_pure(node)
        if isinstance(
            node, ast.UnaryOp | ast.BoolOp | ast.Compare | ast.Tuple | ast.List
        ):
            return self._all_pure(node)
        return False

    def _all_pure(self, node: ast.expr) -> bool:
        children = ast.iter_child_nodes(node)
        return all(self._is_pure(c) for c in children if isinstance(c, ast.expr))

    def _is_param(self, name: str) -> bool:
        if name in self._settled:
            return True
        if name in self._found.stores:
            return False
        return is_simple(self._known.outer.get(name, NO_DEFAULT))

    def _is_pure_attribute(self, node: ast.Attribute) -> bool:
        name = dotted(node)
        if name is None:
            return False
        if isinstance(known_or(node, Known()), float):
            return True  # math.inf and its like
        base = name.partition(".")[0]
        return self._is_param(base) or (
            base in self._known.outer and is_record(self._known.outer[base])
        )

    def _is_pure_call(self, node: ast.Call) -> bool:
        name = dotted(node.func)
        if name is None:
            return False
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        if name == "len":  # the length of anything but a list of results is an input
            return not any(
                isinstance(part, ast.Name) and is_tracked_name(part.id)
                for part in ast.walk(node)
            )
        if name.rpartition(".")[2] in ("size", "numel") and "." in name:
            return not any(is_tracked_name(part) for part in name.split("."))
        pure = name in PURE_BUILTINS or name in _PURE_CALLS
        return (pure or name.startswith(_PURE_MODULES)) and all(
            self._is_pure(argument) for argument in arguments
        )


def _is_shape(node: ast.expr) -> bool:
    names = (dotted(node) or "").split(".")
    return names[-1] in _SHAPES and len(names) > 1 and not is_tracked_name(names[0])
