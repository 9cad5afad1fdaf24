"""Makes the virtual environments of `make demo`, `test`, `lint`, `docs` and `peers`.

Runs on any Python 3, on the standard library alone. Says first what will be downloaded,
shows what is going on, and ends with one clear line where something is missing.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST_PYTHON = (3, 11)
OTHER_PYTHONS = ("python3.13", "python3.12", "python3.11")
OLDEST_TORCH = (2, 4)
EXTRAS = {
    "demo": "lab,demo,sweeps",
    "test": "lab,demo,sweeps,test",
    "lint": "dev",
    "docs": "lab,demo,sweeps,docs",
    "peers": "lab,demo,test,peers",
}
# Measured on Linux and Python 3.11: wheels in MB, from an empty cache.
SIZES_MB = {"demo": 165, "test": 110, "lint": 40, "docs": 25, "peers": 350}
# The last two are estimated. These come on top of what the demo needs:
ON_TOP = {"test", "docs"}
WITHOUT_TORCH = {"lint", "docs"}
FRONT_END_MB = 130  # Node as a Python package (60 MB), and the bundler from npm (67 MB)
CONSTRAINTS = Path(__file__).with_name("constraints.txt")
FRONT_END = Path("nbtrack/notebook/static/sweep.js")
FETCHED = re.compile(r"^\s*(?:Downloading|Using cached) (\S+) \((\d\S* [MG]B)\)")
LOCAL = re.compile(r"^Processing (\S+\.whl)")
LARGE_MB = 5


def main() -> None:
    """Check, announce, create, install: in this order."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("purpose", choices=EXTRAS)
    parser.add_argument("--venv", type=Path, default=Path(".venv"))
    arguments = parser.parse_args()
    use_a_new_enough_python()
    own_torch = torch_of_this_python()
    announce(arguments.purpose, arguments.venv, own_torch)
    create(arguments.venv)
    install(arguments.venv, arguments.purpose, with_torch=own_torch is None)
    see_system_packages(arguments.venv, own_torch is not None)
    say(f"{arguments.venv} is ready for 'make {arguments.purpose}'.")


def say(text: str) -> None:
    """Show one line at once."""
    print(f"nbtrack: {text}", flush=True)


def give_up(text: str) -> None:
    """End with one line and status 1."""
    sys.exit(f"nbtrack: {text}")


def use_a_new_enough_python() -> None:
    """Go on in the first Python that will do; end with the way to get one."""
    if sys.version_info >= OLDEST_PYTHON:
        return
    for path in filter(None, map(shutil.which, OTHER_PYTHONS)):
        if is_fine(path, "import sys; assert sys.version_info >= (3, 11)"):
            os.execv(path, [path, *sys.argv])  # noqa: S606 - a Python from PATH
    give_up(
        f"Python 3.11 or newer is needed, {sys.executable} is "
        f"{sys.version_info[0]}.{sys.version_info[1]}. Install one "
        "(Debian 12: apt-get install python3 python3-venv) or name one: "
        "make demo PYTHON=/path/to/python3.12"
    )


def is_fine(python: str, code: str) -> bool:
    """Whether that Python runs the code without an error."""
    return subprocess.run([python, "-c", code], capture_output=True).returncode == 0


def torch_of_this_python() -> str | None:
    """The version of an installed torch that imports and is new enough."""
    probe = [sys.executable, "-c", "import torch; print(torch.__version__)"]
    said = subprocess.run(probe, capture_output=True, text=True)
    if said.returncode != 0:
        return None
    version = said.stdout.strip()
    numbers = tuple(int(n) for n in re.findall(r"\d+", version)[:2])
    if numbers < OLDEST_TORCH:
        say(f"torch {version} of {sys.executable} is too old, 2.4 is needed.")
        return None
    return version


def announce(purpose: str, venv: Path, own_torch: str | None) -> None:
    """Say before the first byte how many there will be, at most."""
    lines = [f"~{SIZES_MB[purpose]} MB of Python packages"]
    if purpose in ON_TOP and not (venv / ".demo").exists():
        lines = [f"~{SIZES_MB['demo'] + SIZES_MB[purpose]} MB of Python packages"]
    if not FRONT_END.exists():
        lines.append(f"~{FRONT_END_MB} MB to build the front end")
    say("about to download, what is cached or installed left out: " + ", ".join(lines))
    if purpose in WITHOUT_TORCH or (venv / ".torch").exists():
        return
    if own_torch:
        say(f"torch {own_torch} is installed and will be used: no download for it.")
        return
    say(
        "and torch with torchvision: ~200 MB where pip is set up to find a CPU wheel "
        "(PIP_FIND_LINKS or an extra index), else the default wheels with CUDA, ~5.5 GB"
    )


def create(venv: Path) -> None:
    """An environment with pip, unless a working one is there."""
    python = venv / "bin" / "python"
    if python.exists() and is_fine(str(python), "import pip"):
        return
    if not is_fine(sys.executable, "import ensurepip, venv"):
        give_up(
            f"{sys.executable} has no venv module. Debian: apt-get install python3-venv"
        )
    say(f"making {venv} with {sys.executable} ...")
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True)


def install(venv: Path, purpose: str, *, with_torch: bool) -> None:
    """The package in place with its extras, to the pinned versions."""
    see_system_packages(venv, False)  # else pip would lean on what is not in the venv
    extras = EXTRAS[purpose]
    if with_torch and purpose not in WITHOUT_TORCH:
        extras += ",torch"
    pinned = [] if purpose == "peers" else ["--constraint", str(CONSTRAINTS)]
    # Python compiles what is imported: of 185 packages that is a small part.
    pip(venv, "install", "--no-compile", "--editable", f".[{extras}]", *pinned)
    if with_torch and purpose not in WITHOUT_TORCH:
        (venv / ".torch").touch()


def see_system_packages(venv: Path, wanted: bool) -> None:
    """Let the environment see what its Python has (torch), or not."""
    config = venv / "pyvenv.cfg"
    line = f"include-system-site-packages = {str(wanted).lower()}"
    text = config.read_text()
    config.write_text(re.sub("include-system-site-packages.*", line, text))


def pip(venv: Path, *arguments: str) -> None:
    """Run pip under the user's own settings, and show what is large or slow."""
    command = [str(venv / "bin" / "python"), "-m", "pip", *arguments]
    with (venv / "install.log").open("w") as log:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for line in process.stdout or ():
            log.write(line)
            show(line)
    if process.wait() != 0:
        tail = (venv / "install.log").read_text().splitlines()[-25:]
        print("\n".join(tail), file=sys.stderr)
        give_up(f"pip failed; all it said is in {venv / 'install.log'}")


def show(line: str) -> None:
    """One short line for a package of megabytes or for a step of seconds."""
    fetched, local = FETCHED.match(line), LOCAL.match(line.strip())
    if fetched:
        say(f"  {fetched[1]} ({fetched[2]})")
    elif local and os.path.getsize(local[1]) > LARGE_MB * 1_000_000:
        say(f"  {os.path.basename(local[1])} (a local file)")
    elif "Building editable" in line and "started" in line:
        say("  building nbtrack and its front end ...")
    elif line.startswith("Installing collected packages"):
        say(f"  unpacking {line.count(',') + 1} packages, up to a minute ...")


if __name__ == "__main__":
    main()
