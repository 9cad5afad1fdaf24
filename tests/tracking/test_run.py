"""The live run: what is logged reads back, what cannot be kept never raises."""

from __future__ import annotations

import math
import threading
from decimal import Decimal

import pytest

import nbtrack
from nbtrack.errors import OptionError, RunStopped
from nbtrack.store.values import utc_text

pytestmark = pytest.mark.usefixtures("plain_surroundings")


def values_of(run, metric):
    curve = run.store.curve(run.id, metric)
    return list(curve.steps), list(curve.values)


def test_three_metrics_over_five_steps_read_back_in_order(run):
    for step in range(5):
        run.log({"loss": 1.0 / (step + 1), "acc": step / 10}, step=step)
        run.log(lr=0.1)
    run.finish()
    assert values_of(run, "loss") == (
        [0, 1, 2, 3, 4],
        [1.0, 0.5, 1.0 / 3, 0.25, 0.2],
    )
    assert values_of(run, "lr") == ([0, 1, 2, 3, 4], [0.1] * 5)
    assert run.record().status == "finished"


def test_steps_in_any_order_are_kept_and_the_same_step_replaces(run):
    run.log(loss=5.0, step=50)
    run.log(loss=2.0, step=20)
    run.log(loss=6.0, step=50)
    run.finish()
    assert values_of(run, "loss") == ([20, 50], [2.0, 6.0])


def test_the_default_step_goes_on_after_an_explicit_one(run):
    run.log(loss=1.0, step=7)
    run.log(loss=0.5)
    run.finish()
    assert values_of(run, "loss")[0] == [7, 8]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.0])
def test_special_floats_read_back_exactly(run, value):
    run.log(loss=value)
    run.finish()
    back = values_of(run, "loss")[1][0]
    assert math.copysign(1, back) == math.copysign(1, value)
    assert back == value or (math.isnan(back) and math.isnan(value))


def test_numbers_of_other_libraries_are_accepted(run):
    np = pytest.importorskip("numpy")
    run.log(a=3, b=True, c=Decimal("0.5"), d=np.float32(0.25), e=np.array([0.125]))
    run.finish()
    read = [values_of(run, name)[1][0] for name in "abcde"]
    assert read == [3.0, 1.0, 0.5, 0.25, 0.125]


@pytest.mark.parametrize("value", ["high", None, [1, 2], 1 + 2j, object()])
def test_what_is_no_number_is_dropped_with_one_warning(run, value, capsys):
    run.log(score=value, loss=0.5)
    run.log(score=value, loss=0.4)
    run.finish()
    assert run.n_dropped == 2
    assert values_of(run, "loss")[1] == [0.5, 0.4]
    warnings = capsys.readouterr().err.splitlines()
    assert len([line for line in warnings if "'score'" in line]) == 1


@pytest.mark.parametrize("nameless", [3, [1, 2], "loss"])
def test_a_value_without_a_name_is_dropped_and_the_training_goes_on(
    run, nameless, capsys
):
    run.log(nameless)
    run.log(nameless, step=4)
    run.log(loss=1.0)
    assert run.n_dropped == 2
    said = capsys.readouterr().err
    assert said.count(f"{nameless!r} was not logged: it has no name") == 1
    run.finish()
    assert values_of(run, "loss") == ([0], [1.0])


def test_params_that_are_none_are_refused_before_a_run_begins(store_path):
    with pytest.raises(OptionError, match=r"params is 3\. Give a dict"):
        nbtrack.start("never", params=3)
    assert nbtrack.current() is None
    assert nbtrack.open(store_path).runs() == []


def test_params_that_are_none_do_not_stop_a_training(run, capsys):
    run.log_params("lr=0.1")
    assert "params is 'lr=0.1'. Give a dict" in capsys.readouterr().err


def test_nested_values_become_dotted_names(run):
    run.log({"val": {"loss": 0.5, "acc": 0.9}})
    run.finish()
    assert values_of(run, "val.loss")[1] == [0.5]


def test_a_step_that_is_no_whole_number_is_left_out_and_said(run, capsys):
    run.log(loss=0.5, step=0.5)
    assert "whole number" in capsys.readouterr().err
    run.finish()
    assert values_of(run, "loss") == ([0], [0.5])


def test_eight_threads_logging_one_metric_lose_nothing(run):
    def work():
        for _ in range(500):
            run.log(loss=1.0)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run.finish()
    assert values_of(run, "loss")[0] == list(range(4000))


def test_a_second_base_is_shown_as_base_2(store_path):
    names = []
    for _ in range(3):
        with nbtrack.start("base") as run:
            names.append(run.name)
    assert names == ["base", "base-2", "base-3"]


