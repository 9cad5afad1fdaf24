"""What `run/run.py` of a bundle does around its cells: files first, results last.

The functions are copied into the script as they stand here. They make a new folder and
work there, so that nothing beside the bundle is changed, and say at the end which
metrics came out as the run had them. No network is asked.
"""


def _nb_lay_out() -> None:
    """Work in a new folder where the files of this bundle lie as the cells want."""
    import atexit
    import json
    import os
    import shutil
    import sys
    import tempfile

    script = os.path.abspath(globals()["__file__"])
    globals()["__file__"] = script
    bundle, began = os.path.dirname(os.path.dirname(script)), os.getcwd()
    with open(os.path.join(bundle, "run", "layout.json"), encoding="utf-8") as file:
        layout = json.load(file)
    root = tempfile.mkdtemp(prefix="nbtrack-run-")
    work = os.path.normpath(os.path.join(root, layout["cwd"]))
    os.makedirs(work, exist_ok=True)
    for folder in layout["folders"]:
        os.makedirs(os.path.join(root, *folder.split("/")), exist_ok=True)
    for place, member in layout["files"].items():
        target = os.path.join(root, *place.split("/"))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(os.path.join(bundle, *member.split("/")), target)
    for path in layout["elsewhere"]:  # not in the bundle: looked for where one started
        source, target = os.path.join(began, path), os.path.join(work, path)
        if not os.path.exists(source):
            sys.stdout.write(f"not here, and not in the bundle: {path}\n")
        elif not os.path.isabs(path):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.symlink(source, target)
    sys.path.append(os.path.dirname(script))  # for what lies beside the script
    results = os.path.join(bundle, "results", "expected.json")
    atexit.register(_nb_say_results, results)
    os.chdir(work)
    sys.stdout.write(f"working in {work}\n")


def _nb_say_results(expected: str) -> None:
    """Metrics that are variables by now, beside what the run had at its end."""
    import json
    import sys

    with open(expected, encoding="utf-8") as file:
        metrics = json.load(file)["metrics"]
    for name, told in metrics.items():
        try:
            value = float(globals()[name])
        except (KeyError, TypeError, ValueError):
            continue  # it was logged, or is no number any more
        same = "the same" if value == told["last"] else f"the run had {told['last']!r}"
        sys.stdout.write(f"{name}: {value!r} ({same})\n")
