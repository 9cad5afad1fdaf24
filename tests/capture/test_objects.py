"""Real objects of torch and scikit-learn, and what is told of them."""

import pytest

from nbtrack.capture.objects import describe, is_describable
from nbtrack.capture.params import CellCapture
from nbtrack.capture.session import SessionLog


def told(value, name="x"):
    notices = []
    leaves = dict(describe(value, name=name, tell=notices.append))
    assert notices == []
    return leaves


def test_optimizer_tells_class_and_hyper_parameters():
    torch = pytest.importorskip("torch")

    layer = torch.nn.Linear(2, 1)
    found = told(torch.optim.AdamW(layer.parameters(), lr=0.01), "opt")
    assert found["opt"] == "AdamW"
    assert (found["opt.lr"], found["opt.betas"]) == (0.01, [0.9, 0.999])
    assert found["opt.weight_decay"] == 0.01
    assert "opt.foreach" not in found


def test_scheduler_does_not_change_the_learning_rate_told():
    torch = pytest.importorskip("torch")

    layer = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
    for _ in range(3):
        optimizer.step()
        scheduler.step()
    assert optimizer.param_groups[0]["lr"] < 0.02
    assert told(optimizer)["x.lr"] == 0.1
    found = told(scheduler)
    assert (found["x"], found["x.step_size"], found["x.gamma"]) == ("StepLR", 1, 0.5)
    assert "x.last_epoch" not in found


def test_param_groups_tell_what_differs():
    torch = pytest.importorskip("torch")

    a, b = torch.nn.Linear(2, 1), torch.nn.Linear(2, 1)
    groups = [{"params": a.parameters()}, {"params": b.parameters(), "lr": 0.5}]
    found = told(torch.optim.SGD(groups, lr=0.1))
    assert (found["x.groups"], found["x.group1.lr"]) == (2, 0.5)
    assert "x.group0.lr" not in found


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda s, o: s.CosineAnnealingLR(o, T_max=10), {"x.T_max": 10}),
        (lambda s, o: s.MultiStepLR(o, [3, 5]), {"x.milestones": [3, 5]}),
        (lambda s, o: s.ReduceLROnPlateau(o, patience=4), {"x.patience": 4}),
        (lambda s, o: s.OneCycleLR(o, max_lr=1.0, total_steps=9), {"x.total_steps": 9}),
    ],
)
def test_schedulers_tell_their_settings(make, expected):
    torch = pytest.importorskip("torch")

    layer = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    found = told(make(torch.optim.lr_scheduler, optimizer))
    assert {name: found[name] for name in expected} == expected


def test_module_tells_sizes_and_layers():
    torch = pytest.importorskip("torch")

    model = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1)
    )
    model[0].weight.requires_grad_(False)
    found = told(model, "model")
    assert found["model"] == "Sequential"
    assert (found["model.parameters"], found["model.trainable"]) == (21, 9)
    assert found["model.layers"][1] == "ReLU()"
    assert len(found["model.layers"]) == 3


def test_long_models_tell_a_short_layer_list():
    torch = pytest.importorskip("torch")

    model = torch.nn.Sequential(*[torch.nn.Linear(1, 1) for _ in range(100)])
    assert told(model)["x.layers"][-1] == "… 68 more"


def test_loss_tells_its_settings():
    torch = pytest.importorskip("torch")

    found = told(torch.nn.CrossEntropyLoss(label_smoothing=0.1), "criterion")
    assert found["criterion"] == "CrossEntropyLoss"
    assert found["criterion.label_smoothing"] == 0.1
    assert "criterion.parameters" not in found


def test_loss_without_constants_tells_its_settings():
    torch = pytest.importorskip("torch")

    assert told(torch.nn.BCEWithLogitsLoss(reduction="sum"))["x.reduction"] == "sum"


def test_optimizer_made_inside_a_function_tells_what_is_written_out():
    torch = pytest.importorskip("torch")

    found = run_cell(
        "def run(lr):\n"
        "    layer = torch.nn.Linear(2, 1)\n"
        "    opt = torch.optim.SGD(layer.parameters(), lr=lr, momentum=0.9)\n"
        "for lr in [0.1, 0.2]:\n    run(lr)\n",
        {"torch": torch},
    )
    assert (found["opt"], found["opt.momentum"]) == ("SGD", 0.9)
    assert "opt.lr" not in found


def test_loader_tells_sizes_without_being_iterated():
    torch = pytest.importorskip("torch")
    from torch.utils.data import DataLoader, TensorDataset

    data = TensorDataset(torch.zeros(10, 3))
    found = told(DataLoader(data, batch_size=4, shuffle=True, drop_last=True))
    assert found == {
        "x": "DataLoader",
        "x.batch_size": 4,
        "x.batches": 2,
        "x.shuffle": True,
        "x.drop_last": True,
        "x.num_workers": 0,
        "x.dataset": "TensorDataset",
        "x.samples": 10,
    }


def test_loader_of_a_stream_has_no_length():
    pytest.importorskip("torch")
    from torch.utils.data import DataLoader, IterableDataset

    class Stream(IterableDataset):
        def __iter__(self):
            return iter(range(3))

    found = told(DataLoader(Stream(), batch_size=2))
    assert found["x.dataset"] == "Stream"
    assert "x.batches" not in found


