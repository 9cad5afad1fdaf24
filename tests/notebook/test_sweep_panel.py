"""The panel of a sweep: the form of a cell, its line, the monitor, trials as cells."""

from __future__ import annotations

import threading
import time

import pytest

import nbtrack
from nbtrack.errors import OptionError
from nbtrack.notebook import sweep_panel as home
from nbtrack.notebook.panels.sweep_feed import SweepFeed
from nbtrack.notebook.panels.sweep_still import best_so_far, still_html
from nbtrack.notebook.panels.sweep_wire import shown_rows, sweep_message
from nbtrack.sweeps.sweep import Row

pytestmark = pytest.mark.usefixtures("plain_surroundings", "without_torch")

CELL = """lr, bs = 0.1, 32
bias = True
best_loss = 1e9
losses = []
for epoch in range(4):
    loss = (lr - 0.03) ** 2 + bs / 1e4 + depth
    losses.append(loss)
    best_loss = min(loss, best_loss)
"""
HOSTILE = "<img src=x onerror='window.hurt=1'>"


@pytest.fixture
def ip(shell):
    home.last.panel = None
    shell.run_cell("%load_ext nbtrack")
    shell.run_cell("depth = 3")
    yield shell
    shell.run_cell("%unload_ext nbtrack")
    home.last.panel = None


def form_of(ip, cell=CELL):
    return ip.run_cell_magic("sweep", "", cell)


def offered(panel):
    return {
        offer.name: (offer.value, offer.guess, offer.where) for offer in panel.offers
    }


class Page:
    """Stands where the widget is: keeps what the kernel sends."""

    feed = None

    def __init__(self):
        self.sent = []

    def send(self, message):
        self.sent.append(message)

    def told(self, kind):
        return [message for message in self.sent if message["type"] == kind]


def test_a_line_without_a_space_shows_the_form_and_runs_nothing(ip):
    panel = form_of(ip)
    assert offered(panel) == {
        "lr": ("0.1", "log(0.01, 1)", "cell"),
        "bs": ("32", "[8, 16, 32, 64, 128]", "cell"),
        "bias": ("True", "[True, False]", "cell"),
        "epoch": ("4", "int(2, 8)", "loop"),
        "depth": ("3", "int(1, 6)", "earlier cell"),
    }
    assert panel.line == "%%sweep --n 20 --metric loss:min"
    assert len(nbtrack.runs()) == 0
    assert "[ ] lr = 0.1   log(0.01, 1)" in repr(panel)


def test_the_form_is_one_line_that_asks_for_the_same(ip):
    from nbtrack.notebook.sweep_magic import asked_of

    panel = form_of(ip)
    panel.space = {
        "lr": "log(1e-3, 1)",
        "bs": "[16, 32] if lr > 0.1",
        "depth": "[1, 2]",
    }
    panel.n, panel.sampler, panel.prune, panel.parallel = 8, "random", "asha", 2
    assert panel.line == (
        "%%sweep lr=log(1e-3, 1) bs=[16, 32] if lr > 0.1 depth=[1, 2] --n 8 "
        "--sampler random --metric loss:min --parallel 2 --prune=asha"
    )
    asked = asked_of(panel.line.removeprefix("%%sweep "), CELL, ip.user_ns)
    assert asked.space.names == ("lr", "bs", "depth")
    again = nbtrack.sweep_panel(CELL)
    again.fill(asked)
    assert again.line == panel.line
    panel.sampler, panel.n, panel.prune, panel.parallel = "grid", None, "", 1
    panel.space = {"bs": "[16, 32]", "depth": "int(1, 3)"}
    assert panel.budget == "6 runs × unknown: run the cell once"


