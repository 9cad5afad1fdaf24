"""Idioms of public notebooks: odd names of curves, telling names of other things."""

from __future__ import annotations

import pytest
from watching import run_watched

TORCHLESS = """
class Number(float):
    def backward(self): pass
    def mean(self): return self
    def item(self): return float(self)
def numbers(): return [Number(n) for n in (3.0, 2.0, 1.0)]
class Plot:
    def plot(self, *args, **kwargs): pass
plt = Plot()
"""

CURVES = {
    "what stands last names it": (
        "label_loss = x\n plot_losses.append(x)",
        "label_loss",
    ),
    "plotted losses": ("plot_losses.append(x)", "plot_loss"),
    "two words": ("learning_rate = x", "learning_rate"),
    "its gradient is taken": ("l = x\n l.mean().backward()", "l"),
    "an accelerator takes it": ("out = x\n accelerator.backward(out)", "out"),
    "kept by split": ("losses['train'].append(x)", "train_loss"),
    "kept by part": ("errors['training'].append(x)", "training_error"),
    "kept in an array": ("J_history[i] = x", "J"),
    "a history": ("theta_history.append(x)", "theta"),
    "lengths of episodes": ("episode_lengths.append(x)", "episode_lengths"),
    "plotted": (
        "durations.append(x)\nplt.plot(range(3), durations, 'r-')",
        "durations",
    ),
    "any key of a history": ("history['recon'].append(x)", "recon"),
    "a best so far that is kept": (
        "history_list.append(x)\n best = x\n hist.append(best)",
        "best",
    ),
    "the norm of a gradient": ("grad_norm = x", "grad_norm"),
    "a dict of losses": ("losses = {'cls': x, 'box': x}", "loss.box"),
    "each of a tuple": ("acc, loss = 0.0, x", "loss"),
}


@pytest.mark.parametrize("shape", CURVES)
def test_a_curve_is_known_by_what_is_done_with_it(shape):
    body, name = CURVES[shape]
    setup = """
from types import SimpleNamespace
accelerator = SimpleNamespace(backward=lambda loss: None)
losses, errors = {"train": []}, {"training": []}
durations, theta_history, plot_losses, J_history = [], [], [], [0.0] * 3
episode_lengths, history, history_list, hist = [], {'recon': []}, [], []
"""
    ran = run_watched(f"for i, x in enumerate(numbers()):\n {body}", TORCHLESS + setup)
    assert ran.error is None
    assert ran.sink.values(name) == [3.0, 2.0, 1.0]


NONE = {
    "a label": "loss_label = x",
    "a best so far": "minimum_loss = x",
    "counters beside a curve": "epochs.append(i)\nplt.plot(epochs, ys)",
    "a step in a dict of losses": "losses['step'] = i",
    "other lists": "ids.append(x)",
}


@pytest.mark.parametrize("shape", NONE)
def test_what_is_no_curve_is_not_watched(shape):
    setup = "epochs, ys, ids, losses = [], [], [], {}"
    ran = run_watched(
        f"for i, x in enumerate(numbers()):\n {NONE[shape]}", TORCHLESS + setup
    )
    assert ran.error is None
    assert ran.names == set()


def test_a_loop_without_a_counter_keeps_what_a_call_gives():
    ran = run_watched(
        "for _ in range(2):\n losses['train'].append(len('ab'))",
        "losses = {'train': []}",
    )
    assert ran.sink.values("train_loss") == [2.0, 2.0]


def test_a_value_and_the_list_it_goes_into_are_one_curve():
    ran = run_watched(
        "G_losses = []\nfor x in numbers():\n errG = x\n G_losses.append(errG.item())",
        TORCHLESS,
    )
    assert ran.names == {"G_loss"}
    assert ran.sink.values("G_loss") == [3.0, 2.0, 1.0]


def test_a_list_begun_anew_for_each_epoch_leaves_the_name_to_the_value():
    ran = run_watched(
        """
for epoch in range(2):
    batch_errors = []
    for x in numbers():
        loss = x
        batch_errors.append(loss)
""",
        TORCHLESS,
    )
    assert ran.names == {"loss"}


def test_pieces_of_one_loss_are_no_curve():
    ran = run_watched(
        """
for episode in range(2):
    policy_losses = []
    for x in numbers():
        policy_losses.append(x)
    loss = Number(sum(policy_losses))
    loss.backward()
""",
        TORCHLESS,
    )
    assert ran.names == {"loss"}
    assert ran.sink.values("loss") == [6.0, 6.0]


def test_losses_of_single_samples_within_one_step_are_no_curve():
    step = """
def step():
    losses = [float(x) for x in numbers()]
    scores = [max(x, 0) for x in numbers()]
    data_loss = sum(losses)
    return data_loss, scores
"""
    ran = run_watched(
        "for k in range(2):\n total_loss, scores = step()", TORCHLESS, step
    )
    assert ran.names == {"total_loss"}


