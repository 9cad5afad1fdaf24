"""Rich values are copied in the call, written behind it, and never break a loop."""

from __future__ import annotations

import os
import threading

import numpy as np
import pytest

import nbtrack
from nbtrack.errors import StoreError, ValueNotLoggedError
from nbtrack.store import Store
from nbtrack.tracking.media import keeping

SECRET = "hf_" + "a1B2c3D4e5F6g7H8i9J0"


@pytest.fixture(autouse=True)
def _nothing_else_is_captured(monkeypatch):
    monkeypatch.setenv("NBTRACK_OFF", "all")


def kept(run, name=None):
    return nbtrack.media(run, name)


def test_a_value_keeps_what_it_was_when_it_was_logged(run):
    picture, rows = np.zeros((4, 4, 3), np.uint8), [{"a": 1}]
    run.log_image(picture, "picture")
    run.log_table(rows, "rows")
    run.log_histogram(picture, "spread", bins=2)
    picture[:] = 255
    rows[0]["a"] = 2
    assert not kept(run, "picture")[0].load().any()
    assert kept(run, "rows")[0].load()["a"].tolist() == [1]
    assert kept(run, "spread")[0].data["max"] == 0


def test_the_step_is_how_often_the_name_was_logged(run):
    for _ in range(2):
        run.log_text("x", "a")
    run.log_text("x", "b")
    run.log_text("x", "a", step=10)
    run.log_text("x", "a")
    assert [(v.name, v.step) for v in kept(run)] == [
        *[("a", step) for step in (0, 1, 10, 11)],
        ("b", 0),
    ]


def test_a_resumed_run_goes_on_behind_its_earlier_values(store_path):
    with nbtrack.start("base") as run:
        run.log_text("first", "a")
        run.log_text("later", "a", step=5)
    with nbtrack.start(resume="base") as again:
        again.log_text("resumed", "a")
    assert [(v.step, v.load()) for v in kept(again, "a")] == [
        (0, "first"),
        (5, "later"),
        (6, "resumed"),
    ]


def test_the_same_step_again_replaces(run):
    run.log_text("first", "a", step=3)
    run.log_text("second", "a", step=3)
    assert [v.load() for v in kept(run, "a")] == ["second"]


def test_axes_that_are_set_are_kept_beside_the_value(run):
    run.set_axis("epoch", 3)
    run.log_text("x", "a")
    assert kept(run, "a")[0].data["axes"] == {"epoch": 3.0}


def test_finish_waits_for_what_was_logged(store_path):
    with nbtrack.start() as run:
        for _ in range(20):
            run.log_image(np.random.rand(64, 64, 3), "noise")
    assert len(run.store.media(run.id, "noise")) == 20


BAD = {
    "image": lambda run, x: run.log_image(np.zeros((2, 2, 2, 2, 2)), x),
    "empty image": lambda run, x: run.log_image(np.zeros((0, 3)), x),
    "image of words": lambda run, x: run.log_image(np.array([["a"]]), x),
    "no images": lambda run, x: run.log_image([], x),
    "missing file": lambda run, x: run.log_image("nowhere.png", x),
    "not a picture": lambda run, x: run.log_image(b"hello", x),
    "figure": lambda run, x: run.log_figure(3, x),
    "table": lambda run, x: run.log_table("a,b", x),
    "ragged table": lambda run, x: run.log_table({"a": [1, 2], "b": [1]}, x),
    "histogram": lambda run, x: run.log_histogram([], x),
    "ragged histogram": lambda run, x: run.log_histogram([[1], [1, 2]], x),
    "text": lambda run, x: run.log_text(3, x),
    "html": lambda run, x: run.log_html(3, x),
    "audio without rate": lambda run, x: run.log_audio([0.0], x),
    "audio of three dimensions": lambda run, x: run.log_audio(
        np.zeros((2, 2, 2)), x, rate=8000
    ),
    "video": lambda run, x: run.log_video(b"no film", x),
    "video of pixels": lambda run, x: run.log_video(np.zeros((3, 4, 4)), x),
    "lengths": lambda run, x: run.log_confusion_matrix([0, 1], [0], name=x),
    "one class": lambda run, x: run.log_roc([1, 1], [0.1, 0.2], name=x),
    "nan": lambda run, x: run.log_pr([0, 1], [0.1, float("nan")], name=x),
    "columns": lambda run, x: run.log_roc([0, 1, 2], np.eye(3)[:, :2], name=x),
    "three classes": lambda run, x: run.log_roc([0, 1, 2], [0.1, 0.2, 0.3], name=x),
    "mixed": lambda run, x: run.log_confusion_matrix([0, "a"], [0, 1], name=x),
    "importance": lambda run, x: run.log_importance(object(), name=x),
    "names": lambda run, x: run.log_importance([1.0], ["a", "b"], name=x),
    "shap": lambda run, x: run.log_shap([1.0], name=x),
    "predictions": lambda run, x: run.log_predictions([0, 1], [0], name=x),
    "ids": lambda run, x: run.log_predictions([0, 1], [0, 1], ids=["a"], name=x),
}


def test_what_cannot_be_kept_is_one_warning_with_the_way_out(run, capsys):
    for case, log in BAD.items():
        for _ in range(3):
            log(run, case)
        keeping.settle()
        said = capsys.readouterr().err.splitlines()
        assert len(said) == 1, case
        assert f"{case!r} was not kept: " in said[0]
        assert ". " in said[0]  # why, and the way out
    assert run.n_dropped == 3 * len(BAD)
    assert kept(run) == []


