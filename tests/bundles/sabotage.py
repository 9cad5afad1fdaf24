"""Bundles that were tampered with: opened, changed in one place, and closed again.

What is written is consistent in itself (the list of digests is made anew), so that the
bundle is run; only its results are those of before. Each kind says which causes are
right, and in which cell the first difference has to be found.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import random
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from bundles.mutators import with_literal

LISTING = "MANIFEST.sha256"
SCRIPT, SLICE, INPUTS = "run/run.py", "run/slice.json", "data/inputs.json"
MODULES, VARIABLES = "run/local_modules/", "env/env-vars.json"
_PUT_BACK = re.compile(
    r"^_nb_put_back\('(?P<name>[^']+)', \((?P<packed>.*?)^\)\)$",
    re.MULTILINE | re.DOTALL,
)
_SEED = re.compile(r"(?:seed\(|seed=|SEED = )(\d+)")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_OTHER = {ast.Add: "-", ast.Sub: "+", ast.Mult: "/"}


@dataclass(frozen=True)
class Opened:
    """The members of a bundle."""

    members: dict[str, bytes]

    @classmethod
    def read(cls, path: Path) -> Opened:
        with zipfile.ZipFile(path) as archive:
            return cls({name: archive.read(name) for name in archive.namelist()})

    def write(self, path: Path) -> None:
        """With the list of digests as the members are now."""
        kept = {n: self.members[n] for n in sorted(self.members) if n != LISTING}
        lines = (
            f"{hashlib.sha256(body).hexdigest()}  {len(body)}  {name}\n"
            for name, body in kept.items()
        )
        kept[LISTING] = "".join(lines).encode()
        with zipfile.ZipFile(path, "w") as archive:
            for name in sorted(kept):
                entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
                entry.create_system, entry.external_attr = 3, 0o100644 << 16
                archive.writestr(entry, kept[name])

    def with_members(self, **changed: bytes) -> Opened:
        return Opened({**self.members, **changed})

    def json(self, name: str) -> Any:
        return json.loads(self.members[name])

    def with_json(self, name: str, value: Any) -> Opened:
        text = json.dumps(value, sort_keys=True, indent=1) + "\n"
        return self.with_members(**{name: text.encode()})

    @cached_property
    def script(self) -> list[str]:
        return self.members[SCRIPT].decode().split("\n")

    @cached_property
    def cells(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.json(SLICE)["cells"]
        return found

    def text_of(self, cell: dict[str, Any]) -> str:
        """The cell as it stands in the script."""
        first = cell["first_line"]
        return "\n".join(self.script[first : first + cell["n_lines"] - 1])

    def with_text(self, cell: dict[str, Any], text: str) -> Opened:
        """The script with another text of the same number of lines for that cell."""
        first, lines = cell["first_line"], list(self.script)
        assert text.count("\n") == cell["n_lines"] - 2
        lines[first : first + cell["n_lines"] - 1] = text.split("\n")
        return self.with_members(**{SCRIPT: "\n".join(lines).encode()})


@dataclass(frozen=True)
class Sabotage:
    """A bundle that will give something else, and what is right to say of it."""

    kind: str
    what: str
    opened: Opened
    causes: frozenset[str]
    cells: frozenset[str] = field(default=frozenset())  # labels; empty: not asked
    machine: str = ""  # where it is run, see `bundles.sabotaged`
    named: str = ""  # what the right cause has to name


Saboteur = Callable[[Opened, random.Random], "Sabotage | None"]


def data_row(opened: Opened, dice: random.Random) -> Sabotage | None:
    """One number in one row of a file is another; the list of inputs is as it was."""
    files = [f for f in opened.json(INPUTS)["files"] if f["member"]]
    files = [f for f in files if not f["path"].endswith(".py")]
    if not files:
        return None
    file = dice.choice(files)
    lines = opened.members[file["member"]].decode().split("\n")
    rows = [k for k, line in enumerate(lines) if _NUMBER.search(line)]
    row = dice.choice(rows)
    number = dice.choice(list(_NUMBER.finditer(lines[row])))
    lines[row] = _with_another(lines[row], number)
    changed = opened.with_members(**{file["member"]: "\n".join(lines).encode()})
    return Sabotage(
        "data row",
        f"{file['path']}, line {row + 1}",
        changed,
        frozenset({"data"}),
        frozenset(_naming(opened, Path(file["path"]).name)),
        named=Path(file["path"]).name,
    )


def data_row_and_list(opened: Opened, dice: random.Random) -> Sabotage | None:
    """The same, and the list of inputs has the digest of the changed file."""
    made = data_row(opened, dice)
    if made is None:
        return None
    inputs = made.opened.json(INPUTS)
    for file in inputs["files"]:
        if file["member"]:
            body = made.opened.members[file["member"]]
            file |= {
                "sha256": hashlib.sha256(body).hexdigest(),
                "size_bytes": len(body),
            }
    changed = made.opened.with_json(INPUTS, inputs)
    return replace(made, kind="data row, listed", opened=changed, named="")


def seed(opened: Opened, dice: random.Random) -> Sabotage | None:
    """Another seed in the script, and in the cells as the bundle lists them."""
    found = [
        (cell, match)
        for cell in opened.cells
        for match in _SEED.finditer(opened.text_of(cell))
    ]
    if not found:
        return None
    cell, match = dice.choice(found)
    new = str(int(match[1]) + dice.randint(1, 99))
    text = opened.text_of(cell)
    text = text[: match.start(1)] + new + text[match.end(1) :]
    changed = opened.with_text(cell, text)
    listed = changed.json(SLICE)
    for each in listed["cells"]:
        if each["seq"] == cell["seq"]:
            each["emitted"] = text + "\n"
            each["source"] = each["source"].replace(
                match[0], match[0].replace(match[1], new)
            )
    changed = changed.with_json(SLICE, listed)
    # SEED = 3 is a param too; and whoever drew from the seed gave something else.
    drew = {c["label"] for c in opened.cells if c["seq"] >= cell["seq"]}
    return Sabotage(
        "seed", f"{match[0]} → {new}", changed, frozenset({"seed", "params"}),
        frozenset(drew) & _first_labels(opened, cell),
    )  # fmt: skip


def generator_state(opened: Opened, dice: random.Random) -> Sabotage | None:
    """Another state of a generator is put back."""
    text = opened.members[SCRIPT].decode()
    calls = list(_PUT_BACK.finditer(text))
    if not calls:
        return None
    call = dice.choice(calls)
    packed = "".join(re.findall(r'"([^"]*)"', call["packed"]))
    new = base64.b64encode(_other_state(base64.b64decode(packed))).decode()
    n_lines = call["packed"].count("\n")
    body = "\n" * (n_lines - 1) + f'    "{new}"\n'
    text = text[: call.start("packed")] + body + text[call.end("packed") :]
    line = opened.members[SCRIPT].decode()[: call.start()].count("\n") + 1
    return Sabotage(
        "generator state", call["name"], opened.with_members(**{SCRIPT: text.encode()}),
        frozenset({"seed"}), frozenset(_around(opened, line)),
    )  # fmt: skip


def edited_cell(opened: Opened, dice: random.Random) -> Sabotage | None:
    """In one cell of the script a sum is a difference, or a loop is one off."""
    found = []
    for cell in opened.cells:
        text = opened.text_of(cell)
        found += [(cell, new) for new in _edits(text)]
    if not found:
        return None
    cell, (what, text) = dice.choice(found)
    return Sabotage(
        "edited cell", f"{cell['label']}: {what}", opened.with_text(cell, text),
        frozenset({"code", "params"} if "range" in what else {"code"}),
        frozenset({cell["label"]}),
    )  # fmt: skip


def hyper_parameter(opened: Opened, dice: random.Random) -> Sabotage | None:
    """In one cell of the script a named number is another."""
    found = []
    for cell in opened.cells:
        found += [(cell, node) for node in _named_numbers(opened.text_of(cell))]
    if not found:
        return None
    cell, (name, node) = dice.choice(found)
    value: Any = node.value  # a number
    new = value * 2 if isinstance(value, float) else value + 1
    text = with_literal(opened.text_of(cell), node, repr(new))
    return Sabotage(
        "hyper-parameter", f"{name}: {value} → {new}", opened.with_text(cell, text),
        frozenset({"params", "code"}), frozenset({cell["label"]}),
    )  # fmt: skip


def local_module(opened: Opened, dice: random.Random) -> Sabotage | None:
    """A number in a module beside the notebook is another."""
    names = [n for n in opened.members if n.startswith(MODULES) and n.endswith(".py")]
    if not names:
        return None
    name = dice.choice(names)
    text = opened.members[name].decode()
    number = dice.choice([m for m in _NUMBER.finditer(text) if m[0] not in "01"])
    changed = text[: number.start()] + f"{int(number[0]) + 3}" + text[number.end() :]
    return Sabotage(
        "local module", f"{name}: {number[0]}",
        opened.with_members(**{name: changed.encode()}), frozenset({"code"}),
    )  # fmt: skip


def threads(opened: Opened, dice: random.Random) -> Sabotage | None:
    """It is run with another number of threads than the bundle's numerics say."""
    return _on_a_machine(opened, dice, "threads", {"OMP_NUM_THREADS": "1"})