def test_a_first_value_before_the_loop_that_sets_it_is_no_point():
    ran = run_watched(
        """
for episode in range(2):
    reward, n = 0.0, 0
    for x in numbers():
        reward = x
""",
        TORCHLESS,
    )
    assert ran.sink.values("reward") == [3.0, 2.0, 1.0] * 2


def test_a_function_called_for_itself_keeps_its_loss_though_another_call_is_used():
    setup = """
def loss_batch(x):
    loss = x * 2
    return loss, 1
"""
    ran = run_watched(
        """
for epoch in range(2):
    for x in numbers():
        loss_batch(x)
    losses, nums = zip(*[loss_batch(x) for x in numbers()])
    val_loss = sum(losses) / sum(nums)
""",
        TORCHLESS,
        setup,
    )
    assert ran.sink.values("loss") == [6.0, 4.0, 2.0] * 4
    assert ran.sink.values("val_loss") == [4.0, 4.0]


TRAINER = """
kept = []
class Trainer:
    def fit(self):
        def run_epoch(split):
            for i, x in enumerate(numbers()):
                loss = x
            return loss
        kept.append(run_epoch)
        for epoch in range(2):
            train_loss = run_epoch("train")
"""


def test_functions_inside_methods_of_earlier_cells_are_watched_and_put_back():
    ran = run_watched("Trainer().fit()", TORCHLESS, TRAINER)
    assert ran.sink.values("loss") == [3.0, 2.0, 1.0] * 2
    assert ran.sink.axis("loss", "epoch") == [0, 0, 0, 1, 1, 1]
    before = len(ran.sink.points)
    assert ran.namespace["kept"][0]("later") == 1.0
    assert len(ran.sink.points) == before


def test_a_deleted_loss_is_read_before_it_goes():
    ran = run_watched(
        """
for i in range(2):
    loss = i
    try:
        loss = loss * 2
        del loss
    finally:
        pass
"""
    )
    assert ran.error is None
    assert ran.sink.values("loss") == [0.0, 1.0]


# -- values that are only told --------------------------------------------------------

TOLD = {
    "a sum divided in an f-string": (
        "print(f'Loss: {running_loss / 2:.3f}')",
        "running_loss",
    ),
    "a share in an f-string": ("print(f'Test Acc: {100 * hits / n} %')", "test_acc"),
    "a share by format": (
        "print('epoch {} | Accuracy of the model: {:.2f} %'.format(k, hits / n))",
        "accuracy",
    ),
    "a share by percent": ("print('%d: acc %.1f%%' % (k, hits / n))", "acc"),
    "one value by percent": ("print('acc: %.1f' % (hits / n))", "acc"),
    "a label beside it": ("print('val acc', hits / n)", "val_acc"),
    "a rounded call": ("print('MAE:', round(distance(x, 1), 2))", "mae"),
    "a mean of what is kept": ("print(f'mean F1: {mean([hits, 1])} +- 2')", "mean_f1"),
    "a call": ("print(f'MAE: {distance(x, 1):.3f}')", "mae"),
    "an evaluation": ("print(evaluate(x), end=' ')", "evaluate"),
    "an average": ("print(f'{losses.avg:.3f}')", "avg_loss"),
    "tensorboard": (
        "writer.add_scalar('Loss/train', running_loss / 2, k)",
        "Loss/train",
    ),
    "another tracker": (
        "wandb.log({'epoch': k, 'train_loss': running_loss / 2})",
        "train_loss",
    ),
}
TOLD_SETUP = """
from types import SimpleNamespace
def distance(a, b): return abs(a - b)
def evaluate(a): return a
def mean(values): return sum(values) / len(values)
losses = SimpleNamespace(avg=0.5)
writer = SimpleNamespace(add_scalar=lambda *args: None)
wandb = SimpleNamespace(log=lambda values: None)
"""


@pytest.mark.parametrize("shape", TOLD)
def test_a_metric_that_is_only_told_is_a_curve(shape, capsys):
    statement, name = TOLD[shape]
    cell = f"""
for k in range(3):
    running_loss, hits, n = 0.0, 0, 0
    for x in (1.0, 2.0):
        running_loss += x
        hits += 1
        n += 2
    {statement}
"""
    plain: dict[str, object] = {}
    exec(TOLD_SETUP + cell, plain)
    said = capsys.readouterr().out
    ran = run_watched(cell, TOLD_SETUP)
    assert ran.error is None
    assert capsys.readouterr().out == said
    assert len(ran.sink.values(name)) == 3
    assert ran.names == {name}
    assert ran.sink.axis(name, "k") == [0, 1, 2]


