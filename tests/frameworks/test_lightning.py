"""Lightning: the numbers of its own logger, without a callback and with one."""

from __future__ import annotations

import csv
import doctest
import os
import signal

import pytest

import nbtrack
from nbtrack.errors import MissingExtraError
from nbtrack.tracking.callbacks import lightning as hooks_of_lightning

pytestmark = pytest.mark.frameworks
torch = pytest.importorskip("torch")
L = pytest.importorskip("lightning.pytorch")

from lightning.pytorch.callbacks import (  # noqa: E402 - only where it is installed
    Callback,
    EarlyStopping,
    ModelCheckpoint,
)
from lightning.pytorch.loggers import CSVLogger  # noqa: E402


class Net(L.LightningModule):
    def __init__(self, lr=0.1, hidden=4):
        super().__init__()
        self.save_hyperparameters()
        self.net = torch.nn.Sequential(
            torch.nn.Linear(3, hidden), torch.nn.Linear(hidden, 1)
        )

    def training_step(self, batch, _):
        loss = self.net(batch[0]).pow(2).mean()
        self.log("train_loss", loss, on_step=True, on_epoch=True)
        return loss

    def on_train_epoch_end(self):
        self.log("late", float(self.current_epoch))

    def validation_step(self, batch, _):
        self.log("val_loss", self.net(batch[0]).pow(2).mean())

    def test_step(self, batch, batch_idx):
        self.log("test_loss", self.net(batch[0]).pow(2).mean())

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=self.hparams.lr)
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 1)]


class Dictionaries(Net):
    """Batches as language models have them."""

    def training_step(self, batch, _):
        return self.net(batch["input_ids"].float()[:, :3]).pow(2).mean()


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def hook():
    made = hooks_of_lightning.Hook()
    made.install()
    yield made
    made.remove()


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Net()


def loader(n=20):
    made = torch.Generator().manual_seed(n)
    data = torch.utils.data.TensorDataset(torch.randn(n, 3, generator=made))
    return torch.utils.data.DataLoader(data, batch_size=4)


def trainer(**options):
    quiet = {
        "accelerator": "cpu",
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "log_every_n_steps": 1,
        "max_epochs": 2,
    }
    return L.Trainer(**{**quiet, **options})


def points(run, metric):
    curve = run.store.curve(run.id, metric)
    return list(zip(curve.steps, curve.values, strict=True))


def in_the_csv(logger, metric):
    with open(os.path.join(logger.log_dir, "metrics.csv")) as file:
        rows = [row for row in csv.DictReader(file) if row[metric]]
    return [(int(row["step"]), pytest.approx(float(row[metric]))) for row in rows]


def test_the_docstring_examples_run(store_path):
    found = doctest.testmod(hooks_of_lightning)
    assert (found.failed, found.attempted > 3) == (0, True)


def test_the_numbers_are_those_of_lightnings_own_logger(run, hook, net):
    logger = CSVLogger("logs")
    trainer(logger=logger).fit(net, loader(), loader(8))
    run.finish()
    names = ("train_loss_step", "train_loss_epoch", "val_loss", "late")
    assert {n: points(run, n) for n in names} == {
        n: in_the_csv(logger, n) for n in names
    }
    assert [step for step, _ in points(run, "train_loss_step")] == list(range(10))
    assert "train_loss" not in run.record().metrics  # it is there as step and as epoch


def test_epochs_rate_and_speed_stand_beside_the_metrics(run, hook, net):
    trainer().fit(net, loader(), loader(8))
    run.finish()
    curve = nbtrack.curve(run.id, "train_loss_step")
    assert curve["epoch"].tolist() == [0.0] * 5 + [1.0] * 5
    rates = {step: round(rate, 6) for step, rate in points(run, "lr")}
    assert rates == {0: 0.1, 4: 0.1, 5: 0.01, 9: 0.01}
    per_s = run.record().metrics
    ratio = per_s["perf/samples_per_s"].last / per_s["perf/it_per_s"].last
    assert (ratio, per_s["perf/it_per_s"].n) == (pytest.approx(4), 2)


def test_tokens_are_counted_where_batches_hold_token_ids(run, hook):
    batches = [{"input_ids": torch.ones(2, 8, dtype=torch.long)}] * 3
    data = torch.utils.data.DataLoader(batches, batch_size=None)
    trainer(max_epochs=1).fit(Dictionaries(), data)
    run.finish()
    per_s = run.record().metrics
    ratio = per_s["perf/tokens_per_s"].last / per_s["perf/samples_per_s"].last
    assert ratio == pytest.approx(8)


