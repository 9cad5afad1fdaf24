"""Bundles of several kinds, exported from one real session each."""

from __future__ import annotations

from pathlib import Path

from bundles.conftest import played_in

SECRET = "sk-abcdefghijklmnop1234567890"
FULL = (
    "import os, random\nimport numpy as np\nfrom scaling import scaled",
    "%run also.py",
    "rows = np.array(open('data/rows.csv').read().split()[1:], float)\n"
    "patients = len(open('patients/a.csv').read())",
    "never_used = 3",
    f"api_key = {SECRET!r}",
    "weights = np.random.rand(3) * len(api_key) * also",
    "%%track base --no-live -p lr=0.1 -t old -g folds --notes 'first try'\n"
    "import nbtrack\nfor epoch in range(4):\n"
    "    weights = weights - .1 * scaled(rows)\n    loss = float((weights**2).sum())\n"
    "    nbtrack.log(odd=float('nan') if epoch == 1 else float('inf'), zero=-0.0)\n"
    "nbtrack.current().log_image(np.zeros((4, 4)), 'dark')\n"
    "np.savez('weights.npz', w=weights)",
)
NOISY = (
    "x = 1",
    "%%track noisy --no-live\nimport os\nfor epoch in range(5):\n"
    "    loss = x + int.from_bytes(os.urandom(2), 'big') / 2**26",
)
FAILED = ("%%track fell --no-live\nfor n in range(2):\n    loss = n\nraise ValueError",)
FILES = {
    "data/rows.csv": "x\n1\n2\n3\n",
    "patients/a.csv": "p\n1\n",
    "scaling.py": "def scaled(v):\n    return v / 10\n",
    "also.py": "also = 2\n",
}
_EXPORTS = """
    import nbtrack
    for name, run, how in {exports!r}:
        nbtrack.export(run, f"{folder}/{{name}}.nbt.zip", offline=True, **how)
"""


def exported(folder: Path, cells, *exports) -> dict[str, Path]:
    """Play cells; export runs, each (name of the bundle, run, options)."""
    then = _EXPORTS.format(exports=exports, folder=folder)
    played_in(folder, *cells, files=FILES, then=then)
    return {name: folder / f"{name}.nbt.zip" for name, _, _ in exports}


def not_run_again(folder: Path) -> dict[str, Path]:
    """Bundles for which nothing is run: a few seconds."""
    return exported(
        folder,
        (*FULL, *FAILED),
        ("unproven", "base", {"prove": False, "private": ["patients/*"]}),
        ("referring", "base", {"prove": False, "data": "ref"}),
        ("failed", "fell", {"prove": False}),
    )


def run_again(folder: Path) -> dict[str, Path]:
    """A proven one with all that a bundle can hold, and one with repeats."""
    how = {"private": ["patients/*"], "tolerance": {"loss": 0.1}}
    (folder / "full").mkdir()
    (folder / "noisy").mkdir()
    return {
        **exported(folder / "full", FULL, ("proven", "base", how)),
        **exported(folder / "noisy", NOISY, ("repeated", "noisy", {"repeat": 3})),
    }
