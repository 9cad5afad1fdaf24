"""Where a cell says a value, so that a trial can say another one in its place.

A cell is swept as it is written: the literal that a name of the space stands for is
replaced in the text, everything else stays, character by character. A name that the
cell only reads from an earlier one is set in a line of its own, on top. What a trial
ran is therefore a cell that anybody can run again.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from nbtrack.capture.evaluate import NO_DEFAULT, Known, dotted, known_or
from nbtrack.capture.reread import reparse
from nbtrack.capture.survey import parts_of
from nbtrack.errors import OptionError
from nbtrack.slices.emit_text import Edit, Places, edited
from nbtrack.text import did_you_mean, shorten, visible

How = Literal["assigned", "bound", "argument", "default", "key", "read"]

_SCOPES = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
_RANGES = frozenset({"range", "trange", "prange", "tnrange", "epochs"})
_NAMELESS = "iterations"  # as `for _ in range(100)` is called among the params
# What is no Python of its own: `%matplotlib inline`, `!ls`, `x = !ls`, `model?`.
_MAGIC = re.compile(r"^(?P<head>\s*+(?:[\w., ]+=\s*)?)(?P<mark>[%!])(?P<rest>.+)$")
_HELP = re.compile(r"^\s*[\w.]+\?{1,2}\s*$")


@dataclass(frozen=True, slots=True)
class Site:
    """One value that a cell says, and where; `value` is what it says now."""

    name: str
    how: How
    value: Any  # Any: a literal of the user's
    start: int = -1
    end: int = -1
    also: str = ""  # `opt = Adam(lr=.1)`: `opt.lr`, and `Adam.lr`

    def is_called(self, name: str) -> bool:
        """Whether people may mean it by this name."""
        return name in (self.name, self.also)


class CellText:
    r"""A cell's text with the places of its values.

    >>> cell = CellText("lr = 0.1  # good\nfor epoch in range(3): train(lr, bs=8)")
    >>> [(site.name, site.how, site.value) for site in cell.sites]
    [('lr', 'assigned', 0.1), ('epoch', 'bound', 3), ('train.bs', 'argument', 8)]
    >>> print(cell.with_values({"lr": "0.5", "bs": "16"}))
    lr = 0.5  # good
    for epoch in range(3): train(lr, bs=16)
    """

    def __init__(
        self,
        text: str,
        namespace: Mapping[str, Any] | None = None,
        *,
        python: str | None = None,  # as IPython transforms it
    ) -> None:
        self.text = text
        self.namespace = {} if namespace is None else namespace
        self._view = readable(text)
        self.python = self._view if python is None else python
        try:
            self.tree = reparse(self._view)
        except (SyntaxError, ValueError) as exc:
            raise OptionError(f"The cell is no Python: {exc}.") from exc
        self._places = Places(self._view)
        self._computed: dict[str, str] = {}  # name -> the code that it is set by
        self.sites = [site for site in self._found() if not site.name.startswith("_")]

    def with_values(self, values: Mapping[str, str]) -> str:
        """The text with other values; each is given as code.

        Raises
        ------
        OptionError
            For a name that the cell neither says nor reads, or says in two places.
        """
        edits: list[Edit] = []
        above: list[str] = []
        for name, code in values.items():
            site = self.site_of(name)
            if site.how == "read":
                above.append(self._line(name, code))
            else:
                edits.append(Edit(site.start, site.end, code))
        if above:
            at = self._first_code()
            edits.append(Edit(at, at, "".join(f"{line}\n" for line in above)))
        return edited(self.text, edits)

    def site_of(self, name: str) -> Site:
        """Where the cell says a name, or that it reads it from an earlier cell.

        Raises
        ------
        OptionError
            For a name that the cell never uses, computes, or says in two places.
        """
        found = [site for site in self.sites if site.is_called(name)]
        if not found and "." not in name:
            found = [s for s in self.sites if s.name.rpartition(".")[2] == name]
            if len({site.name for site in found}) > 1 or len(found) > 1:
                raise self._ambiguous(name, found)
        if found:
            return found[0]
        if name in self._computed:
            shown = shorten(visible(self._computed[name]), 60)
            raise OptionError(
                f"{name!r} is computed in the cell ({name} = {shown}): sweep what it "
                "is computed from, or write a number there."
            )
        root = name.partition(".")[0]
        if root in self.names_read and root in self.namespace:
            return Site(name, "read", _part(self.namespace[root], name))
        raise self._unused(name)

    @property
    def names_read(self) -> set[str]:
        """Every name that is loaded anywhere in the cell, or by what it calls."""
        from nbtrack.capture.dataflow.cell_reads import cell_reads

        return set(cell_reads(self.python, self.namespace).names)

    # ---- finding

    def _found(self) -> Iterator[Site]:
        seen: set[str] = set()
        spans: set[int] = set()
        for node in _at_module_level(self.tree):
            for site in self._of_statement(node):
                spans.add(site.start)
                if site.name not in seen:  # a later value is a series, not a param
                    seen.add(site.name)
                    yield site
        # `config = Config(lr=.1)` was told of as `config.lr`.
        for site in self._of_calls():
            if site.name not in seen and site.start not in spans:
                yield site

    def _of_statement(self, node: ast.stmt) -> Iterator[Site]:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from self._of_target(target, node.value)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            yield from self._of_target(node.target, node.value)
        elif isinstance(node, ast.For | ast.AsyncFor):
            yield from self._of_loop(node)

    def _of_target(self, target: ast.expr, value: ast.expr | None) -> Iterator[Site]:
        if isinstance(target, ast.Tuple | ast.List):
            for part, item in zip(target.elts, parts_of(target, value), strict=True):
                yield from self._of_target(part, item)
            return
        name = _target_name(target)
        if name is None or value is None:
            return
        said = known_or(value, Known())
        if said is not NO_DEFAULT and not isinstance(value, ast.Dict | ast.Call):
            yield self._site(name, "assigned", value, said)
            return
        self._computed.setdefault(name, ast.unparse(value))
        if isinstance(value, ast.Dict):
            yield from self._of_dict(name, value)
        elif isinstance(value, ast.Call):
            yield from self._of_keywords(name, value, "key")

    def _of_loop(self, node: ast.For | ast.AsyncFor) -> Iterator[Site]:
        if not isinstance(node.target, ast.Name):
            return
        for call in ast.walk(node.iter):
            if not isinstance(call, ast.Call) or not call.args:
                continue
            if (dotted(call.func) or "").rpartition(".")[2] in _RANGES:
                bound = call.args[0 if len(call.args) == 1 else 1]
                said = known_or(bound, Known())
                if isinstance(said, int):
                    name = node.target.id
                    name = _NAMELESS if name.startswith("_") else name
                    yield self._site(name, "bound", bound, said)
                return

    def _of_calls(self) -> Iterator[Site]:
        """Arguments and defaults, by the function that they are of."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield from self._of_keywords(_called(node), node, "argument")
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from self._of_defaults(node)

    def _of_dict(self, name: str, node: ast.Dict) -> Iterator[Site]:
        for key, value in zip(node.keys, node.values, strict=True):
            if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
                continue
            if isinstance(value, ast.Dict):
                yield from self._of_dict(f"{name}.{key.value}", value)
                continue
            said = known_or(value, Known())
            if said is not NO_DEFAULT:
                yield self._site(f"{name}.{key.value}", "key", value, said)

    def _of_keywords(self, name: str, call: ast.Call, how: How) -> Iterator[Site]:
        for keyword in call.keywords:
            said = known_or(keyword.value, Known())
            if keyword.arg is not None and said is not NO_DEFAULT:
                site = self._site(f"{name}.{keyword.arg}", how, keyword.value, said)
                yield replace(site, also=f"{_called(call)}.{keyword.arg}")

    def _of_defaults(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef
    ) -> Iterator[Site]:
        arguments = node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        with_default = positional[len(positional) - len(arguments.defaults) :]
        pairs = [
            *zip(with_default, arguments.defaults, strict=True),
            *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
        ]
        for argument, default in pairs:
            said = NO_DEFAULT if default is None else known_or(default, Known())
            if default is not None and said is not NO_DEFAULT:
                name = f"{node.name}.{argument.arg}"
                yield self._site(name, "default", default, said)

    def _site(self, name: str, how: How, node: ast.expr, value: Any) -> Site:
        start, end = self._places.of(node)
        return Site(name, how, value, start, end)

    # ---- writing

    def _line(self, name: str, code: str) -> str:
        """The line that sets a name of an earlier cell, whose value stays as it is."""
        root, _, rest = name.partition(".")
        if not rest:
            return f"{root} = {code}"
        if isinstance(self.namespace.get(root), Mapping):
            return f"{root} = {{**{root}, {rest!r}: {code}}}"
        return f"{root} = __import__('copy').copy({root}); {root}.{rest} = {code}"

    def _first_code(self) -> int:
        """The offset of the first line that is neither magic, blank nor comment."""
        offset = 0
        for line in self._view.splitlines(keepends=True):
            stripped = line.strip()
            if stripped and not stripped.startswith(("#", "from __future__")):
                return offset
            offset += len(line)
        return offset

    # ---- errors

    def _unused(self, name: str) -> OptionError:
        root = name.partition(".")[0]
        known = sorted({*(site.name for site in self.sites), *self.names_read})
        if root in self.names_read:
            return OptionError(
                f"The cell reads {root!r}, but no cell has set it yet. Give it a value "
                f"in a cell above, or on a line of this one: {root} = ..."
            )
        hint = did_you_mean(name, known)
        said = ", ".join(site.name for site in self.sites[:8])
        hint = hint or (f" It says: {said}." if said else " It says no values.")
        shown = shorten(repr(name), 60)
        return OptionError(f"The cell never uses {shown}.{visible(hint)}")

    def _ambiguous(self, name: str, found: list[Site]) -> OptionError:
        names = list(dict.fromkeys(site.name for site in found))
        if len(names) > 1:
            listed = " or ".join(names[:5])
            return OptionError(f"{name!r} is said in several places: write {listed}.")
        return OptionError(
            f"{name!r} is said in {len(found)} calls of {names[0].rpartition('.')[0]}: "
            f"put it into a variable ({name} = {found[0].value!r}) above them."
        )


