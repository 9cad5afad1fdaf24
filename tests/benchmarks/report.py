"""One line per figure, beside its target; kept in `results/` for later comparison."""

from __future__ import annotations

import json
import time
from pathlib import Path

RESULTS = Path(__file__).with_name("results")


def report(name: str, ratio: float, target: float, *, at_least: bool = False) -> None:
    """Print a ratio and its target and append both to today's file of results."""
    met = ratio >= target if at_least else ratio <= target
    sign = ">=" if at_least else "<="
    verdict = "met" if met else "NOT MET"
    print(f"{name:<64} {ratio:>10.4g}  target {sign} {target:<8.4g} {verdict}")
    RESULTS.mkdir(exist_ok=True)
    line = {"name": name, "ratio": ratio, "target": target, "met": met}
    with (RESULTS / f"{time.strftime('%Y-%m-%d')}.json").open("a") as file:
        file.write(json.dumps(line | {"at": time.time()}) + "\n")
