"""The Trainer of Transformers: its log history, without a callback and with one."""

from __future__ import annotations

import doctest

import pytest

import nbtrack
from nbtrack.errors import MissingExtraError
from nbtrack.tracking.callbacks import huggingface as hooks_of_huggingface

pytestmark = pytest.mark.frameworks
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("accelerate")

TOKENS = 6  # in each text
SPEED = ("runtime", "samples_per_second", "steps_per_second")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def hook():
    made = hooks_of_huggingface.Hook()
    assert transformers.Trainer  # loaded when it is asked for
    made.install()
    yield made
    made.remove()


def texts(n=16):
    made = torch.Generator().manual_seed(n)
    ids = torch.randint(5, 50, (n, TOKENS), generator=made)
    return [{"input_ids": row, "labels": row[0] % 2} for row in ids]


def bert():
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=50,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=16,
        hidden_dropout_prob=0.0,
    )
    return transformers.BertForSequenceClassification(config)


def trainer(callbacks=(), model=None, **options):
    quiet = {
        "output_dir": "outputs",
        "use_cpu": True,
        "disable_tqdm": True,
        "report_to": "none",
        "save_strategy": "no",
        "logging_steps": 2,
        "per_device_train_batch_size": 4,
        "num_train_epochs": 2,
        "learning_rate": 0.01,
    }
    made = transformers.Trainer(
        model=model or bert(),
        args=transformers.TrainingArguments(**{**quiet, **options}),
        train_dataset=texts(),
        eval_dataset=texts(8),
        callbacks=list(callbacks),
    )
    made.remove_callback(transformers.PrinterCallback)
    return made


def points(run, metric):
    curve = run.store.curve(run.id, metric)
    return list(zip(curve.steps.tolist(), curve.values.tolist(), strict=True))


def in_the_history(training, metric):
    history = training.state.log_history
    return [(row["step"], row[metric]) for row in history if metric in row]


def test_the_docstring_examples_run(store_path):
    found = doctest.testmod(hooks_of_huggingface)
    assert (found.failed, found.attempted > 4) == (0, True)


def test_the_numbers_are_those_of_the_log_history(run, hook):
    training = trainer(eval_strategy="epoch")
    training.train()
    run.finish()
    names = {name for row in training.state.log_history for name in row}
    names -= {"step", "epoch"}
    assert names >= {"loss", "eval_loss", "learning_rate", "grad_norm", "train_loss"}
    assert {n: points(run, n) for n in names} == {
        n: in_the_history(training, n) for n in names
    }
    assert [step for step, _ in points(run, "loss")] == [2, 4, 6, 8]
    epochs = nbtrack.curve(run.id, "loss")["epoch"].tolist()
    assert epochs == [0.5, 1.0, 1.5, 2.0]


def test_samples_and_tokens_are_counted_without_asking(run, hook):
    trainer(gradient_accumulation_steps=2).train()
    run.finish()
    speed = {name: run.record().metrics[f"perf/{name}_per_s"].last for name in UNITS}
    assert speed["samples"] / speed["it"] == pytest.approx(8)
    assert speed["tokens"] / speed["samples"] == pytest.approx(TOKENS)


UNITS = ("it", "samples", "tokens")


def test_arguments_and_configuration_are_params_and_no_dump(run, hook):
    trainer(
        metric_for_best_model="accuracy",
        greater_is_better=True,
        hub_token="hf_" + "a1" * 17,
    ).train()
    run.log({"eval_accuracy": 0.5})
    run.finish()
    record = run.record()
    told = {name: param.value for name, param in record.params.items()}
    expected = {"args.learning_rate": 0.01, "args.num_train_epochs": 2}
    expected |= {"args.lr_scheduler_type": "linear", "config.hidden_size": 8}
    expected |= {"config.model_type": "bert", "train_loader.samples": 16}
    expected |= {"model": "BertForSequenceClassification"}
    assert {name: told.get(name) for name in expected} == expected
    assert told["optimizer"] == "AdamW"
    assert len(told) < 90
    assert "hf_a1" not in str(told)
    sizes = [p.numel() * p.element_size() for p in bert().state_dict().values()]
    assert record.model_bytes >= sum(sizes)
    assert record.metrics["eval_accuracy"].goal == "max"


def test_a_tracked_cell_keeps_metrics_and_weights_with_no_callback(shell):
    shell.user_ns.update(trainer=trainer)
    shell.run_line_magic("load_ext", "nbtrack")
    before = transformers.Trainer.train, transformers.PreTrainedModel.save_pretrained
    shell.run_cell(
        "%%track base\n"
        "t = trainer(save_strategy='epoch', eval_strategy='epoch')\n"
        "t.train()\n"
        "t.save_model('models/mine')"
    ).raise_error()
    after = transformers.Trainer.train, transformers.PreTrainedModel.save_pretrained
    assert after == before
    record = nbtrack.open().run("base")
    assert (record.status, record.metrics["loss"].n) == ("finished", 4)
    kept = [(c.name, c.step) for c in record.checkpoints]
    name = "bertforsequenceclassification"
    assert kept == [(name, 4), (name, 8), ("mine", 8)]  # no states, and no doubles
    values = [c.metrics["eval_loss"] for c in record.checkpoints[:2]]
    assert values == nbtrack.curve("base", "eval_loss")["value"].tolist()
    assert "classifier.weight" in nbtrack.load_checkpoint("base", step=4)