def instruction_set(opened: Opened, dice: random.Random) -> Sabotage | None:
    """It is run on a processor that can do less than the bundle's numerics say."""
    aten, onednn = dice.choice((("avx2", "AVX2"), ("default", "SSE41")))
    told = {"ATEN_CPU_CAPABILITY": aten, "ONEDNN_MAX_CPU_ISA": onednn}
    return _on_a_machine(opened, dice, "instruction set", told)


def _on_a_machine(
    opened: Opened, dice: random.Random, kind: str, told: dict[str, str]
) -> Sabotage:
    """Either the bundle says so, or the machine where it is run has it so."""
    right = frozenset({"hardware", "environment"})
    what = " ".join(f"{n}={v}" for n, v in told.items())
    if dice.random() < 0.5:
        variables = opened.json(VARIABLES) | told
        changed = opened.with_json(VARIABLES, variables)
        return Sabotage(kind, f"in the bundle: {what}", changed, right)
    return Sabotage(kind, f"of the machine: {what}", opened, right, machine=what)


def package(opened: Opened, dice: random.Random) -> Sabotage | None:
    """A package is there in another version."""
    version = dice.choice(("1.1", "1.2", "2.0"))
    users = [c for c in opened.cells if _calls_package(opened.text_of(c))]
    return Sabotage(
        "package", f"{PACKAGE} {version}", opened, frozenset({"packages"}),
        frozenset({users[0]["label"]} if users else ()),
        machine=f"{PACKAGE}=={version}", named=PACKAGE,
    )  # fmt: skip


