"""Keras 3 on torch: the numbers of its history, without a callback and with one."""

from __future__ import annotations

import doctest

import numpy as np
import pytest

import nbtrack
from nbtrack.errors import MissingExtraError
from nbtrack.tracking.callbacks import keras as hooks_of_keras

pytestmark = pytest.mark.frameworks
pytest.importorskip("torch")
keras = pytest.importorskip("keras")

RANDOM = np.random.default_rng(0)
X = RANDOM.random((50, 3), dtype=np.float32)
Y = (X.sum(axis=1) > 1.5).astype("float32")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def hook():
    made = hooks_of_keras.Hook()
    made.install()
    yield made
    made.remove()


def net():
    keras.utils.set_random_seed(0)
    layers = [keras.Input((3,)), keras.layers.Dense(4, activation="relu")]
    model = keras.Sequential([*layers, keras.layers.Dense(1, activation="sigmoid")])
    optimizer = keras.optimizers.Adam(0.01)
    model.compile(optimizer=optimizer, loss="binary_crossentropy", metrics=["accuracy"])
    return model


def fit(model, **options):
    return model.fit(X, Y, **{"epochs": 3, "batch_size": 16, "verbose": 0, **options})


def values(run, metric):
    return run.store.curve(run.id, metric).values.tolist()


def steps(run, metric):
    return run.store.curve(run.id, metric).steps.tolist()


def test_the_docstring_examples_run(store_path):
    found = doctest.testmod(hooks_of_keras)
    assert (found.failed, found.attempted > 4) == (0, True)


def test_the_numbers_are_those_of_the_history(run, hook):
    slower = keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.01 / 2**epoch)
    history = fit(net(), validation_split=0.2, callbacks=[slower]).history
    run.finish()
    assert set(history) >= {"loss", "accuracy", "val_loss", "learning_rate"}
    for name, told in history.items():
        assert values(run, name) == pytest.approx(told)
    assert (steps(run, "loss"), run.record().metrics["loss"].n) == ([0, 1, 2], 3)


def test_speed_is_counted_without_asking(run, hook):
    fit(net())
    run.finish()
    speed = run.record().metrics
    ratio = speed["perf/samples_per_s"].last / speed["perf/it_per_s"].last
    assert ratio == pytest.approx(50 / 4)  # three batches of 16, one of 2


def test_settings_are_params_and_the_summary_is_kept(run, hook):
    early = keras.callbacks.EarlyStopping("accuracy", mode="min", patience=9)
    fit(net(), callbacks=early)
    run.finish()
    record = run.record()
    told = {name: param.value for name, param in record.params.items()}
    expected = {"fit.epochs": 3, "fit.batch_size": 16, "fit.samples": 50}
    expected |= {"optimizer": "Adam", "optimizer.learning_rate": 0.01}
    expected |= {"model": "Sequential", "model.loss": "binary_crossentropy"}
    expected |= {"model.parameters": 21, "early_stopping.patience": 9}
    assert {name: told.get(name) for name in expected} == expected
    assert (record.model_bytes, record.metrics["accuracy"].goal) == (84, "min")
    summary = run.store.texts(run.id, "summary")[0].body
    assert "Trainable params: 21" in summary


def test_a_tracked_cell_keeps_metrics_and_checkpoints_with_no_callback(shell):
    shell.user_ns.update(net=net, fit=fit, M=keras.callbacks.ModelCheckpoint)
    shell.run_line_magic("load_ext", "nbtrack")
    before = keras.Model.fit, keras.callbacks.ModelCheckpoint._save_model
    shell.run_cell(
        "%%track base\n"
        "fit(net(), validation_split=0.2, callbacks=[M('models/{epoch}.keras')])"
    ).raise_error()
    assert before == (keras.Model.fit, keras.callbacks.ModelCheckpoint._save_model)
    record = nbtrack.open().run("base")
    assert (record.status, record.metrics["val_loss"].n) == ("finished", 3)
    kept = [(c.name, c.step) for c in record.checkpoints]
    assert kept == [("sequential", 0), ("sequential", 1), ("sequential", 2)]
    tied = [c.metrics["val_loss"] for c in record.checkpoints]
    assert tied == nbtrack.curve("base", "val_loss")["value"].tolist()


def test_a_model_that_the_cell_saves_itself_is_kept_once_as_well(shell):
    shell.user_ns.update(net=net, fit=fit)
    shell.run_line_magic("load_ext", "nbtrack")
    cell = "%%track base\nmodel = net()\nfit(model)\nmodel.save('mine.keras')"
    shell.run_cell(cell).raise_error()
    record = nbtrack.open().run("base")
    assert [(c.name, c.step) for c in record.checkpoints] == [("mine", 2)]


