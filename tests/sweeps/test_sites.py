"""Where a cell says its values: every other character of it stays."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from nbtrack.errors import OptionError
from nbtrack.sweeps.sites import CellText

CELL = """%%time
# a comment — with é
%matplotlib inline
config = {"lr": 1e-3, "opt": {"name": "sgd"}}
lr, bs = .1, 2**5  # two at once
é = "x"
args.wd = 0.
net = Net(hidden=64)
opt = torch.optim.Adam(net.parameters(), lr=3e-4)
def train(n=5, *, k=3):
    lr = 7
    return lr
for epoch in tqdm(range(1, 10)):
    loss = train(n=6)
for _ in range(7): pass
z = f(lr)
files = !ls
"""


def changed_lines(cell, **values):
    old, new = CELL.splitlines(), cell.with_values(values).splitlines()
    return [line for line, before in zip(new, old, strict=True) if line != before]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("config.lr", 'config = {"lr": 9, "opt": {"name": "sgd"}}'),
        ("config.opt.name", 'config = {"lr": 1e-3, "opt": {"name": 9}}'),
        ("lr", "lr, bs = 9, 2**5  # two at once"),
        ("bs", "lr, bs = .1, 9  # two at once"),
        ("é", "é = 9"),
        ("args.wd", "args.wd = 9"),
        ("net.hidden", "net = Net(hidden=9)"),
        ("hidden", "net = Net(hidden=9)"),
        ("Adam.lr", "opt = torch.optim.Adam(net.parameters(), lr=9)"),
        ("k", "def train(n=5, *, k=9):"),
        ("epoch", "for epoch in tqdm(range(1, 9)):"),
        ("iterations", "for _ in range(9): pass"),
    ],
)
def test_a_name_stands_for_one_literal(name, line):
    assert changed_lines(CellText(CELL), **{name: "9"}) == [line]


def test_the_current_values_are_known_for_a_form():
    values = {site.name: site.value for site in CellText(CELL).sites}
    assert values["lr"] == 0.1
    assert values["bs"] == 32
    assert values["config.opt.name"] == "sgd"
    assert "files" not in values
    assert "z" not in values


def test_what_is_read_from_an_earlier_cell_is_set_above_and_not_changed():
    earlier = {
        "rate": 0.1,
        "cfg": {"a": 2},
        "args": SimpleNamespace(b=3),
        "train": len,
    }
    cell = CellText("%%time\n# hi\ny = train([rate, cfg['a'], args.b])", earlier)
    text = cell.with_values({"rate": "2", "cfg.a": "4", "args.b": "5"})
    assert text.splitlines()[:2] == ["%%time", "# hi"]
    exec(text.removeprefix("%%time"), earlier)
    assert (earlier["rate"], earlier["cfg"], earlier["args"].b) == (2, {"a": 4}, 5)


def test_the_objects_of_earlier_cells_stay_as_they_are():
    args, cfg = SimpleNamespace(b=3), {"a": 2}
    names = {"cfg": cfg, "args": args}
    text = CellText("y = cfg['a'] + args.b", names)
    exec(text.with_values({"cfg.a": "4", "args.b": "5"}), names)
    assert (names["y"], cfg, args.b) == (9, {"a": 2}, 3)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("lrr", "never uses 'lrr'. Did you mean lr?"),
        ("zzz", "It says: config.lr"),
        ("z", "computed in the cell (z = f(lr))"),
        ("n", "said in several places: write loss.n or train.n"),
    ],
)
def test_a_name_that_cannot_be_swept_is_refused(name, said):
    cell = CellText(CELL + "other(n=1)\n")
    with pytest.raises(OptionError) as raised:
        cell.site_of(name)
    assert said in str(raised.value)


def test_a_value_said_in_two_calls_wants_a_variable():
    with pytest.raises(OptionError, match="put it into a variable"):
        CellText("f(lr=1)\nf(lr=2)").site_of("lr")


def test_a_name_that_no_cell_has_set_is_not_read():
    with pytest.raises(OptionError, match=r"no cell has set it yet\. Give it a value"):
        CellText("y = f(rate)", {"f": len}).site_of("rate")


def test_a_later_value_of_a_name_is_a_series_and_stays():
    cell = CellText("lr = 0.1\nfor i in range(3):\n    lr = 0.5\n")
    assert cell.with_values({"lr": "9"}).splitlines() == [
        "lr = 9",
        "for i in range(3):",
        "    lr = 0.5",
    ]


def test_no_python_is_said():
    with pytest.raises(OptionError, match="is no Python"):
        CellText("lr = = 1")
