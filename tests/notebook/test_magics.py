"""Loading and unloading, and the magics besides `%%track` as it is typed."""

from __future__ import annotations

import pytest
from IPython.core.error import UsageError

import nbtrack
from nbtrack.store import Store

pytestmark = pytest.mark.usefixtures("plain_surroundings")

LOOP = "for i in range(3):\n    loss = 1.0 / (i + 1)\n"


@pytest.fixture
def ip(shell):
    shell.run_cell("%load_ext nbtrack")
    yield shell
    shell.run_cell("%unload_ext nbtrack")


def parts_of(shell):
    return (
        list(shell.input_transformers_cleanup),
        {kind: set(names) for kind, names in shell.magics_manager.magics.items()},
        {name: list(calls) for name, calls in shell.events.callbacks.items()},
        list(shell.ast_transformers),
    )


def test_unloading_leaves_the_shell_as_it_was(shell):
    before = parts_of(shell)
    shell.run_cell("%load_ext nbtrack")
    assert parts_of(shell) != before
    shell.run_cell("%%track base\nx = 1")
    shell.run_cell("%unload_ext nbtrack")
    assert parts_of(shell) == before
    assert not shell.run_cell("%%track base\nx = 1").success


def test_loading_twice_is_harmless(ip):
    once = parts_of(ip)
    nbtrack.load_ipython_extension(ip)
    ip.run_cell("%load_ext nbtrack")
    assert parts_of(ip) == once
    ip.run_cell("%%track base\nx = 1")
    assert len(nbtrack.runs()) == 1


def test_reloading_works(ip):
    ip.run_cell("%reload_ext nbtrack")
    ip.run_cell("%%track base\nx = 1")
    assert nbtrack.runs()["name"].tolist() == ["base"]


def test_the_cell_that_loads_the_extension_is_an_origin_of_params(shell):
    shell.run_cell("%load_ext nbtrack\nlr = 0.1", store_history=True)
    shell.run_cell("%%track base\nloss = 2 * lr", store_history=True)
    import nbtrack

    assert nbtrack.open().run("base").params["lr"].cell == "[1]"


def test_a_track_magic_of_somebody_else_stays_theirs(shell, capsys):
    shell.register_magic_function(lambda line, cell: "theirs", "cell", "track")
    shell.run_cell("%load_ext nbtrack")
    assert "%%track is somebody else's" in capsys.readouterr().out
    assert shell.run_cell("%%track base\nx = 1").result == "theirs"
    assert shell.run_cell("%%nbtrack ours\nx = 1\nx").result == 1
    assert nbtrack.runs()["name"].tolist() == ["ours"]
    shell.run_cell("%unload_ext nbtrack")
    assert shell.run_cell("%%track base\nx = 1").result == "theirs"


def test_the_magics_are_listed_and_have_help(ip, capsys):
    listed = ip.magics_manager.lsmagic()
    assert {"track", "nbtrack"} <= set(listed["cell"])
    assert {"runs", "panel", "track_status"} <= set(listed["line"])
    ip.run_cell("%%track?")
    assert "-m, --metric val_loss:min" in capsys.readouterr().out


def test_code_may_call_the_cell_magic(ip):
    value = ip.run_cell_magic("track", "called -p k=2", f"{LOOP}loss")
    assert value == pytest.approx(1 / 3)
    run = nbtrack.open().run("called")
    assert (run.status, run.metrics["loss"].n) == ("finished", 3)
    assert run.params["k"].value == 2
    with pytest.raises(ZeroDivisionError):
        ip.run_cell_magic("nbtrack", "raises", "1 / 0")
    assert nbtrack.open().run("raises").status == "failed"
    with pytest.raises(UsageError, match="Did you mean --tag"):
        ip.run_cell_magic("track", "--tga x", "1")