def readable(text: str) -> str:
    r"""The text as Python of the same length: magics become a name and a comment.

    >>> readable("%%time\nx = !ls\ny = 1")
    '#%time\nx = _#s\ny = 1'
    """
    lines = text.split("\n")
    for at, line in enumerate(lines):
        if line.lstrip().startswith("%%"):
            lines[at] = line.replace("%", "#", 1)
        elif _HELP.match(line):
            lines[at] = "#" + line[1:]
        elif (found := _MAGIC.match(line)) is not None:
            lines[at] = f"{found['head']}_#{found['rest'][1:]}"
    return "\n".join(lines)


def _at_module_level(tree: ast.Module) -> Iterator[ast.stmt]:
    """The statements outside of functions and classes, in the order of the text."""
    waiting: list[ast.stmt] = list(reversed(tree.body))
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, _SCOPES):
            continue
        waiting.extend(reversed(list(_blocks(node))))


def _blocks(node: ast.stmt) -> Iterator[ast.stmt]:
    for name in ("body", "orelse", "handlers", "finalbody", "cases"):
        for child in getattr(node, name, ()):
            if isinstance(child, ast.stmt):
                yield child
            else:
                yield from child.body


def _target_name(target: ast.expr) -> str | None:
    """`lr`, `args.lr` and `config["lr"]` as the dotted name of a param."""
    if isinstance(target, ast.Name | ast.Attribute):
        return dotted(target)
    if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
        root, key = dotted(target.value), target.slice.value
        return f"{root}.{key}" if root and isinstance(key, str) else None
    return None


def _called(call: ast.Call) -> str:
    return (dotted(call.func) or "").rpartition(".")[2] or "call"


def _part(value: Any, name: str) -> Any:
    """What an earlier cell's value holds under a dotted name; None: it does not."""
    for part in name.split(".")[1:]:
        if isinstance(value, Mapping):
            value = value.get(part)
        else:
            value = getattr(value, "__dict__", {}).get(part)
    return value