def test_a_run_inside_a_run_is_its_child(run):
    with nbtrack.start("fold") as child:
        assert nbtrack.current() is child
    assert nbtrack.current() is run
    assert child.record().parent == run.id


def test_an_exception_makes_the_run_failed_with_its_traceback(store_path):
    with pytest.raises(ZeroDivisionError), nbtrack.start("base") as run:
        1 / 0  # noqa: B018
    record = run.record()
    assert record.status == "failed"
    assert "ZeroDivisionError" in record.error


def test_ctrl_c_makes_the_run_stopped(store_path):
    with pytest.raises(KeyboardInterrupt), nbtrack.start("base") as run:
        raise KeyboardInterrupt
    assert run.record().status == "stopped"


def test_stop_raises_at_the_next_log_and_only_once(store_path):
    run = nbtrack.start("base")
    run.request_stop("panel")
    with pytest.raises(RunStopped):
        run.log(loss=1.0)
    run.log(loss=2.0)  # the user's own clean-up may still log
    run.finish()
    record = run.record()
    assert (record.status, record.reason) == ("stopped", "Stop pressed (panel)")


def test_a_control_row_stops_the_run(run):
    run.store.control(run.id, "stop", by="sidebar")

    def loop():
        for _ in range(2_000_000):
            run.log(loss=1.0)

    with pytest.raises(RunStopped, match="sidebar"):
        loop()


def test_logging_after_the_end_is_ignored_with_one_warning(run, capsys):
    run.log(loss=1.0)
    run.finish()
    run.log(loss=2.0)
    run.tag("late")
    assert capsys.readouterr().err.count("not kept") == 1
    assert values_of(run, "loss")[1] == [1.0]


def test_tags_notes_and_goals_are_kept(run):
    run.tag("baseline", data="mnist")
    run.tag("wrong")
    run.untag("wrong")
    run.note("first try")
    run.log(bleurt=0.1)
    run.log(bleurt=0.3)
    run.set_goal("bleurt", "min")
    run.finish()
    record = run.record()
    assert record.tags == {"baseline": None, "data": "mnist"}
    assert record.notes == "first try"
    assert record.metrics["bleurt"].best == 0.1


def test_secrets_in_notes_and_tracebacks_never_reach_the_store(store_path):
    secret = "ghp_" + "a1B2c3D4e5" * 4
    run = nbtrack.start(notes=secret)
    run.log_params(api_key=secret)
    with pytest.raises(ValueError, match="ghp"), run:
        raise ValueError(secret)
    nbtrack.open().close()
    files = [path for path in store_path.rglob("*") if path.is_file()]
    assert run.record().status == "failed"
    assert not [path for path in files if secret.encode() in path.read_bytes()]


def test_params_keep_their_types_and_nesting(run):
    run.log_params({"opt": {"lr": 1e-3, "betas": [0.9, 0.99]}}, seed=1, amp=False)
    run.log_params(seed=2)
    run.finish()
    params = {name: p.value for name, p in run.record().params.items()}
    assert params == {"opt.lr": 1e-3, "opt.betas": [0.9, 0.99], "seed": 2, "amp": False}


def test_an_axis_is_kept_beside_the_metric_only_when_it_changes(run):
    for epoch in range(2):
        run.set_axis("epoch", epoch)
        for _ in range(3):
            run.log(loss=1.0)
    run.finish()
    curve = run.store.curve(run.id, "loss")
    assert list(curve.axes["epoch"]) == [0, 0, 0, 1, 1, 1]


def test_names_with_control_characters_are_kept_visible(run):
    run.log({"lo\x1bss\n": 0.5})
    run.finish()
    assert list(run.record().metrics) == [r"lo\x1bss"]


def test_log_without_a_run_is_dropped_with_one_warning(store_path, capsys):
    nbtrack.log(loss=1.0)
    nbtrack.log(loss=1.0)
    assert capsys.readouterr().err.count("without a run") == 1


def test_a_tracked_function_records_its_arguments(store_path):
    @nbtrack.track
    def train(model, lr=0.1, epochs=2):
        nbtrack.log(loss=lr)
        return nbtrack.current()

    run = train(object(), lr=0.5)
    params = {name: p.value for name, p in run.record().params.items()}
    assert params == {"lr": 0.5, "epochs": 2}
    assert run.record().name == "train"


def test_times_are_utc_text_that_sorts():
    assert utc_text(0.5) == "1970-01-01T00:00:00.500000Z"
    assert utc_text(1.0) < utc_text(2.0)
