"""Makes random notebook sessions from a grammar of statements: the held-out style.

`made(seed)` is a session as in the corpus: cells that assign, alias, mutate, define
functions, classes and closures, branch, loop, raise and delete; some are run again,
edited or deleted. The tracked cell reads a few names. A call may fail because its
names are gone: cells that raise are part of it.
"""

from __future__ import annotations

import random
import textwrap
from collections.abc import Callable

from slices.corpus import Session, Step

NUMBERS = ("n", "m", "k", "rate")
LISTS = ("xs", "ys", "rows")
DICTS = ("d", "cfg")
TREES = ("tree", "bag")
FUNCTIONS = ("f", "g", "score_of")
OBJECTS = ("o", "p")
COUNTERS = ("tick", "tock")
STREAMS = ("it",)
POOL = {
    **{"number": NUMBERS, "list": LISTS, "dict": DICTS, "tree": TREES},
    **{"function": FUNCTIONS, "object": OBJECTS, "counter": COUNTERS},
    "stream": STREAMS,
}


class Author:
    """Writes statements over the names that live so far."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.live: dict[str, set[str]] = {kind: set() for kind in POOL}
        self.classes = 0
        self._makers: list[tuple[int, Callable[[], list[str]]]] = [
            (6, self.number),
            (4, self.augmented),
            (5, self.list),
            (6, self.mutated_list),
            (3, self.dict),
            (4, self.mutated_dict),
            (3, self.tree),
            (3, self.mutated_tree),
            (5, self.function),
            (2, self.klass),
            (3, self.used_object),
            (2, self.counter),
            (2, self.ticked),
            (2, self.stream),
            (3, self.branch),
            (2, self.loop),
            (2, self.attempt),
            (1, self.deleted),
            (2, self.unpacked),
            (2, self.comprehended),
            (2, self.looked),
        ]

    def statement(self) -> list[str]:
        weights = [weight for weight, _ in self._makers]
        return self.dice.choices(self._makers, weights)[0][1]()

    def cell(self) -> str:
        lines: list[str] = []
        for _ in range(self.dice.randint(1, 3)):
            lines += self.statement()
        return "\n".join(lines)

    def name(self, kind: str) -> str:
        """A name to be set; it lives from here."""
        name = self.dice.choice(POOL[kind])
        self.live[kind].add(name)
        return name

    def some(self, kind: str) -> str | None:
        """A living name, if there is one."""
        living = sorted(self.live[kind])
        return self.dice.choice(living) if living else None

    def value(self) -> str:
        """An expression that is a number."""
        choices = [str(self.dice.randint(1, 9))]
        if n := self.some("number"):
            choices += [n, f"({n} + {self.dice.randint(1, 5)})", f"{n} * 2 % 97"]
        if xs := self.some("list"):
            choices += [f"sum({xs})", f"len({xs})", f"max({xs}, default=0)"]
        if d := self.some("dict"):
            choices += [f"len({d})", f"{d}.get('a', 0)", f"sum({d}.values())"]
        if o := self.some("object"):
            choices += [f"{o}.v", f"{o}.total"]
        if t := self.some("tree"):
            choices += [f"sum({t}['w'])", f"len({t}['o'])"]
        if self.dice.random() < 0.3 and (f := self.some("function")):
            choices.append(f"{f}({self.dice.randint(1, 4)})")
        return self.dice.choice(choices)

    def number(self) -> list[str]:
        value = self.value()
        return [f"{self.name('number')} = {value}"]

    def augmented(self) -> list[str]:
        if n := self.some("number"):
            return [f"{n} {self.dice.choice(['+=', '-=', '*='])} {self.value()}"]
        return self.number()

    def list(self) -> list[str]:
        numbers = ", ".join(self.value() for _ in range(self.dice.randint(1, 3)))
        choices = [f"[{numbers}]"]
        if xs := self.some("list"):
            choices += [xs, xs, f"{xs}[:]", f"[v + 1 for v in {xs}]", f"sorted({xs})"]
        if t := self.some("tree"):
            choices += [f"{t}['w']", f"{t}['w']"]
        if o := self.some("object"):
            choices.append(f"{o}.log")
        choice = self.dice.choice(choices)
        return [f"{self.name('list')} = {choice}"]

    def mutated_list(self) -> list[str]:
        xs = self.some("list")
        if xs is None:
            return self.list()
        other = self.some("list")
        return [
            self.dice.choice(
                [
                    f"{xs}.append({self.value()})",
                    f"{xs}.append({self.value()})",
                    f"{xs} += [{self.value()}]",
                    f"{xs}[:] = [{self.value()}, 2]",
                    f"{xs}.extend({other}[:2])",
                    f"{xs}.sort()",
                    f"{xs}.insert(0, {self.value()})",
                    f"del {xs}[1:]",
                    f"{xs} and {xs}.pop()",
                ]
            )
        ]

    def dict(self) -> list[str]:
        choices = [f"{{'a': {self.value()}}}", f"dict(a=1, b={self.value()})"]
        if d := self.some("dict"):
            choices += [d, f"dict({d})", f"{{**{d}, 'c': {self.value()}}}"]
        if t := self.some("tree"):
            choices.append(f"{t}['o']")
        choice = self.dice.choice(choices)
        return [f"{self.name('dict')} = {choice}"]

    def mutated_dict(self) -> list[str]:
        d = self.some("dict")
        if d is None:
            return self.dict()
        return [
            self.dice.choice(
                [
                    f"{d}['a'] = {self.value()}",
                    f"{d}['b'] = {self.value()}",
                    f"{d}.update(c={self.value()})",
                    f"{d}.setdefault('z', {self.value()})",
                    f"{d}.pop('b', None)",
                    f"{d}['a'] = {d}.get('a', 0) + 1",
                ]
            )
        ]

    def tree(self) -> list[str]:
        w = self.some("list") or f"[{self.value()}]"
        o = self.some("dict") or "{}"
        if (t := self.some("tree")) and self.dice.random() < 0.3:
            return [f"{self.name('tree')} = {t}"]
        return [f"{self.name('tree')} = {{'w': {w}, 'o': {o}}}"]

    def mutated_tree(self) -> list[str]:
        t = self.some("tree")
        if t is None:
            return self.tree()
        return [
            self.dice.choice(
                [
                    f"{t}['w'].append({self.value()})",
                    f"{t}['o']['x'] = {self.value()}",
                    f"{t}['w'] = [{self.value()}]",
                    f"for part in {t}.values(): part.clear() if len(part) > 3 else 0",
                ]
            )
        ]

    def function(self) -> list[str]:
        reads = self.some("number")
        body = [f"return x + {self.value()}"]
        xs, d = self.some("list"), self.some("dict")
        kinds = ["plain", "nested", "default", "lambda"]
        kinds += ["global"] * bool(reads) + ["appends"] * bool(xs) + ["sets"] * bool(d)
        kind = self.dice.choice(kinds)
        if kind == "global":
            body = [f"global {reads}", f"{reads} = {reads} + x", f"return {reads}"]
        elif kind == "appends":
            body = [f"{xs}.append(x)", f"return len({xs})"]
        elif kind == "sets":
            body = [f"{d}['f'] = x", f"return sum({d}.values())"]
        elif kind == "nested":
            inner = f"    return y * 2 + {self.value()}"
            body = ["def inner(y):", inner, "return inner(x) + 1"]
        elif kind == "default":
            default = xs or "[]"
            name = self.name("function")
            return [f"def {name}(x, kept={default}):", "    return x + len(kept)"]
        elif kind == "lambda":
            value = self.value()
            return [f"{self.name('function')} = lambda x: x * 2 + {value}"]
        name = self.name("function")
        return [f"def {name}(x):", *(f"    {line}" for line in body)]

    def klass(self) -> list[str]:
        self.classes += 1
        name = self.dice.choice(["Model", "Meter"])
        value, start = self.value(), self.value()
        body = f"""
            class {name}:
                total = {value}
                def __init__(self, v):
                    self.v, self.log = v, []
                def add(self, x):
                    self.v += x
                    self.log.append(x)
                    {name}.total += 1
            {self.name("object")} = {name}({start})
        """
        return textwrap.dedent(body).strip().splitlines()

    def used_object(self) -> list[str]:
        o = self.some("object")
        if o is None:
            return self.klass()
        value = self.value()
        choice = self.dice.choice(
            [
                f"{o}.add({value})",
                f"{o}.add({value})",
                f"{o}.v = {value}",
                f"type({o}).total = {value}",
                f"{o}.log = {self.some('list') or '[]'}",
                "alias",
            ]
        )
        return [f"{self.name('object')} = {o}" if choice == "alias" else choice]

    def counter(self) -> list[str]:
        value = self.value()
        body = f"""
            def make(start):
                count = start
                def inner():
                    nonlocal count
                    count += 1
                    return count
                return inner
            {self.name("counter")} = make({value})
        """
        return textwrap.dedent(body).strip().splitlines()

    def ticked(self) -> list[str]:
        c = self.some("counter")
        if c is None:
            return self.counter()
        if self.dice.random() < 0.5:
            return [f"{c}()"]
        return [f"{self.name('number')} = {c}()"]

    def stream(self) -> list[str]:
        it = self.some("stream")
        if it and self.dice.random() < 0.6:
            return [f"{self.name('number')} = next({it}, 0)"]
        xs, value = self.some("list") or "[1, 2, 3]", self.value()
        return [f"{self.name('stream')} = (v + {value} for v in {xs})"]

    def branch(self) -> list[str]:
        test = f"{self.value()} > {self.dice.randint(1, 12)}"
        return [f"if {test}:", *self._inside(), "else:", *self._inside()]

    def loop(self) -> list[str]:
        return [f"for i in range({self.dice.randint(1, 3)}):", *self._inside()]

    def attempt(self) -> list[str]:
        fails = self.dice.choice(["1 / 0", "{}['no']", "[].pop()"])
        lines = ["try:", *self._inside(), f"    {fails}", "except Exception:"]
        return [*lines, *self._inside()]

    def _inside(self) -> list[str]:
        lines = self.dice.choice(
            [self.number, self.augmented, self.mutated_list, self.mutated_dict]
        )()
        return [f"    {line}" for line in lines]

    def deleted(self) -> list[str]:
        kind = self.dice.choice(["number", "list", "function"])
        name = self.some(kind)
        if name is None:
            return self.number()
        self.live[kind].discard(name)
        return [f"del {name}"]

    def unpacked(self) -> list[str]:
        a, b = self.some("number"), self.some("number")
        if a and b and self.dice.random() < 0.4:
            return [f"{a}, {b} = {b}, {a} + 1"]
        xs = self.some("list") or "[1]"
        number, rest = self.name("number"), self.name("list")
        return [f"{number}, *{rest} = [*{xs}, {self.value()}]"]

    def comprehended(self) -> list[str]:
        xs = self.some("list") or "[3, 4]"
        if self.dice.random() < 0.4:
            number, value = self.name("number"), self.value()
            return [f"{self.name('list')} = [({number} := v + {value}) for v in {xs}]"]
        n = self.dice.choice(NUMBERS)  # a scope of its own: the outer one stays
        return [f"{self.name('list')} = [{n} + 1 for {n} in {xs}]"]

    def looked(self) -> list[str]:
        f = self.some("function")
        return [self.dice.choice([f"print({self.value()})", f"{f}(3)" if f else "1"])]


def made(seed: int) -> Session:
    """The session of this seed."""
    author = Author(seed)
    dice = author.dice
    steps: list[Step] = [Step(author.cell(), f"c{i}") for i in range(3)]
    for i in range(3, dice.randint(7, 11)):
        chance = dice.random()
        if chance < 0.15:  # run again as it was
            steps.append(dice.choice(steps))
        elif chance < 0.25:  # edited, and run again
            steps.append(Step(author.cell(), dice.choice(steps).id))
        else:
            steps.append(Step(author.cell(), f"c{i}"))
    read = [author.value() for _ in range(dice.randint(1, 3))]
    tracked = f"for q in ({', '.join(read)},):\n    loss = q"
    return Session(f"random-{seed}", "", "random", (*steps, Step(tracked, "tracked")))


def as_text(session: Session) -> str:
    """The session as a file of the corpus."""
    head = f'"""{session.trap or session.name}"""\n# kind: {session.kind}\n'
    return head + "".join(f"# %% id={s.id}\n{s.text}\n" for s in session.steps)
