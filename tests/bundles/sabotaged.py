"""Proves bundles, sabotages them, reruns them, and judges what is said of the cause.

A sabotage that changes no metric, or makes a cell raise, is drawn again: it has no
cause to be found. Where another package or machine is meant, the rerun has a Python of
its own, with that package or those settings in its folder of packages.
"""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bundles.elsewhere import asked
from bundles.notebooks_here import notebook
from bundles.reproduced import AT_ONCE
from bundles.sabotage import PACKAGE, SABOTEURS, Opened, Sabotage
from bundles.small_wheels import unpack, write_wheel
from slices.corpus import Session, read

FOLDER = Path(__file__).parent / "sabotage_sessions"
DRAWS = 8
FIRST_VERSION = "1.0"
RAN = {"DRIFTED", "DIVERGED", "WITHIN-NOISE", "WITHIN-DECLARED"}
_CODE = """\
import numpy as np


def standardised(values):
    return (values - np.mean(values)) / np.std(values{ddof})


def smoothed(values, width={width}):
    return [float(np.mean(values[max(0, k - width):k + 1])) for k in range(len(values))]


def huber(residual, delta={delta}):
    small = np.minimum(np.abs(residual), delta)
    return small * (np.abs(residual) - small / 2)


def huber_slope(residual, delta={delta}):
    return np.clip(residual, -delta, delta)
"""
# What changed from version to version, as in any changelog.
VERSIONS = {
    FIRST_VERSION: _CODE.format(ddof="", width=5, delta=1.0),
    "1.1": _CODE.format(ddof=", ddof=1", width=6, delta=1.0),
    "1.2": _CODE.format(ddof="", width=7, delta=1.345),
    "2.0": _CODE.format(ddof=", ddof=1", width=9, delta=1.5),
}
# Which bundles are sabotaged how, and how often.
PLAN = {
    "data row": {
        "customers_merge": 2, "reviews_tfidf": 2, "perceptron_exam": 2,
        "attention_copy": 1,
    },
    "data row, listed": {
        "customers_merge": 2, "reviews_tfidf": 1, "perceptron_exam": 2,
    },
    "seed": {
        "lstm_sines": 2, "wide_mlp": 2, "cancer_boosting_stages": 1,
        "seeded_bagging": 2,
    },
    "generator state": {
        "markov_weather": 1, "bootstrap_median": 1, "matrix_factorisation": 1,
        "q_learning": 1, "sgd_by_hand": 1, "genetic_onemax": 1, "customers_merge": 1,
    },
    "edited cell": {
        "rosenbrock": 2, "kalman_track": 2, "genetic_onemax": 1, "q_learning": 1,
        "matrix_factorisation": 1, "lstm_sines": 1, "customers_merge": 1,
        "perceptron_exam": 1,
    },
    "hyper-parameter": {
        "rosenbrock": 1, "sales_features": 1, "cancer_boosting_stages": 1,
        "lstm_sines": 1, "bootstrap_median": 1, "customers_merge": 1,
        "wine_partial_fit": 1, "seeded_bagging": 1,
    },
    "local module": {"survivors_local_module": 2},
    "threads": {
        "wide_mlp": 2, "wide_cnn": 2, "train_autoencoder_wide": 2,
    },
    "instruction set": {
        "wide_mlp": 2, "wide_cnn": 2, "wide_regression": 1,
        "train_autoencoder_wide": 1,
    },
    "package": {"standard_scores": 2, "smoothed_prices": 3, "robust_line": 2},
}  # fmt: skip


@dataclass(frozen=True)
class Found:
    """One sabotage, and what was said of it."""

    kind: str
    notebook: str
    sabotage: Sabotage | None = None
    said: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""  # nothing could be judged

    @property
    def is_first(self) -> bool:
        return any(self._right[:1])

    @property
    def is_among_three(self) -> bool:
        return any(self._right[:3])

    @property
    def _right(self) -> list[bool]:
        """Of each cause that was named."""
        asked, causes = self.sabotage, self.said.get("causes", ())
        if asked is None:
            return []
        return [kind in asked.causes and asked.named in said for kind, said in causes]

    @property
    def is_cell_right(self) -> bool | None:
        """None where no cell is asked for."""
        if self.sabotage is None or not self.sabotage.cells:
            return None
        divergence = self.said.get("divergence") or {}
        return divergence.get("cell") in self.sabotage.cells

    @property
    def line(self) -> str:
        if self.sabotage is None:
            return f"{self.kind:18}{self.notebook:24}{self.why}"
        divergence = self.said.get("divergence") or {}
        causes = [f"{kind}: {sentence}" for kind, sentence in self.said["causes"][:2]]
        marks = "first" if self.is_first else "among three" * self.is_among_three
        cell = {None: "", True: "cell", False: f"not {set(self.sabotage.cells)}"}
        return (
            f"{self.kind:18}{self.notebook:24}{self.said['verdict']:9} "
            f"{marks or 'NOT NAMED':12}{cell[self.is_cell_right]:5} "
            f"| {self.sabotage.what} | {divergence.get('cell')}, "
            f"{divergence.get('variable')} | {causes}"
        )