NOT_TOLD = {
    "a watched name": "print(f'loss {loss:.3f} acc {loss * 100:.1f}')",
    "made of one": "print('ppl', pow(2, loss))",
    "no metric": "print(f'{k}: {len(str(k))} {n / 2}')",
    "text": "print('loss: {}'.format(str(loss)))",
    "to another tracker": "wandb.log({'epoch': k, 'loss': loss})",
}


@pytest.mark.parametrize("shape", NOT_TOLD)
def test_what_is_watched_or_no_metric_is_not_told_again(shape):
    cell = f"n = 0\nfor k in range(3):\n n += 1\n loss = 1.0 * k\n {NOT_TOLD[shape]}"
    ran = run_watched(cell, TOLD_SETUP)
    assert ran.error is None
    assert ran.names == {"loss"}


def test_a_mean_that_is_told_each_time_is_kept_rather_than_its_sum():
    ran = run_watched(
        """
for k in range(2):
    train_loss = 0.0
    for x in (1.0, 2.0):
        train_loss += x
    print(train_loss / 2)
"""
    )
    assert ran.sink.values("train_loss") == [1.5, 1.5]


def test_a_share_divided_in_place_and_scaled_for_the_eye_is_a_curve():
    test = """
def test_loop(k):
    test_loss, correct = 0, 0
    for x in (1.0, 2.0):
        test_loss += x
        correct += 1
    test_loss /= 2
    correct /= 4
    print(f"Test Error: Accuracy: {(100 * correct):>0.1f}%, Avg loss: {test_loss:>8f}")
"""
    ran = run_watched("for k in range(3):\n test_loop(k)", test)
    assert ran.sink.values("accuracy") == [50.0] * 3
    assert ran.sink.values("test_loss") == [1.5] * 3
    assert ran.names == {"accuracy", "test_loss"}


def test_entries_of_a_dict_that_is_handed_out_are_watched_once():
    train = """
def train_epoch():
    epoch_loss = len("ab") / 2
    metrics = {"train_loss": epoch_loss, "train_acc": 0.5}
    return metrics
"""
    ran = run_watched("for k in range(2):\n train_metrics = train_epoch()", train)
    assert {"train_loss", "train_acc"} <= ran.names
    assert not [name for name in ran.names if name.endswith("_2")]


# -- results behind the loops ---------------------------------------------------------


def test_a_result_behind_the_loops_is_one_point():
    ran = run_watched("lr = float('0.1')\ntest_acc = len('ab') / 4\nn_errors = 3")
    assert ran.names == {"test_acc"}
    assert ran.sink.values("test_acc") == [0.5]


def test_a_test_loop_of_the_cell_itself_gives_one_point_each():
    ran = run_watched(
        """
test_loss, correct, total = 0.0, 0, 0
for x in (1.0, 2.0):
    test_loss += x
    correct += 1
    total += 2
test_loss /= 2
accuracy = correct / total
"""
    )
    assert ran.sink.values("test_loss") == [1.5]
    assert ran.sink.values("accuracy") == [0.5]


def test_a_result_leaves_the_plain_name_to_the_curve_of_a_function():
    train = """
def train():
    for epoch in range(3):
        acc = epoch / 2
def test(): return 0.75
"""
    ran = run_watched("train()\nacc = test()", train)
    assert ran.sink.values("acc") == [0.0, 0.5, 1.0]
    assert ran.sink.values("acc_2") == [0.75]


def test_a_name_that_loops_set_has_no_result_of_its_own():
    ran = run_watched("loss = abs(-1)\nfor i in range(2):\n loss = i")
    assert ran.names == {"loss"}
    assert ran.sink.values("loss") == [0.0, 1.0]


def test_a_tuple_called_metrics_is_a_curve_for_each_part():
    ran = run_watched("for i in range(2):\n train_metrics = divmod(i, 2)")
    assert ran.names == {"train_metric.0", "train_metric.1"}


def test_a_loop_that_was_never_reached_is_not_reported():
    ran = run_watched("def f():\n for i in range(3): loss = i\nif False: f()")
    assert ran.report.loops == []


def test_the_first_of_several_loop_variables_may_count():
    ran = run_watched(
        "for step, x in zip([5, 6], [1.0, 2.0]):\n loss = x\n"
        "for epoch, x in dict(enumerate([1.0, 2.0])).items():\n val_loss = x"
    )
    assert ran.sink.axis("val_loss", "epoch") == [0, 1]


def test_entries_of_a_dict_of_losses_keep_their_keys():
    ran = run_watched(
        "for i in range(2):\n loss_dict = losses()",
        "def losses(): return {'loss_cls': 1.0, 'loss_mask': 2.0}",
    )
    assert ran.names == {"loss_cls", "loss_mask"}
