"""Runs in the environment of the real wandb: a script, and what it has recorded.

    python -c <this> FOLDER SITE SCRIPT      run it there
    python -c <this> FOLDER SITE             then: what its runs recorded, as JSON
    python -c <this> FOLDER SITE SCRIPTS...  which calls of several do not fit

What was recorded is whole only when the process has ended that recorded it.

`SITE` has what scripts use besides (torch, scikit-learn): it comes last, so that wandb
finds its own.
"""

import ast
import inspect
import json
import os
import runpy
import sys
from pathlib import Path

BLOCK_BYTES = 32 * 1024


def records(path):
    """The records of a .wandb file, which is a log of LevelDB's form."""
    from wandb.proto import wandb_internal_pb2

    data, at, body = path.read_bytes(), 7, b""
    while at + 7 <= len(data):
        left = BLOCK_BYTES - at % BLOCK_BYTES
        size, kind = int.from_bytes(data[at + 4 : at + 6], "little"), data[at + 6]
        if left < 7 or kind == 0:
            at += left
            continue
        part = data[at + 7 : at + 7 + size]
        body = part if kind in (1, 2) else body + part
        at += 7 + size
        if kind in (1, 4):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(body)
            yield record


def name_of(item):
    return item.key or ".".join(item.nested_key)


def recorded(path):
    """Settings and the numbers of each step, by name."""
    config, began, steps = {}, 0.0, {}
    for record in records(path):
        kind = record.WhichOneof("record_type")
        if kind == "run":
            began = record.run.start_time.ToMicroseconds()
        if kind in ("run", "config"):
            told = record.run.config if kind == "run" else record.config
            found = {name_of(i): json.loads(i.value_json) for i in told.update}
            config |= {k: v for k, v in found.items() if not k.startswith("_")}
        if kind == "history":
            row = {name_of(i): json.loads(i.value_json) for i in record.history.item}
            rich = {key.rpartition(".")[0] for key in row if key.endswith("._type")}
            steps[record.history.step.num] = {
                key: value
                for key, value in row.items()
                if isinstance(value, int | float)
                and not key.startswith("_")
                and key.rpartition(".")[0] not in rich
            }
    return {"began": began, "config": config, "steps": steps}


def misfits(script):
    """Calls of wandb that its own signatures do not take."""
    import wandb

    found = []
    for node in ast.walk(ast.parse(Path(script).read_text())):
        if not isinstance(node, ast.Call):
            continue
        words = ast.unparse(node.func).split(".")
        if words[0] == "run" or words[:2] == ["wandb", "run"]:
            target, words, own = wandb.Run, words[words.index("run") + 1 :], [None]
        elif words[0] == "wandb":
            target, words, own = wandb, words[1:], []
        else:
            continue
        if not words or words[0] in ("config", "summary"):
            continue
        if target is wandb and hasattr(wandb.Run, words[0]):
            target, own = wandb.Run, [None]
        for word in words:
            target = getattr(target, word)
        given = {k.arg: None for k in node.keywords if k.arg}
        try:
            inspect.signature(target).bind(*own, *node.args, **given)
        except TypeError as exc:
            found.append(f"{script}: {ast.unparse(node.func)}: {exc}")
    return found


if __name__ == "__main__":
    folder, site, *scripts = sys.argv[1:]
    os.chdir(folder)
    sys.path.append(site)
    if len(scripts) > 1:
        print(json.dumps([line for script in scripts for line in misfits(script)]))
    elif scripts:
        runpy.run_path(scripts[0], run_name="__main__")
    else:
        files = Path("wandb").glob("offline-run-*/*.wandb")
        print(json.dumps(sorted(map(recorded, files), key=lambda run: run["began"])))
