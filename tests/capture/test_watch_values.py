"""What becomes a float, when, and that no device is waited for in the loop."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from watching import run_watched

from nbtrack.capture.watch_device import DeviceQueue
from nbtrack.capture.watch_values import Later, NotScalar, read_value


class Slotted:
    __slots__ = ("data",)

    def __init__(self, data):
        self.data = data


class Value(Slotted):
    """As in micrograd: no __float__."""


class WithDict:
    def __init__(self, data):
        self.data = data


NUMBERS = [3, 0.5, Decimal("0.25"), Fraction(1, 4), Value(0.5), WithDict(2.0)]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda n: type(n).__name__)
def test_numbers_of_every_kind_are_floats_at_once(number):
    expected = (
        number if isinstance(number, int | float | Decimal | Fraction) else number.data
    )
    assert read_value(number) == float(expected)


@pytest.mark.parametrize(
    "text",
    [
        "np.float32(0.5)",
        "np.float16(2)",
        "np.int64(7)",
        "np.array(1.5)",
        "np.ones((1, 1))",
    ],
)
def test_numpy_scalars_and_one_element_arrays_are_floats(text):
    np = pytest.importorskip("numpy")
    value = eval(text, {"np": np})
    assert read_value(value) == float(value.item())


def test_nan_and_infinities_stay_what_they_are():
    ran = run_watched("for x in [1.0, float('nan'), float('inf')]: loss = x")
    first, second, third = ran.sink.values("loss")
    assert first == 1
    assert math.isnan(second)
    assert third == math.inf


QUIET = ["True", "None", "'x'", "b'x'", "len", "np.bool_(True)", "np.str_('a')"]


@pytest.mark.parametrize("text", QUIET)
def test_flags_and_texts_say_nothing(text):
    np = pytest.importorskip("numpy")
    assert read_value(eval(text, {"np": np})) == NotScalar("")


def test_what_is_no_scalar_is_named():
    np = pytest.importorskip("numpy")
    assert read_value([1]) == NotScalar("list")
    assert read_value(1j) == NotScalar("complex")
    assert read_value(np.zeros((2, 3))) == NotScalar("ndarray of shape (2, 3)")


def test_code_of_the_users_class_is_not_run_to_find_a_number():
    class Loss:
        @property
        def data(self):
            raise AssertionError("ran")

    assert read_value(Loss()) == NotScalar("Loss")


# -- torch ---------------------------------------------------------------------------


def test_a_cpu_tensor_is_read_at_once_whatever_happens_to_it_later():
    pytest.importorskip("torch")
    cell = """
import torch
for i in range(3):
    loss = torch.tensor([float(i)], requires_grad=True) * 2
    loss = loss.sum()
    loss.backward()
    loss.data.zero_()
"""
    ran = run_watched(cell)
    assert ran.error is None
    assert ran.sink.values("loss") == [0, 2, 4]


@pytest.mark.parametrize("text", ["torch.zeros(2)", "torch.zeros(1, device='meta')"])
def test_tensors_without_one_value_are_skipped(text):
    torch = pytest.importorskip("torch")
    assert isinstance(read_value(eval(text, {"torch": torch})), NotScalar)


def test_fake_tensors_are_skipped():
    torch = pytest.importorskip("torch")
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        assert read_value(torch.zeros(())) == NotScalar("")


def test_watching_draws_no_random_numbers_and_leaves_the_graph_alone():
    torch = pytest.importorskip("torch")
    cell = """
import torch
torch.manual_seed(0)
w = torch.zeros(3, requires_grad=True)
for i in range(5):
    loss = ((torch.randn(3) - w) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.1 * w.grad
        w.grad = None
"""
    plain = {"__name__": "__main__"}
    exec(cell, plain)
    ran = run_watched(cell)
    assert torch.equal(ran.namespace["w"], plain["w"])
    assert ran.sink.values("loss")[-1] == plain["loss"].item()


# -- a device ------------------------------------------------------------------------


class Device:
    """Counts what a real device would have to wait for."""

    type = "cuda"

    def __init__(self):
        self.n_waits = 0
        self.n_clones = 0
        self.in_loop = True


class DeviceTensor:
    """A scalar on a device: changed in place, its value is known only by waiting."""

    shape = ()

    def __init__(self, value, device):
        self.value = value
        self._device = device

    @property
    def device(self):
        return self._device

    def numel(self):
        return 1

    def detach(self):
        return self

    def clone(self):
        self._device.n_clones += 1
        return DeviceTensor(self.value, self._device)

    def item(self):
        self._device.n_waits += self._device.in_loop
        return self.value


def test_a_device_scalar_is_cloned_in_the_loop_and_read_after_it():
    device = Device()
    cell = (
        "for i in range(50):\n    loss = DeviceTensor(i / 2, device)\n    last = loss\n"
    )
    cell += "    last.value = -1.0\ndevice.in_loop = False"
    namespace = {"DeviceTensor": DeviceTensor, "device": device, "__name__": "x"}
    ran = run_watched(cell, namespace=namespace)
    assert device.n_waits == 0
    assert ran.sink.values("loss") == [i / 2 for i in range(50)]
    assert ran.sink.axis("loss", "i") == list(range(50))
    assert ran.names == {"loss"}


def test_a_device_that_says_it_is_done_is_read_on_the_way():
    queue, seen, done = DeviceQueue(), [], []
    for n in range(64):
        later = Later(lambda n=n: float(n), lambda n=n: n < 20)
        queue.put(later, n, 0.0, lambda step, value, at: seen.append(step))
        done.append(len(seen))
    assert seen == list(range(20))
    assert done[14] == 0, "nothing is asked at every step"
    queue.finish()
    assert seen == list(range(64))


def test_a_full_queue_lets_every_second_value_go_and_waits_for_nothing():
    queue, seen = DeviceQueue(limit=100), []

    def read():
        raise AssertionError("waited")

    for n in range(150):
        queue.put(Later(read, lambda: False), n, 0.0, lambda *a: seen.append(a))
    assert len(queue) <= 100
    assert queue.n_dropped > 0
    assert not seen


def test_a_device_that_fails_at_the_end_costs_one_warning(capsys):
    def read():
        raise RuntimeError("device-side assert")

    queue = DeviceQueue()
    for n in range(3):
        queue.put(Later(read, lambda: None), n, 0.0, lambda *a: None)
    queue.finish()
    assert capsys.readouterr().err.count("device-side assert") == 1
    assert len(queue) == 0


def test_immutable_device_arrays_are_kept_and_read_later():
    array = type("Array", (), {"__module__": "jaxlib.xla", "shape": (), "n": 0})()
    type(array).__float__ = lambda self: 0.75
    later = read_value(array)
    assert isinstance(later, Later)
    assert later.read() == 0.75