SABOTEURS: dict[str, Saboteur] = {
    "data row": data_row,
    "data row, listed": data_row_and_list,
    "seed": seed,
    "generator state": generator_state,
    "edited cell": edited_cell,
    "hyper-parameter": hyper_parameter,
    "local module": local_module,
    "threads": threads,
    "instruction set": instruction_set,
    "package": package,
}
PACKAGE = "tinystats"


def _naming(opened: Opened, text: str) -> Iterator[str]:
    """The first cell that says this."""
    for cell in opened.cells:
        if text in opened.text_of(cell):
            yield cell["label"]
            return


def _calls_package(text: str) -> bool:
    """Whether a value comes from it while the cell runs, not while a function does."""
    if re.search(r"\b(standardised|smoothed|huber)\b", text) is None:
        return False
    return not text.lstrip().startswith("def ")


def _first_labels(opened: Opened, cell: dict[str, Any]) -> frozenset[str]:
    """The cell itself, and the next one that draws from a generator."""
    drawing = [
        told["label"]
        for told in opened.json("rng/fingerprints.json")["cells"]
        if told["seq"] > cell["seq"] and told["generators"]
    ]
    return frozenset({cell["label"], *drawing[:1]})


def _around(opened: Opened, line: int) -> Iterator[str]:
    """The cell in which a line of the script is, and the one that comes after it."""
    before = [c["label"] for c in opened.cells if c["first_line"] < line]
    after = [c["label"] for c in opened.cells if c["first_line"] > line]
    yield from (*before[-1:], *after[:1])


def _with_another(line: str, number: re.Match[str]) -> str:
    """0 and 1 are labels: the other one; else a little more."""
    old = number[0]
    other = {"0": "1", "1": "0"}.get(old)
    new = other or (str(int(old) + 2) if "." not in old else repr(float(old) + 2.5))
    return line[: number.start()] + new + line[number.end() :]


def _other_state(packed: bytes) -> bytes:
    """A generator's state with other words in it."""
    kind, header, body = zlib.decompress(packed).split(b"\n", 2)
    if len(body) > 200:  # the words of a Mersenne twister
        changed = bytearray(body)
        for at in range(80, len(body) - 80, 8):
            changed[at] ^= 0x55
        return zlib.compress(b"\n".join((kind, header, bytes(changed))))
    told = json.loads(header)
    state = told["state"]
    name = next(n for n in ("state", "counter", "key") if n in state)
    state[name] += 12345
    return zlib.compress(b"\n".join((kind, json.dumps(told).encode(), body)))


def _edits(text: str) -> Iterator[tuple[str, str]]:
    """What it becomes with one operator turned, or one range shorter."""
    for node in _nodes(text):
        if isinstance(node, ast.BinOp) and type(node.op) in _OTHER:
            if node.lineno != node.end_lineno:
                continue
            left = ast.get_source_segment(text, node.left) or ""
            whole = ast.get_source_segment(text, node) or ""
            right = ast.get_source_segment(text, node.right) or ""
            new = f"{left} {_OTHER[type(node.op)]} {right}"
            if whole.startswith(left) and whole.endswith(right):
                yield f"{whole} → {new}", text.replace(whole, new, 1)
        is_range = isinstance(node, ast.Call) and ast.unparse(node.func) == "range"
        if is_range and isinstance(node, ast.Call) and len(node.args) == 1:
            whole = ast.get_source_segment(text, node) or ""
            new = f"range({ast.unparse(node.args[0])} - 1)"
            yield f"{whole} → {new}", text.replace(whole, new, 1)


def _named_numbers(text: str) -> Iterator[tuple[str, ast.Constant]]:
    """Numbers that are assigned to a name, or handed over under one."""
    for node in _nodes(text):
        pairs: list[tuple[str, ast.expr]] = []
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            pairs = [(node.targets[0].id, node.value)]
        elif isinstance(node, ast.keyword) and node.arg is not None:
            pairs = [(node.arg, node.value)]
        for name, value in pairs:
            is_number = isinstance(value, ast.Constant) and (
                type(value.value) in (int, float) and value.value not in (0, 1)
            )
            if is_number and isinstance(value, ast.Constant):
                yield name, value


def _nodes(text: str) -> Iterator[ast.AST]:
    try:
        yield from ast.walk(ast.parse(text))
    except SyntaxError:
        return