def test_a_callback_of_the_users_and_the_hook_make_no_doubles(run, hook):
    given = nbtrack.TransformersCallback()
    training = trainer(callbacks=[given])
    training.train()
    run.finish()
    assert run.record().metrics["loss"].n == 4
    assert training.callback_handler.callbacks.count(given) == 1


def test_a_callback_by_hand_records_and_without_a_run_says_so_once(store_path, capsys):
    with nbtrack.start() as run:
        trainer(
            callbacks=[nbtrack.TransformersCallback],  # a class will do, as anywhere
            save_strategy="epoch",
            include_num_input_tokens_seen="all",
        ).train()
    record = run.record()
    assert record.metrics["loss"].n == 4
    speed = {name: record.metrics[f"perf/{name}_per_s"].last for name in UNITS}
    assert speed["samples"] / speed["it"] == pytest.approx(4)
    assert speed["tokens"] / speed["samples"] == pytest.approx(TOKENS)
    assert [c.step for c in record.checkpoints] == [4, 8]
    for _ in range(2):
        training = trainer(callbacks=[nbtrack.TransformersCallback()])
        training.train()
    assert capsys.readouterr().err.count("TransformersCallback was used without") == 1
    assert training.state.global_step == 8


def test_the_trainer_is_left_as_it_was(run, hook):
    training = trainer()
    before = list(training.callback_handler.callbacks)
    training.train()
    assert training.callback_handler.callbacks == before
    hook.remove()
    assert not hasattr(transformers.Trainer.train, "__wrapped__")


def stopping():
    class Stopping(transformers.TrainerCallback):
        def on_step_end(self, args, state, control, **_):
            if state.global_step == 1:
                nbtrack.current().request_stop("panel")

    return Stopping()


def test_stop_ends_the_training_softly_and_the_code_goes_on(run, hook):
    training = trainer(num_train_epochs=50, callbacks=[stopping()], logging_steps=1)
    result = training.train()
    run.finish()
    assert (result.global_step, run.status) == (2, "stopped")
    assert [step for step, _ in points(run, "loss")] == [1, 2]


def test_a_second_training_continues_the_steps(run, hook):
    model = bert()
    trainer(model=model).train()
    again = trainer(model=model, save_strategy="epoch")
    again.train()
    again.args.num_train_epochs = 3
    again.train(resume_from_checkpoint=True)  # its own steps go on: 9 to 12
    run.finish()
    assert [step for step, _ in points(run, "loss")] == list(range(2, 21, 2))
    assert nbtrack.curve(run.id, "loss")["epoch"].tolist()[-1] == 5.0


def test_evaluation_and_prediction_alone_are_kept_at_the_last_step(run, hook):
    training = trainer()
    training.train()
    told = training.evaluate()
    tested = training.predict(texts(8)).metrics
    run.finish()
    assert points(run, "eval_loss") == [(8, told["eval_loss"])]
    assert points(run, "test_loss") == [(8, tested["test_loss"])]


def test_a_failure_of_ours_changes_nothing_and_is_said_once(
    run, hook, capsys, monkeypatch
):
    def weights():
        model = bert()
        trainer(model=model, eval_strategy="epoch").train()
        return torch.cat([each.detach().flatten() for each in model.parameters()])

    def broken(*_):
        raise ValueError("inject")

    hook.remove()
    expected = weights()
    hook.install()
    assert torch.equal(weights(), expected)
    capsys.readouterr()
    monkeypatch.setattr(hooks_of_huggingface, "n_tokens_in", broken)
    assert torch.equal(weights(), expected)
    assert capsys.readouterr().err.count("inject") == 1


def test_an_exception_passes_and_the_next_training_is_recorded(run, hook, monkeypatch):
    training = trainer()

    def failing(*_, **__):
        raise ValueError("theirs")

    with monkeypatch.context() as patched:
        patched.setattr(training, "compute_loss", failing)
        with pytest.raises(ValueError, match="theirs"):
            training.train()
    training.train()
    run.finish()
    assert run.record().metrics["loss"].n == 4


def test_only_rank_0_logs(run, monkeypatch):
    training = trainer(callbacks=[nbtrack.TransformersCallback()])
    monkeypatch.setattr(transformers.Trainer, "is_world_process_zero", lambda _: False)
    training.train()
    run.finish()
    assert run.record().metrics == {}


def test_autolog_gives_a_training_outside_of_runs_one_of_its_own(store_path):
    nbtrack.autolog("huggingface")
    trainer().train()
    name = "bertforsequenceclassification"
    assert nbtrack.runs()[["name", "status"]].values.tolist() == [[name, "finished"]]


def test_without_transformers_the_way_out_is_named(monkeypatch):
    monkeypatch.setitem(hooks_of_huggingface.sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r"nbtrack\[frameworks\]"):
        hooks_of_huggingface.TransformersCallback()
