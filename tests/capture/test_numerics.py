"""What moves the bits: settings of this thread, constants, a few variables."""

from __future__ import annotations

import decimal
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from nbtrack.capture import numerics
from nbtrack.capture.numerics import (
    VARIABLES,
    constants,
    hash_seed,
    settings,
    variables,
)

torch = pytest.importorskip("torch")


def told(facts) -> dict:
    return {fact.name: fact.value for fact in facts}


@pytest.fixture
def torch_settings():
    """Leaves PyTorch's settings as they were."""
    n, dtype = torch.get_num_threads(), torch.get_default_dtype()
    precision = torch.get_float32_matmul_precision()
    yield
    torch.set_num_threads(n)
    torch.set_default_dtype(dtype)
    torch.set_float32_matmul_precision(precision)
    torch.use_deterministic_algorithms(False)
    torch.backends.cudnn.benchmark = False


def test_settings_of_torch_are_those_of_now(torch_settings):
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    torch.use_deterministic_algorithms(True)
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.benchmark = True
    now = told(settings())
    assert now["numerics.torch.threads"] == 1
    assert now["numerics.torch.dtype"] == "float64"
    assert now["numerics.torch.deterministic"] is True
    assert now["numerics.torch.matmul_precision"] == "high"
    assert now["numerics.torch.cudnn.benchmark"] is True
    assert now["numerics.torch.interop_threads"] == torch.get_num_interop_threads()


def test_settings_are_those_of_the_thread_that_asks():
    with np.errstate(divide="raise"):
        here = told(settings())["numerics.numpy.errors"]
        there: list = []
        thread = threading.Thread(target=lambda: there.extend(settings()))
        thread.start()
        thread.join()
    assert here["divide"] == "raise"
    assert told(there)["numerics.numpy.errors"]["divide"] == "warn"


def test_decimal_is_told_where_it_is_not_the_default():
    assert "numerics.decimal.precision" not in told(settings())
    with decimal.localcontext() as context:
        context.prec = 50
        assert told(settings())["numerics.decimal.precision"] == 50


def test_versions_and_blas_are_told():
    now = told(constants())
    assert now["numerics.torch.version"] == torch.__version__
    assert now["numerics.torch.cpu_capability"] == (
        torch.backends.cpu.get_cpu_capability()
    )
    assert now["numerics.numpy.version"] == np.__version__
    assert now["numerics.numpy.blas"]
    pools = now["numerics.threadpools"]
    assert all("filepath" not in pool for pool in pools)
    if torch.version.cuda is None:
        missing = {fact.name: fact.missing for fact in constants()}
        assert missing["numerics.torch.cuda"] == "this build of PyTorch has no CUDA"


def test_a_question_that_a_version_cannot_answer_is_missing(monkeypatch):
    def gone(torch):
        return torch.no_such_attribute

    monkeypatch.setitem(numerics._TORCH_FLAGS, "threads", gone)
    facts = {fact.name: fact for fact in settings()}
    assert "no_such_attribute" in facts["numerics.torch.threads"].missing
    assert facts["numerics.torch.dtype"].value == "float32"


def test_nothing_is_imported_for_it():
    code = (
        "import sys; from nbtrack.capture.numerics import *; settings(); constants();"
        "print({'torch', 'numpy', 'threadpoolctl', 'decimal'} & set(sys.modules))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert said.stdout.strip() == "set()", said.stderr


def test_only_variables_of_the_list_are_told():
    environment = dict.fromkeys(VARIABLES, "1")
    environment |= {f"SECRET_{n}": f"value-{n}" for n in range(200)}
    environment["OMP_NUM_THREADS_X"] = "2"
    assert told(variables(environment)) == {f"env.{name}": "1" for name in VARIABLES}
    assert 20 <= len(VARIABLES) <= 30


@pytest.mark.parametrize(
    ("value", "expected"), [("0", "0"), ("123", "123"), ("random", "None")]
)
def test_the_hash_seed_is_the_one_python_began_with(value, expected):
    code = (
        "import os; os.environ['PYTHONHASHSEED'] = '7'\n"  # has no effect any more
        "from nbtrack.capture.numerics import hash_seed; print(hash_seed()[0].value)"
    )
    env = {**os.environ, "PYTHONHASHSEED": value}
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=env
    )
    assert said.stdout.strip() == expected, said.stderr


def test_a_hash_seed_that_cannot_be_read_says_so(tmp_path):
    if not sys.flags.hash_randomization:
        pytest.skip("this Python has a fixed one")
    fact = hash_seed(str(tmp_path / "gone"))[0]
    assert fact.missing == "what Python began with cannot be read"
