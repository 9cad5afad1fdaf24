"""Makes the sample of Optuna: `python make_optuna.py FOLDER [--keep]`.

A database of two studies, with trials in every state, and what Optuna says of them as
`said.json`. Beside the one of today lies one of Optuna 3.1, with older tables.
"""

import gzip
import json
import shutil
import sys
from pathlib import Path

import optuna

folder = Path(sys.argv[1]).resolve()
shutil.rmtree(folder, ignore_errors=True)
folder.mkdir(parents=True)
address = f"sqlite:///{folder / 'study.db'}"


def objective(trial):
    x = trial.suggest_float("x", 0, 1)
    trial.suggest_int("n_layers", 1, 4)
    trial.suggest_categorical("opt", ["adam", None, True])
    trial.set_user_attr("note", {"a": 1})
    for step in range(3):
        trial.report(x + step if step < 2 else float("inf"), step * 10)
    if trial.number == 1:
        raise optuna.TrialPruned
    if trial.number == 2:
        raise ValueError("broken")
    return x


one = optuna.create_study(study_name="one", storage=address)
one.optimize(objective, n_trials=4, catch=(ValueError,))
one.ask()
one.enqueue_trial({"x": 0.5})
both = optuna.create_study(
    study_name="both", storage=address, directions=["minimize", "maximize"]
)
both.optimize(lambda trial: (trial.suggest_float("lr", 1e-5, 1, log=True), 2.0), 2)
said = {
    study.study_name: [
        {
            "number": trial.number,
            "state": trial.state.name,
            "params": trial.params,
            "values": trial.values,
            "reported": {k: str(v) for k, v in trial.intermediate_values.items()},
            "attrs": trial.user_attrs,
            "start": trial.datetime_start and trial.datetime_start.timestamp(),
            "end": trial.datetime_complete and trial.datetime_complete.timestamp(),
        }
        for trial in study.trials
    ]
    for study in (one, both)
}
(folder / "said.json").write_text(json.dumps(said, indent=1))
if "--keep" not in sys.argv:
    database = folder / "study.db"
    packed = gzip.compress(database.read_bytes(), mtime=0)
    (folder / "study.db.gz").write_bytes(packed)
    database.unlink()
