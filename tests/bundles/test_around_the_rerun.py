"""What a rerun is given: variables of the environment, other params, a place."""

from __future__ import annotations

import pytest

from nbtrack.bundles.diverging import first_divergence
from nbtrack.bundles.pins import deviations, environment_for
from nbtrack.bundles.said import settings_of, tolerances_of
from nbtrack.bundles.trusted import is_trusted, trust
from nbtrack.bundles.verdict import MetricVerdict
from nbtrack.bundles.what_if import with_params
from nbtrack.errors import OptionError
from nbtrack.slices.segments import Segment

AVX512 = {"numerics.torch.cpu_capability": "AVX512"}
AVX2 = {"numerics.torch.cpu_capability": "AVX2"}


def test_threads_are_those_that_the_run_began_with():
    facts = {"numerics.torch.threads": 1, "numerics.torch.threads.at_start": 2}
    facts["numerics.threadpools"] = [{"internal_api": "openblas", "num_threads": 4}]
    told = environment_for(facts)
    assert (told["OMP_NUM_THREADS"], told["OPENBLAS_NUM_THREADS"]) == ("2", "4")


def test_a_variable_that_the_run_had_wins():
    told = environment_for({"numerics.torch.threads": 2, "env.OMP_NUM_THREADS": "1"})
    assert told["OMP_NUM_THREADS"] == "1"


def test_a_stronger_processor_is_asked_to_do_as_the_run_did():
    told = environment_for(AVX2, flags=("avx2", "avx512f"))
    assert told["ATEN_CPU_CAPABILITY"] == "avx2"
    assert "ATEN_CPU_CAPABILITY" not in environment_for(AVX2, flags=("avx2",))
    assert "ATEN_CPU_CAPABILITY" not in environment_for(AVX512, flags=("avx512f",))


def test_what_this_machine_cannot_give_is_said():
    told = deviations(AVX512, flags=("avx2",), n_cpus=8)
    assert told == ("the run computed with AVX512, which this machine has not",)


def test_nothing_else_of_this_environment_reaches_a_rerun(monkeypatch):
    monkeypatch.setenv("TEAM_SECRET", "hunter2")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    told = environment_for({})
    assert "hunter2" not in told.values()
    assert "HTTPS_PROXY" not in told
    assert environment_for({}, network=True)["HTTPS_PROXY"] == "http://proxy:3128"


def test_a_param_is_set_where_a_cell_says_it():
    cells = [
        Segment("cell 1", "lr = 0.1\nn = 3"),
        Segment("cell 2", "%%track base --no-live\nfor epoch in range(5):\n    x = lr"),
    ]
    made = with_params(cells, {"lr": 0.5, "epoch": 2})
    assert made[0].source == "lr = 0.5\nn = 3"
    assert made[1].source.splitlines()[1] == "for epoch in range(2):"


def test_a_param_that_no_cell_says_is_refused_with_a_hint():
    with pytest.raises(OptionError, match="never uses 'lrr'"):
        with_params([Segment("cell 1", "lr = 0.1")], {"lrr": 1})


def test_the_first_cell_and_variable_that_differ_are_named():
    def seen(label, **digests):
        values = {n: {"type": "int", "sha256": d} for n, d in digests.items()}
        return {"label": label, "values": values, "generators": {"numpy": label}}

    was = [seen("cell 1", x="a"), seen("cell 2", y="b", z="c"), seen("cell 3", w="d")]
    now = [seen("cell 1", x="a"), seen("cell 2", y="b", z="!"), seen("cell 3", w="!")]
    metric = MetricVerdict("loss", "DRIFTED", 1.0, 2.0, first_step=4)
    found = first_divergence(was, now, [metric])
    assert (found.cell, found.variable, found.metric, found.step) == (
        "cell 2", "z", "loss", 4,
    )  # fmt: skip
    assert first_divergence(was, was, []) is None


def test_a_generator_that_stands_elsewhere_is_the_first_difference():
    def seen(state):
        return {"label": "cell 1", "values": {}, "generators": {"numpy": state}}

    found = first_divergence([seen("a")], [seen("b")], [])
    assert found.sentence == (
        "generator numpy after cell 1 (it stood elsewhere before)"
    )


def test_a_digest_that_nobody_could_take_says_nothing():
    def seen(**told):
        return {"label": "cell 1", "values": {"f": {"type": "function", **told}}}

    assert first_divergence([seen(why="no")], [seen(sha256="a")], []) is None


def test_a_cell_that_was_not_reached_is_the_first_difference():
    was = [{"label": "cell 1", "values": {}}, {"label": "cell 2", "values": {}}]
    assert first_divergence(was, was[:1], []).cell == "cell 2"


def test_pairs_are_read_and_slips_are_named():
    assert settings_of(["lr=.1", "opt=adam", "dims=(1, 2)"]) == {
        "lr": 0.1, "opt": "adam", "dims": (1, 2),
    }  # fmt: skip
    assert tolerances_of(["acc=.01"]) == {"acc": 0.01}
    for wrong in ("lr", "=3", "lr="):
        with pytest.raises(OptionError, match="no name=value"):
            settings_of([wrong])
    for wrong in ("acc=x", "acc=-1", "acc=inf", "acc=nan"):
        with pytest.raises(OptionError, match="a number from 0 on"):
            tolerances_of([wrong])


def test_trust_is_for_this_very_bundle(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    trust("a" * 64)
    assert is_trusted("a" * 64)
    assert not is_trusted("b" * 64)
    trust("../../elsewhere")
    assert [p.name for p in (tmp_path / "nbtrack" / "bundles").iterdir()] == ["a" * 64]
    assert (tmp_path / "nbtrack" / "bundles" / ("a" * 64)).stat().st_mode & 0o077 == 0