class Laboratory:
    """Proven bundles, each made once, and Pythons to rerun them with."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def bundle(self, name: str) -> Opened | str:
        """The proven bundle of a notebook, or why there is none."""
        folder = self._folder / "bundles" / name
        path = folder / "run.nbt.zip"
        with self._turn(name):
            if not (folder / "why").exists():
                folder.mkdir(parents=True)
                (folder / "why").write_text(self._prove(_session(name), path))
            why = (folder / "why").read_text()
        return why.strip().splitlines()[-1] if why else Opened.read(path)

    def _prove(self, session: Session, path: Path) -> str:
        """Why it is not proven; empty where it is."""
        machine = f"{PACKAGE}=={FIRST_VERSION}" if _uses_it(session) else ""
        given = {"steps": list(map(asdict, session.steps)), "target": str(path)}
        folder, python = path.parent / "played", self.python(machine)
        told = asked("play", folder, given, python=python)
        why = told.get("error") or told.get("raised")
        return why or ("" if told["proof"] == "PROVEN" else told["reason"])

    def python(self, machine: str) -> str:
        """One with another package ("name==1.1") or other settings ("A=1 B=2")."""
        if not machine:
            return sys.executable
        place = self._folder / "pythons" / machine.replace(" ", "+")
        with self._turn(machine):
            if not place.exists():
                self._make(place, machine)
        return str(place / "bin" / "python")

    def rerun(self, sabotage: Sabotage, folder: Path) -> Mapping[str, Any]:
        folder.mkdir(parents=True)
        bundle = folder / "run.nbt.zip"
        sabotage.opened.write(bundle)
        given = {"bundle": str(bundle), "where": "current"}
        python = self.python(sabotage.machine)
        return asked("rerun", folder / "again", given, python=python)

    def _make(self, place: Path, machine: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "venv", "--without-pip", str(place)], check=True
        )
        [packages] = place.glob("lib/python*/site-packages")
        lines = [path for path in sys.path if path.endswith("site-packages")]
        name, is_package, version = machine.partition("==")
        if is_package:
            wheels = place / "wheels"
            unpack(write_wheel(wheels, name, version, code=VERSIONS[version]), packages)
        else:
            told = dict(word.split("=") for word in machine.split())
            lines.append(f"import os; os.environ.update({told!r})")
        (packages / "laboratory.pth").write_text("\n".join(lines) + "\n")

    def _turn(self, name: str) -> threading.Lock:
        with self._guard:
            return self._locks.setdefault(name, threading.Lock())


def judge(lab: Laboratory, kind: str, name: str, nth: int, folder: Path) -> Found:
    """Sabotage until a metric changes, and see what is said of it."""
    opened = lab.bundle(name)
    if isinstance(opened, str):
        return Found(kind, name, why=f"no proven bundle: {opened}")
    tried = []
    for draw in range(DRAWS):
        dice = random.Random(f"{kind} {name} {nth} {draw}")
        sabotage = SABOTEURS[kind](opened, dice)
        if sabotage is None:
            return Found(kind, name, why="there is nothing of this kind in it")
        said = lab.rerun(sabotage, folder / str(draw))
        if said.get("verdict") in RAN:
            return Found(kind, name, sabotage, said)
        tried.append(said.get("verdict") or said["error"].strip().splitlines()[-1])
    return Found(kind, name, why=f"no draw changed a metric: {sorted(set(tried))}")


def all_found(folder: Path, *, most: int | None = None) -> list[Found]:
    """All that is planned, a few at once; at most so many of them."""
    lab = Laboratory(folder)
    planned = list(_planned())
    if most is not None and most < len(planned):
        planned = [planned[k * len(planned) // most] for k in range(most)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        jobs = [
            pool.submit(judge, lab, kind, name, nth, folder / f"{kind}-{name}-{nth}")
            for kind, name, nth in planned
        ]
        return [job.result() for job in jobs]


def _planned() -> Iterator[tuple[str, str, int]]:
    for kind, names in PLAN.items():
        for name, times in names.items():
            yield from ((kind, name, nth) for nth in range(times))


def table(found: Sequence[Found]) -> str:
    """Each sabotage in a line, then how often each kind was seen through."""
    lines = [one.line for one in found]
    head = ("kind", "n", "first", "among 3", "cell", "asked")
    lines += ["", _row(head)]
    kinds = list(dict.fromkeys(one.kind for one in found))
    lines += [_totals(kind, [o for o in found if o.kind == kind]) for kind in kinds]
    return "\n".join([*lines, _totals("all", found)])


def judged(found: Sequence[Found]) -> list[Found]:
    """Those of which something could be said."""
    return [one for one in found if one.sabotage is not None]


def _totals(name: str, found: Sequence[Found]) -> str:
    counted = judged(found)
    cells = [o.is_cell_right for o in counted if o.is_cell_right is not None]
    numbers = (
        len(counted), sum(o.is_first for o in counted),
        sum(o.is_among_three for o in counted), sum(cells), len(cells),
    )  # fmt: skip
    return _row((name, *map(str, numbers)))


def _row(cells: Sequence[str]) -> str:
    return f"{cells[0]:20}" + "".join(f"{cell:>9}" for cell in cells[1:])


def _session(name: str) -> Session:
    own = FOLDER / f"{name}.py"
    return read(own) if own.exists() else notebook(name)


def _uses_it(session: Session) -> bool:
    return any(PACKAGE in step.text for step in session.cells)