@pytest.mark.parametrize(
    ("part", "value", "why"),
    [
        ("space", {"lr": "log(1, .1)"}, "inverted"),
        ("space", {"lrr": "[1]"}, "never uses"),
        ("space", {"lr": "[1] [2]"}, "more than one value"),
        ("n", 0, "whole number from 1 on"),
        ("sampler", "magic", "Unknown sampler"),
        ("metric", "speed", "small or large"),
        ("parallel", 1000, "1 to 256"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(ip, part, value, why):
    panel = form_of(ip)
    before = panel.form
    with pytest.raises(OptionError, match=why):
        setattr(panel, part, value)
    assert panel.form == before


def test_the_budget_goes_by_how_long_the_cell_took(ip):
    ip.run_cell(f"%%track base --no-live\n{CELL}")
    took = next(c for c in home.process_session().executed.cells if "base" in c.source)
    took.duration_s = 41.0
    panel = ip.run_line_magic("panel", "sweep")
    panel.parallel = 2
    assert panel.text == CELL
    assert panel.budget == "20 runs × 41 s = 14 min, 2 workers → 7 min"


def test_a_page_ticks_types_and_is_told_what_is_wrong(ip):
    panel = form_of(ip)
    panel._view = page = Page()
    panel._hear({"type": "hello"})
    [form] = page.told("form")
    assert [row[1] for row in form["rows"]] == list(offered(panel))
    assert not form["is_ready"]
    panel._hear({"type": "form", "form": {"ticked": ["lr"], "n": "x", "spaces": {
        "lr": "log(1, .1)", "unknown": "1"}}})  # fmt: skip
    form = page.told("form")[-1]
    assert "inverted" in form["rows"][0][-1]
    assert form["slips"]["n"] == "n is a whole number, not 'x'."
    panel._hear({"type": "start"})
    assert "inverted" in page.told("form")[-1]["problem"]
    panel._hear({"type": "form", "form": {"n": "2", "spaces": {"lr": "[1, 2]"}}})
    form = page.told("form")[-1]
    assert form["is_ready"]
    assert form["line"] == "%%sweep lr=[1, 2] --n 2 --metric loss:min"
    panel._hear({"type": "promote", "number": 0})
    assert page.told("said")[-1]["text"] == "There is no sweep yet: start one."


def test_a_sweep_of_the_kernel_can_be_looked_at_and_a_trial_becomes_a_cell(ip):
    line = "lr=[0.1, 0.03] depth=[1, 2] --sampler grid -t mine"
    sweep = ip.run_cell_magic("sweep", line, CELL)
    panel = ip.run_line_magic("panel", "sweep")
    assert panel.sweep is sweep
    assert panel.space == {"lr": "[0.1, 0.03]", "depth": "[1, 2]"}
    assert not panel.is_running
    message = sweep_message(sweep, n_total=4)
    assert [row[0] for row in message["rows"]] == [2, 0, 3, 1]
    assert message["rows"][0][3] == ["0.03", "1"]
    assert message["curve"] == [[n, sweep.rows[n].value] for n in range(4)]
    text = panel.promote(2)
    body = CELL.replace("0.1, 32", "0.03, 32")
    assert text == f"%%track -m loss:min --tag mine\ndepth = 1\n{body}".rstrip()
    with pytest.raises(OptionError, match="no trial 9"):
        panel.promote(9)
    with pytest.raises(OptionError, match="is over"):
        panel.stop()
    html = still_html(sweep, panel.line)
    assert "4 trials · finished" in html
    assert "data:image/svg+xml" in html
    assert "by trial: █" in html  # for who drops pictures


def test_started_from_the_panel_a_sweep_leaves_the_kernel_free(ip):
    panel = form_of(ip)
    panel._view = page = Page()
    page.follow = lambda sweep, about: SweepFeed(sweep, page.send, about=about).begin()
    panel.space, panel.n = {"lr": "[0.1, 0.2]"}, 2
    sweep = panel.start()
    assert panel.is_running
    with pytest.raises(OptionError, match="is running"):
        panel.start()
    assert sweep.wait(60)
    assert (sweep.state, sweep.n_done, sweep.error) == ("finished", 2, None)
    until = time.monotonic() + 5
    while not page.told("sweep")[-1]["is_over"]:
        assert time.monotonic() < until
        time.sleep(0.02)
    assert page.told("sweep")[-1]["line"] == panel.line


def test_a_function_and_hostile_names_are_shown_as_text(store_path):
    def bowl(x, name):
        if x == 2:
            raise ValueError(HOSTILE)
        return x

    space = {"x": [1, 2], "name": [HOSTILE]}
    sweep = nbtrack.sweep(bowl, space, metric=f"{HOSTILE}:min", sampler="grid")
    panel = nbtrack.sweep_panel(sweep)
    html = panel._repr_mimebundle_()["text/html"]
    assert "<img src=x" not in html
    assert "&lt;img" in html
    with pytest.raises(OptionError, match="call of a function"):
        panel.promote(0)
    with pytest.raises(OptionError, match="Did you mean slice"):
        panel.charts("slices")


def test_the_page_gets_the_best_and_some_of_the_rest():
    best = [Row(n, "finished", {}, float(n)) for n in range(500)]
    others = [Row(n, "failed", {}, None) for n in range(500, 700)]
    shown = shown_rows(best + others)
    assert len(shown) == 200
    assert sum(row.status == "failed" for row in shown) == 60
    assert best_so_far([[0, 1.0], [1, 2.0]], "max") == ([0, 1, 1], [1.0, 1.0, 2.0])


def test_buttons_are_obeyed_while_a_trial_keeps_the_kernel_busy(ip):
    from nbtrack.notebook.sweep_magic import asked_of
    from nbtrack.sweeps.launch import launch_cell

    cell = "import time\nfor i in range(500):\n    loss = lr = 1\n    time.sleep(0.02)"
    asked = asked_of("lr=[1, 2, 3] --sampler grid", cell, ip.user_ns)
    sent: list[dict] = []

    def made(sweep):
        feed = SweepFeed(sweep, sent.append, about={"line": "x"})
        feed.begin()
        sweep.on_change(lambda: begun.set() if sweep.rows[0].run else None)
        threading.Thread(target=press, args=(feed,)).start()

    def press(feed):
        begun.wait(30)
        feed.hear("stop", "7")

    begun = threading.Event()
    started = time.monotonic()
    sweep = launch_cell(cell, asked, made=made)
    assert (sweep.state, [row.status for row in sweep.rows]) == ("stopped", ["stopped"])
    assert time.monotonic() - started < 10
    assert {"type": "heard", "id": "7"} in sent
