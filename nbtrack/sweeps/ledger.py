"""A study as it lies in the file: written trial by trial, read when a sweep begins.

Optuna's own way asks the file eight times for a trial, 35 ms in all. The search itself
goes on in memory (see `nbtrack.sweeps.study`), and the file hears of a trial when it
begins, of each value that a pruner was asked about, and of its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial, TrialState

CRASHED = "crashed"  # of a trial whose process died: its values are tried again


class Ledger:
    """One study in its file; all calls from one thread at a time."""

    def __init__(
        self, study: optuna.Study, storage: optuna.storages.RDBStorage
    ) -> None:
        self.study = study
        self._storage = storage
        self._study_id = storage.get_study_id_from_name(study.study_name)
        self._ids: dict[int, int] = {}  # number -> id in the file

    def trials(self) -> list[FrozenTrial]:
        """All trials of the file, by number."""
        return self.study.get_trials(deepcopy=False)

    def begin(self, trial: FrozenTrial) -> None:
        """A trial is about to run, with these values."""
        self.study.add_trial(trial)

    def note(self, number: int, step: int, value: float) -> None:
        """A value on the way."""
        self._storage.set_trial_intermediate_value(self._id(number), step, value)

    def end(
        self, number: int, state: TrialState, value: float | None, *, crashed: bool
    ) -> None:
        """A trial is over."""
        trial = self._id(number)
        if crashed:
            self._storage.set_trial_user_attr(trial, CRASHED, True)
        values = None if value is None else [value]
        self._storage.set_trial_state_values(trial, state, values)

    def _id(self, number: int) -> int:
        if number not in self._ids:
            self._ids[number] = self._storage.get_trial_id_from_study_id_trial_number(
                self._study_id, number
            )
        return self._ids[number]