def test_settings_are_params_and_the_size_of_the_model_is_kept(run, hook, net):
    early = EarlyStopping("val_loss", mode="max", patience=7)
    trainer(callbacks=[early], gradient_clip_val=0.5).fit(net, loader(), loader(8))
    run.finish()
    record = run.record()
    told = {name: param.value for name, param in record.params.items()}
    expected = {"hparams.lr": 0.1, "hparams.hidden": 4, "trainer.max_epochs": 2}
    expected |= {"trainer.gradient_clip_val": 0.5, "optimizer": "SGD", "model": "Net"}
    expected |= {"train_loader.batch_size": 4, "early_stopping.patience": 7}
    expected |= {"model.parameters": 21, "scheduler.gamma": 0.1}
    assert {name: told.get(name) for name in expected} == expected
    assert len(told) < 50  # settings, no dump
    assert (record.model_bytes, record.metrics["val_loss"].goal) == (84, "max")


def test_checkpoints_of_lightning_are_kept_once_with_step_and_metrics(shell, tmp_path):
    shell.user_ns.update(Net=Net, loader=loader, trainer=trainer, M=ModelCheckpoint)
    shell.run_line_magic("load_ext", "nbtrack")
    shell.run_cell(
        "%%track base\n"
        "t = trainer(enable_checkpointing=True, callbacks=[M(dirpath='models',"
        " filename='{epoch}-{val_loss:.2f}', save_top_k=-1)])\n"
        "t.fit(Net(), loader(), loader(8))"
    ).raise_error()
    record = nbtrack.open().run("base")
    kept = [(c.name, c.step) for c in record.checkpoints]
    assert kept == [("net", 4), ("net", 9)]  # and none found again by the sweep
    values = [c.metrics["val_loss"] for c in record.checkpoints]
    assert values == nbtrack.curve("base", "val_loss")["value"].tolist()
    assert "state_dict" in nbtrack.load_checkpoint("base", step=4, trust=True)


def test_a_tracked_cell_needs_no_callback(shell):
    shell.user_ns.update(Net=Net, loader=loader, trainer=trainer)
    shell.run_line_magic("load_ext", "nbtrack")
    fit = L.Trainer.fit
    shell.run_cell("%%track base\ntrainer().fit(Net(), loader())").raise_error()
    record = nbtrack.open().run("base")
    assert (record.status, record.metrics["train_loss_step"].n) == ("finished", 10)
    assert record.params["hparams.lr"].value == 0.1
    assert L.Trainer.fit is fit


def test_a_callback_of_the_users_and_the_hook_make_no_doubles(run, hook, net):
    given = nbtrack.LightningCallback()
    training = trainer(callbacks=[given])
    training.fit(net, loader())
    run.finish()
    assert run.record().metrics["train_loss_step"].n == 10
    assert [cb for cb in training.callbacks if cb is given] == [given]


def test_a_callback_by_hand_records_and_without_a_run_says_so_once(
    store_path, net, capsys
):
    with nbtrack.start() as run:
        trainer(callbacks=[nbtrack.LightningCallback()]).fit(net, loader())
    assert run.record().metrics["train_loss_epoch"].n == 2
    for _ in range(2):
        training = trainer(callbacks=[nbtrack.LightningCallback()])
        training.fit(net, loader())
    assert capsys.readouterr().err.count("LightningCallback was used without") == 1
    assert training.global_step == 10


def test_the_trainer_is_left_as_it_was(run, hook, net):
    training = trainer()
    before = list(training.callbacks)
    training.fit(net, loader())
    assert training.callbacks == before
    assert "save_checkpoint" not in vars(training)
    assert "log_metrics" not in vars(training._logger_connector)
    hook.install()
    hook.remove()
    assert not hasattr(L.Trainer.fit, "__wrapped__")


class Stopping(Callback):
    def on_train_batch_end(self, trainer, *_):
        if trainer.global_step == 1:
            nbtrack.current().request_stop("panel")


def test_stop_ends_the_fit_softly_and_the_code_goes_on(run, hook, net):
    training = trainer(max_epochs=50, callbacks=[Stopping()])
    training.fit(net, loader(), loader(8))
    run.finish()
    assert training.global_step == 2  # the one after the press
    assert (run.status, run.record().metrics["val_loss"].n) == ("stopped", 1)