def test_a_callback_of_the_users_and_the_hook_make_no_doubles(run, hook):
    saver = keras.callbacks.ModelCheckpoint("w.weights.h5", save_weights_only=True)
    fit(net(), callbacks=[saver, nbtrack.KerasCallback()])
    run.finish()
    record = run.record()
    assert record.metrics["loss"].n == 3
    assert [(c.name, c.step) for c in record.checkpoints] == [
        ("w", i) for i in range(3)
    ]
    assert [c.metrics["loss"] for c in record.checkpoints] == values(run, "loss")


def test_a_callback_by_hand_records_and_without_a_run_says_so_once(store_path, capsys):
    with nbtrack.start() as run:
        fit(net(), callbacks=[nbtrack.KerasCallback(batch_size=16)])
    metrics = run.record().metrics
    assert (metrics["loss"].n, metrics["perf/samples_per_s"].n) == (3, 3)
    for _ in range(2):
        history = fit(net(), callbacks=[nbtrack.KerasCallback()]).history
    assert capsys.readouterr().err.count("KerasCallback was used without") == 1
    assert len(history["loss"]) == 3


class Stopping(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 0:
            nbtrack.current().request_stop("panel")


def test_stop_ends_the_fit_softly_and_the_code_goes_on(run, hook):
    history = fit(net(), epochs=50, callbacks=[Stopping()]).history
    run.finish()
    assert (len(history["loss"]), run.status) == (1, "stopped")
    assert values(run, "loss") == pytest.approx(history["loss"])


def test_a_second_fit_continues_the_epochs(run, hook):
    model = net()
    fit(model)
    fit(model, epochs=2)
    fit(model, epochs=7, initial_epoch=5)
    run.finish()
    assert steps(run, "loss") == list(range(7))
    params = run.record().params
    assert (params["fit.epochs"].value, params["fit-2.epochs"].value) == (3, 2)


def test_evaluation_alone_is_kept_under_names_of_its_own(run, hook):
    model = net()
    told = model.evaluate(X, Y, verbose=0, return_dict=True)
    fit(model)
    model.evaluate(X, Y, verbose=0)
    run.finish()
    assert steps(run, "eval_loss") == [0, 3]
    assert values(run, "eval_accuracy")[0] == pytest.approx(told["accuracy"])


def test_data_without_a_length_is_trained_on_as_well(run, hook):
    batches = ((X[:10], Y[:10]) for _ in range(4))
    net().fit(batches, epochs=2, steps_per_epoch=2, verbose=0)
    run.finish()
    assert run.record().metrics["loss"].n == 2
    assert run.record().params["fit.steps_per_epoch"].value == 2


def test_a_failure_of_ours_changes_nothing_and_is_said_once(
    run, hook, capsys, monkeypatch
):
    def weights():
        model = net()
        fit(model, validation_split=0.2)
        return np.concatenate([each.ravel() for each in model.get_weights()])

    def broken(*_, **__):
        raise ValueError("inject")

    hook.remove()
    expected = weights()
    hook.install()
    np.testing.assert_array_equal(weights(), expected)
    capsys.readouterr()
    monkeypatch.setattr(hooks_of_keras.FitCall, "n_samples_in", broken)
    np.testing.assert_array_equal(weights(), expected)
    assert capsys.readouterr().err.count("inject") == 1


def test_an_exception_passes_and_leaves_nothing_behind(run, hook):
    class Failing(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise ValueError("theirs")

    model = net()
    with pytest.raises(ValueError, match="theirs"):
        fit(model, callbacks=[Failing()])
    assert model not in hooks_of_keras._open
    assert run.status == "running"
    fit(model, epochs=1)
    run.finish()
    assert steps(run, "loss") == [0, 1]


def test_autolog_gives_a_fit_outside_of_runs_one_of_its_own(store_path):
    nbtrack.autolog("keras")
    fit(net())
    found = nbtrack.runs()
    assert found[["name", "status"]].values.tolist() == [["sequential", "finished"]]


def test_without_keras_the_way_out_is_named(monkeypatch):
    monkeypatch.setitem(hooks_of_keras.sys.modules, "keras", None)
    with pytest.raises(MissingExtraError, match=r"nbtrack\[frameworks\]"):
        hooks_of_keras.KerasCallback()