def test_a_name_given_first_is_understood(run, capsys):
    run.log_image("digits", np.zeros((4, 4)))
    assert "image was not kept: its name is a ndarray" in capsys.readouterr().err


def test_an_object_that_raises_does_not_reach_the_loop(run, capsys):
    class Odd:
        def __array__(self, *_, **__):
            raise RuntimeError("no")

        def __repr__(self):
            raise RuntimeError("no")

    run.log_image(Odd(), "odd")
    run.log_histogram(Odd(), "odd2")
    run.log_roc(Odd(), Odd())
    said = capsys.readouterr().err
    assert said.count("RuntimeError: no") == 3


def test_a_disk_that_refuses_is_said_and_the_loop_goes_on(run, monkeypatch, capsys):
    def full(self, content):
        raise StoreError("no space left")

    monkeypatch.setattr(Store, "put_bytes", full)
    run.log_image(np.zeros((4, 4)), "picture")
    keeping.settle()
    run.log(loss=0.5)
    assert "image 'picture' was not kept: no space left" in capsys.readouterr().err
    assert run.n_dropped == 1
    assert kept(run) == []


def test_what_fails_in_the_background_does_not_stop_what_follows(
    run, monkeypatch, capsys
):
    from nbtrack.tracking.media import png

    def broken(pixels):
        raise ZeroDivisionError("encoder")

    with monkeypatch.context() as patch:
        patch.setattr("nbtrack.tracking.media.images.encode_png", broken)
        run.log_image(np.zeros((4, 4)), "a")
        keeping.settle()
    run.log_image(np.zeros((4, 4)), "b")
    assert [v.name for v in kept(run)] == ["b"]
    assert png  # the real one is back
    assert "ZeroDivisionError: encoder" in capsys.readouterr().err


def test_after_the_end_of_the_run_a_value_is_dropped_with_one_warning(
    store_path, capsys
):
    with nbtrack.start() as run:
        pass
    run.log_text("late", "a")
    run.log_text("late", "a")
    assert nbtrack.media(run) == []
    assert capsys.readouterr().err.count("is finished") == 1


def test_stop_does_not_break_the_thread_that_writes(run):
    run.request_stop("test")
    run.log_roc([0, 1], [0.1, 0.9])
    run.log_text("after", "a")
    assert [v.name for v in kept(run)] == ["a", "roc"]
    with pytest.raises(nbtrack.RunStopped):
        run.check_stop()


def test_what_waits_for_the_disk_is_bounded():
    room = keeping.Room(limit=100)
    room.take(90)
    with pytest.raises(ValueNotLoggedError, match="wait for the disk"):
        room.take(20, timeout_s=0.01)
    threading.Timer(0.02, room.give_back, [90]).start()
    room.take(200, timeout_s=5.0)  # larger than the room, but alone in it


def test_threads_that_log_one_name_get_a_step_each(run):
    def log():
        for _ in range(50):
            run.log_text("x", "a")

    threads = [threading.Thread(target=log) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [v.step for v in kept(run, "a")] == list(range(200))


def test_a_forked_child_keeps_nothing(run):
    run.log_text("parent", "a")
    pid = os.fork()
    if pid == 0:
        run.log_text("child", "a")
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    assert [v.load() for v in kept(run)] == ["parent"]


def test_no_secret_comes_into_the_store_with_a_rich_value(store_path, tmp_path):
    import plotly.graph_objects as go

    svg = tmp_path / "a.svg"
    svg.write_text(
        f"<svg xmlns='http://www.w3.org/2000/svg'><text>{SECRET}</text></svg>"
    )
    with nbtrack.start() as run:
        run.log_text(f"token {SECRET}", "text")
        run.log_text(f"token {SECRET} " * 9000, "long text")
        run.log_html(f"<b>{SECRET}</b>", "html")
        run.log_image(np.zeros((2, 2)), "image", caption=SECRET)
        run.log_image(svg, "svg")
        run.log_figure(go.Figure(go.Scatter(y=[1], name=SECRET)), "figure")
        run.log_table([{"a": SECRET, SECRET: 1}], "table")
        run.log_table([{"a": [SECRET]}, {"a": 3}], "mixed table")
        run.log_confusion_matrix([SECRET], ["x"])
        run.log_importance({SECRET: 1.0})
        run.log_predictions([0], [1], ids=[SECRET])
        run.log_shap(np.ones((1, 1)), [SECRET], data=np.array([[SECRET]]))
    assert len(nbtrack.media(run)) == 12
    for file in store_path.rglob("*"):
        if file.is_file():
            assert SECRET.encode() not in file.read_bytes(), file
    for value in nbtrack.media(run):
        assert SECRET not in str(value.load())  # also where it was compressed


def test_many_large_values_stand_in_files_and_small_ones_in_rows(run):
    run.log_confusion_matrix([0, 1], [1, 1])
    many = list(range(200))
    run.log_confusion_matrix(many, many, name="large")
    small, large = kept(run, "confusion_matrix")[0], kept(run, "large")[0]
    assert small.record.digest is None
    assert large.record.mime == "application/json"
    assert "matrix" not in large.data
    assert (large.load().to_numpy() == np.eye(200)).all()