@pytest.mark.filterwarnings("ignore:To exit")  # IPython, of every SystemExit
def test_ctrl_c_in_a_fit_is_a_stopped_run_though_lightning_exits(shell, monkeypatch):
    before = signal.getsignal(signal.SIGINT)

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Net, "training_step", interrupted)
    shell.user_ns.update(Net=Net, loader=loader, trainer=trainer)
    shell.run_line_magic("load_ext", "nbtrack")
    result = shell.run_cell("%%track base\ntrainer().fit(Net(), loader())")
    signal.signal(signal.SIGINT, before)  # Lightning has switched it off
    assert isinstance(result.error_in_exec, SystemExit)
    found = nbtrack.open().run("base")
    assert (found.status, found.error) == ("stopped", None)


def test_a_second_fit_continues_the_steps_and_epochs(run, hook, net):
    trainer(max_epochs=1).fit(net, loader())
    again = trainer(max_epochs=1)
    again.fit(net, loader())
    again.fit_loop.max_epochs = 2
    again.fit(net, loader())
    run.finish()
    assert [step for step, _ in points(run, "train_loss_step")] == list(range(15))
    epochs = nbtrack.curve(run.id, "train_loss_step")["epoch"].tolist()
    assert epochs == [0.0] * 5 + [1.0] * 5 + [2.0] * 5


def test_validation_and_test_alone_are_kept_at_the_last_step(run, hook, net):
    fitted = trainer(max_epochs=1)
    fitted.fit(net, loader())
    fitted.validate(net, loader(8), verbose=False)
    tested = trainer().test(net, loader(8), verbose=False)
    run.finish()
    assert [step for step, _ in points(run, "val_loss")] == [5]
    assert points(run, "test_loss") == [(5, pytest.approx(tested[0]["test_loss"]))]


def test_points_keep_to_steps_of_the_optimizer_where_gradients_accumulate(
    run, hook, net
):
    logger = CSVLogger("logs")
    trainer(logger=logger, accumulate_grad_batches=2).fit(net, loader())
    run.finish()
    assert points(run, "train_loss_step") == in_the_csv(logger, "train_loss_step")


def test_a_failure_of_ours_changes_nothing_and_is_said_once(
    run, hook, capsys, monkeypatch
):
    def weights(**options):
        torch.manual_seed(1)
        module = Net()
        trainer(**options).fit(module, loader(), loader(8))
        return torch.cat([p.detach().flatten() for p in module.parameters()])

    def broken(*_):
        raise ValueError("inject")

    hook.remove()
    expected = weights()
    hook.install()
    assert torch.equal(weights(), expected)
    capsys.readouterr()
    monkeypatch.setattr(hooks_of_lightning, "n_samples_in", broken)
    assert torch.equal(weights(), expected)
    assert capsys.readouterr().err.count("inject") == 1


def test_an_exception_passes_and_leaves_nothing_behind(run, hook, net, monkeypatch):
    def failing(*_):
        raise ValueError("theirs")

    monkeypatch.setattr(net, "training_step", failing)
    training = trainer()
    with pytest.raises(ValueError, match="theirs"):
        training.fit(net, loader())
    assert "log_metrics" not in vars(training._logger_connector)
    assert not any(isinstance(c, nbtrack.LightningCallback) for c in training.callbacks)


def test_only_rank_0_logs(run, net, monkeypatch):
    training = trainer(callbacks=[nbtrack.LightningCallback()])
    monkeypatch.setattr(type(training.strategy), "is_global_zero", False)
    training.fit(net, loader())
    run.finish()
    assert run.record().metrics == {}


def test_the_other_package_name_is_hooked_into_as_well(run, hook, net):
    other = pytest.importorskip("pytorch_lightning")
    hook.install()
    from pytorch_lightning.demos.boring_classes import BoringModel

    options = {"logger": False, "enable_checkpointing": False, "max_epochs": 1}
    options |= {"enable_progress_bar": False, "enable_model_summary": False}
    other.Trainer(accelerator="cpu", limit_train_batches=3, **options).fit(
        BoringModel()
    )
    run.finish()
    assert run.record().params["model"].value == "BoringModel"


def test_without_lightning_the_way_out_is_named(monkeypatch):
    for package in hooks_of_lightning.PACKAGES:
        monkeypatch.delitem(hooks_of_lightning.sys.modules, package, raising=False)
    monkeypatch.setattr(hooks_of_lightning, "PACKAGES", ("no_such_lightning",))
    with pytest.raises(MissingExtraError, match=r"nbtrack\[frameworks\]"):
        hooks_of_lightning.LightningCallback()
