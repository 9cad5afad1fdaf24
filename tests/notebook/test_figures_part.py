"""Figures that a tracked cell shows are kept, in a real kernel and in a shell."""

from __future__ import annotations

import pytest

import nbtrack
from nbtrack.notebook import figures_part

pytestmark = pytest.mark.usefixtures("plain_surroundings")

pytest.importorskip("matplotlib")
PLOT = "import matplotlib.pyplot as plt\nfig, ax = plt.subplots(figsize=(1, 1))\n"


def figures(store, run):
    return [(v.name, v.step, v.record.mime) for v in nbtrack.media(run, store=store)]


def test_figures_that_a_cell_shows_are_kept(kernel, kernel_store):
    answer = kernel.run(
        f"%%track shown\n%matplotlib inline\n{PLOT}ax.plot([1, 2])\nplt.show()\n"
        "fig, ax = plt.subplots(figsize=(1, 1))\nax.plot([2, 1])\nplt.show()"
    )
    assert answer.status == "ok"
    assert figures(kernel_store, "shown") == [
        ("figure-1", 0, "image/png"),
        ("figure-2", 0, "image/png"),
    ]
    first, second = nbtrack.media("shown", store=kernel_store)
    assert (first.load() != second.load()).any()
    assert "2 figures" in answer.line


def test_a_figure_that_is_left_at_the_end_is_kept_once(kernel, kernel_store):
    answer = kernel.run(f"%%track left --no-live\n{PLOT}ax.plot([3, 1]);")
    assert [text for text in answer.shown if text.startswith("<Figure")]  # still shown
    assert figures(kernel_store, "left") == [("figure-1", 0, "image/png")]
    # The value of the last line is shown, and then the same figure is flushed.
    kernel.run(f"%%track value\n{PLOT}ax.plot([3, 1])\nfig")
    assert figures(kernel_store, "value") == [("figure-1", 0, "image/png")]


def test_plotly_figures_are_kept_as_data(kernel, kernel_store):
    go = pytest.importorskip("plotly.graph_objects")
    kernel.run(
        "%%track plotly\nimport plotly.graph_objects as go\n"
        "go.Figure(go.Bar(y=[1, 2])).show()\ngo.Figure(go.Scatter(y=[3.5, 4.5]))"
    )
    kind = "application/vnd.plotly.v1+json"
    assert figures(kernel_store, "plotly") == [
        ("figure-1", 0, kind),
        ("figure-2", 0, kind),
    ]
    found = nbtrack.media("plotly", "figure-2", store=kernel_store)[0].load()
    assert isinstance(found, go.Figure)
    assert list(found.data[0].y) == [3.5, 4.5]


def test_a_figure_that_is_updated_in_place_is_a_series(kernel, kernel_store):
    kernel.run(
        f"%%track updated\nfrom IPython.display import display\n{PLOT}"
        "shown = display(fig, display_id='mine')\n"
        "for k in range(2):\n    ax.plot([k, 2 * k + 1])\n    shown.update(fig)\n"
        "plt.close('all')"
    )
    assert [(name, step) for name, step, _ in figures(kernel_store, "updated")] == [
        ("figure-1", 0),
        ("figure-1", 1),
        ("figure-1", 2),
    ]


def test_tables_widgets_and_our_panel_are_not_taken_for_figures(kernel, kernel_store):
    answer = kernel.run(
        "%%track none\nimport pandas as pd, ipywidgets\n"
        "from IPython.display import display\n"
        "display(pd.DataFrame({'a': [1]}))\ndisplay(ipywidgets.IntSlider())\n"
        "for i in range(3):\n    loss = 1 / (i + 1)\n"
    )
    assert figures(kernel_store, "none") == []
    assert "1 shown table (run.log_table)" in answer.line


def test_a_cell_within_a_cell_keeps_its_own(kernel, kernel_store):
    inner = f"%%track inner\n{PLOT}ax.plot([1, 5])\nplt.show()"
    kernel.run(
        f"%%track outer\nget_ipython().run_cell({inner!r})\n"
        f"{PLOT}ax.plot([5, 1])\nplt.show()"
    )
    assert len(figures(kernel_store, "inner")) == 1
    assert len(figures(kernel_store, "outer")) == 1


def test_switched_off_nothing_is_kept_and_the_shell_is_as_it_was(kernel, kernel_store):
    kernel.run(f"%%track quiet --off figures\n{PLOT}ax.plot([1, 7])\nplt.show()")
    assert figures(kernel_store, "quiet") == []
    left = kernel.run(
        "shell = get_ipython()\n"
        "'publish' in vars(shell.display_pub), "
        "'write_format_data' in vars(shell.displayhook)"
    )
    assert left.result == "(False, False)"


def test_a_cell_that_fails_keeps_what_it_had_shown(kernel, kernel_store):
    answer = kernel.run(f"%%track fails\n{PLOT}ax.plot([1, 9])\nplt.show()\n1 / 0")
    assert answer.error.startswith("ZeroDivisionError")
    assert len(figures(kernel_store, "fails")) == 1


@pytest.fixture
def loaded(shell):
    shell.run_line_magic("load_ext", "nbtrack")
    return shell


SHOW = (
    "from IPython.display import publish_display_data as publish\n"
    "for k in range({n}):\n    publish({{'image/png': 'iVBO' + str(k) * 4}})\n"
)


def test_very_many_figures_are_counted_not_kept(loaded, store_path, capsys):
    loaded.run_cell("%%track many\n" + SHOW.format(n=53))
    assert len(nbtrack.media("many")) == 50
    assert "3 figures (50 of a cell are kept)" in capsys.readouterr().out


def test_a_failure_of_ours_leaves_the_cell_and_the_page_alone(
    loaded, store_path, monkeypatch, capsys
):
    def broken(self, *_):
        raise RuntimeError("no figures today")

    monkeypatch.setattr(figures_part.Figures, "_take", broken)
    result = loaded.run_cell("%%track broken\n" + SHOW.format(n=3) + "'done'")
    assert result.success
    assert result.result == "done"
    said = capsys.readouterr()
    assert said.err.count("no figures today") == 1
    assert "'done'" in said.out


def test_what_somebody_else_puts_over_it_stays(loaded, store_path):
    loaded.run_cell(
        "%%track theirs\nshell = get_ipython()\nours = shell.display_pub.publish\n"
        "def theirs(*args, **named):\n    return ours(*args, **named)\n"
        "shell.display_pub.publish = theirs\n" + SHOW.format(n=1)
    )
    assert loaded.display_pub.publish is loaded.user_ns["theirs"]
    loaded.run_cell(SHOW.format(n=1).replace("iVBO", "iVBP"))  # goes through, unseen
    assert len(nbtrack.media("theirs")) == 1
    del loaded.display_pub.publish