def test_runs_shows_a_table_and_has_the_frame(ip):
    ip.run_cell(f"%%track base -p lr=0.1\n{LOOP}")
    ip.run_cell("%%track worse -p lr=0.2\nfor i in range(2):\n    loss = 5.0")
    table = ip.run_cell("%runs").result
    assert list(table.df.name) == ["worse", "base"]
    assert table.df.loc[0, "params.lr"] == 0.2
    assert repr(table).splitlines()[1].startswith("worse")
    assert ">base</td>" in table._repr_html_()
    found = ip.run_cell("%runs loss < 1 and params.lr == 0.1").result
    assert list(found.df.name) == ["base"]
    by_loss = ip.run_cell("%runs --sort loss --last 2 --cols name,best.loss").result
    assert list(by_loss.df.name) == ["base", "worse"]
    assert repr(by_loss).splitlines()[0].split() == ["name", "best.loss"]
    assert len(ip.run_cell("%runs -n 1").result) == 1


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("lss < 1", "Did you mean loss?"),
        ("loss <", "cannot be read"),
        ("--sort lss", "Did you mean loss?"),
        ("--lst 3", "Did you mean --last?"),
        ("--last x", "whole number"),
        ("--last 3 loss < 1", "the query comes first"),
        ("rename base", "Write %runs rename RUN NAME"),
        ("tag base", "Write %runs tag RUN TAG..."),
        ("trash nope", "nope"),
    ],
)
def test_a_slip_in_runs_is_one_line(ip, capsys, line, says):
    ip.run_cell(f"%%track base\n{LOOP}")
    capsys.readouterr()
    assert not ip.run_cell(f"%runs {line}").success
    shown = capsys.readouterr()
    lines = (shown.out + shown.err).strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("UsageError: nbtrack: ")
    assert says in lines[0]


def test_runs_are_renamed_tagged_noted_trashed_and_restored(ip, capsys, store_path):
    ip.run_cell("%%track base\nx = 1")
    for line in (
        "rename base 'much better'",
        "tag 'much better' baseline 'data: mnist' old",
        "untag last old",
        "note last 'too slow, try again'",
    ):
        assert ip.run_cell(f"%runs {line}").success
    with Store.open(store_path) as store:
        run = store.run("much better")
        assert dict(run.tags) == {"baseline": None, "data": "mnist"}
        assert run.notes == "too slow, try again"
        ip.run_cell("%runs trash last")
        assert store.runs() == []
        trashed = ip.run_cell("%runs --trashed").result
        assert list(trashed.df.name) == ["much better"]
        assert f"%runs restore {run.id}" in capsys.readouterr().out
        ip.run_cell(f"%runs restore {run.id}")
        assert len(store.runs()) == 1


def test_names_are_text_in_the_table_never_markup(ip):
    ip.run_cell("%%track '<img src=x onerror=alert(1)>' -t '<b>'\nx = 1")
    html = ip.run_cell("%runs").result._repr_html_()
    assert "<img" not in html
    assert "<b>" not in html
    assert "&lt;img" in html


def test_a_table_without_runs_says_so(ip):
    table = ip.run_cell("%runs").result
    assert (repr(table), len(table)) == ("no runs", 0)
    assert "no runs" in table._repr_html_()
    assert list(table.df.columns)[:2] == ["id", "name"]


def test_panel_shows_the_still_picture_of_a_run(ip, capsys):
    ip.run_cell(f"%%track base\n{LOOP}")
    capsys.readouterr()
    assert ip.run_cell("%panel base").success
    assert "base" in capsys.readouterr().out
    assert not ip.run_cell("%panel nope").success
    assert not ip.run_cell("%panel a b").success


def test_track_status_says_where_runs_are_kept(ip, capsys, store_path):
    ip.run_cell("%%track base\n%track_status")
    shown = capsys.readouterr().out
    assert f"store {store_path}" in shown
    assert "recording base" in shown
    ip.run_cell("%track_status")
    assert "no run is being recorded" in capsys.readouterr().out
    assert not ip.run_cell("%track_status now").success