def test_dataset_tells_its_length():
    torch = pytest.importorskip("torch")
    from torch.utils.data import TensorDataset, random_split

    data = TensorDataset(torch.zeros(10, 3))
    train, _ = random_split(data, [8, 2])
    assert told(train) == {"x": "Subset", "x.samples": 8, "x.dataset": "TensorDataset"}


def test_lazy_module_that_cannot_count_is_a_notice():
    torch = pytest.importorskip("torch")

    notices = []
    leaves = describe(torch.nn.LazyLinear(3), name="m", tell=notices.append)
    assert leaves == [("m", "LazyLinear")]
    assert notices[0].startswith("m not described (")


def test_estimator_tells_get_params():
    from sklearn.ensemble import RandomForestClassifier

    found = told(RandomForestClassifier(n_estimators=50, max_depth=3), "clf")
    assert found["clf"] == "RandomForestClassifier"
    assert (found["clf.n_estimators"], found["clf.max_depth"]) == (50, 3)


def test_pipeline_tells_its_steps_nested():
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    found = told(make_pipeline(StandardScaler(), SVC(C=3)), "pipe")
    assert found["pipe.steps"] == ["standardscaler", "svc"]
    assert (found["pipe.svc"], found["pipe.svc.C"]) == ("SVC", 3)


def test_grid_search_tells_its_grid():
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV

    found = told(GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=3))
    assert (found["x.param_grid.C"], found["x.cv"]) == ([0.1, 1], 3)
    assert found["x.estimator"] == "LogisticRegression"


def test_splitter_tells_its_folds():
    from sklearn.model_selection import KFold

    found = told(KFold(5, shuffle=True, random_state=0))
    assert (found["x.n_splits"], found["x.shuffle"]) == (5, True)


def test_estimator_that_raises_is_a_notice_and_nothing_more():
    from sklearn.base import BaseEstimator

    class Broken(BaseEstimator):
        def get_params(self, deep=True):
            raise RuntimeError("boom")

    notices = []
    assert describe(Broken(), name="b", tell=notices.append) == [("b", "Broken")]
    assert notices == ["b not described (RuntimeError: boom)"]


def test_plain_values_and_classes_are_not_described():
    torch = pytest.importorskip("torch")

    assert not any(
        is_describable(value)
        for value in (3, [1], torch.nn.Linear, torch.zeros(2), print, torch)
    )


def run_cell(source, namespace, *, loops=()):
    namespace.setdefault("__name__", "__main__")
    capture = CellCapture(source, namespace, SessionLog())
    found = capture.at_start()
    exec(source, namespace)
    found += capture.at_end(namespace, loops)
    return {param.name: param.value for param in found}


def test_objects_made_by_the_cell_are_described_at_its_end():
    pytest.importorskip("torch")
    found = run_cell(
        "import torch\n"
        "model = torch.nn.Linear(4, 2)\n"
        "optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)\n"
        "for epoch in range(2):\n    loss = model(torch.ones(1, 4)).sum()\n",
        {},
    )
    assert found["optimizer"] == "Adam"
    assert found["optimizer.lr"] == 0.001
    assert (found["model"], found["model.parameters"]) == ("Linear", 10)
    assert found["epoch"] == 2
    assert not any(name.startswith("loss") for name in found)


def test_objects_of_earlier_cells_are_described_when_read():
    torch = pytest.importorskip("torch")

    model = torch.nn.Linear(4, 2)
    unused = torch.nn.Linear(9, 9)
    found = run_cell(
        "y = model(x)", {"model": model, "unused": unused, "x": torch.ones(4)}
    )
    assert found["model.parameters"] == 10
    assert not any(name.startswith("unused") for name in found)


def test_estimator_rebuilt_in_a_loop_tells_only_what_stays():
    found = run_cell(
        "from sklearn.svm import SVC\n"
        "for C in [0.1, 1]:\n    clf = SVC(C=C, kernel='linear')\n",
        {},
    )
    assert found["C"] == [0.1, 1]
    assert (found["clf"], found["clf.kernel"]) == ("SVC", "linear")
    assert "clf.C" not in found


def test_scalars_of_torch_and_devices_are_inherited():
    torch = pytest.importorskip("torch")

    found = run_cell(
        "t, device, dtype, result",
        {
            "t": torch.tensor(0.5),
            "device": torch.device("cpu"),
            "dtype": torch.float32,
            "result": torch.tensor(1.0, requires_grad=True) * 2,
        },
    )
    assert found == {"t": 0.5, "device": "cpu", "dtype": "torch.float32"}


def test_module_of_the_notebook_tells_its_own_settings():
    pytest.importorskip("torch")
    found = run_cell(
        "import torch\n"
        "class Net(torch.nn.Module):\n"
        "    def __init__(self, hidden=8, p=0.1):\n"
        "        super().__init__()\n"
        "        self.hidden = hidden\n"
        "        self.fc = torch.nn.Linear(2, hidden)\n"
        "net = Net(hidden=16)\n",
        {},
    )
    assert (found["hidden"], found["p"]) == (16, 0.1)
    assert (found["net"], found["net.hidden"], found["net.parameters"]) == (
        "Net",
        16,
        48,
    )
