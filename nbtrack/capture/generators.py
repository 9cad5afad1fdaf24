"""The state of a random generator as a value: taken, packed as text, put back.

Nothing is pickled: a state is a line of JSON and plain words, so that one out of
somebody else's file can be read without running what is in it. Known are the
generators of `random`, NumPy and PyTorch; a library is never imported to look.
"""

from __future__ import annotations

import base64
import ctypes
import hashlib
import json
import random
import struct
import sys
import zlib
from dataclasses import dataclass
from typing import Any

_WORDS = struct.Struct("<625I")  # Mersenne Twister: 624 words and the place among them
_BIT_GENERATORS = frozenset({"PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"})
_UNPACKED_MAX = 1_000_000  # bytes; the largest state known has 5 KB


@dataclass(frozen=True, slots=True)
class GeneratorState:
    """What one generator would go on from.

    >>> import random
    >>> generator = random.Random(7)
    >>> state = state_of(generator)
    >>> first = generator.random()
    >>> put_back(generator, GeneratorState.unpacked(state.packed()))
    >>> generator.random() == first
    True
    """

    kind: str  # "random", "numpy", "numpy.Generator", "torch:cpu", "torch:cuda:0"
    header: str  # JSON
    body: bytes = b""

    @property
    def digest(self) -> str:
        """The sha256 of the state."""
        return hashlib.sha256(self._plain()).hexdigest()

    def packed(self) -> str:
        """The state as text of a few KB."""
        return base64.b64encode(zlib.compress(self._plain())).decode("ascii")

    @classmethod
    def unpacked(cls, text: str) -> GeneratorState:
        """The state that `packed` made a text of.

        Raises
        ------
        ValueError
            For any other text.
        """
        try:
            unzip = zlib.decompressobj()
            plain = unzip.decompress(
                base64.b64decode(text, validate=True), _UNPACKED_MAX
            )
        except zlib.error as exc:
            raise ValueError(f"not a packed state: {exc}") from exc
        kind, _, rest = plain.partition(b"\n")
        header, _, body = rest.partition(b"\n")
        return cls(kind.decode("ascii"), header.decode("ascii"), body)

    def _plain(self) -> bytes:
        return f"{self.kind}\n{self.header}\n".encode("ascii") + self.body


def kinds_of_generators() -> frozenset[type]:
    """The classes of generators that are loaded by now, as they themselves are."""
    found: set[Any] = {random.Random}
    numpy_random = sys.modules.get("numpy.random")
    for name in ("Generator", "RandomState"):
        found.add(getattr(numpy_random, name, None))
    found.add(getattr(sys.modules.get("torch"), "Generator", None))
    return frozenset(kind for kind in found if isinstance(kind, type))


def state_of(generator: Any) -> GeneratorState:  # Any: one of three libraries' objects
    """The state of a generator; it does not move by this."""
    if isinstance(generator, random.Random):
        return _of_random(generator)
    if type(generator).__module__.startswith("torch"):
        return _of_torch(generator)
    return _of_numpy(generator)


def is_unmoved(generator: Any, state: GeneratorState) -> bool:
    """Whether a generator surely stands where it stood; False where that costs time.

    NumPy takes 60 us to hand out the words of its old generator; they are looked at
    where they lie. Half a pair of normal numbers does not lie there: then not.
    """
    bits: Any = getattr(generator, "_bit_generator", None)
    if state.kind != "numpy" or type(bits).__name__ != "MT19937":
        return False
    header = json.loads(state.header)
    if header.get("has_gauss") or header["bit_generator"] != "MT19937":
        return False
    place = header["state"]["pos"].to_bytes(4, sys.byteorder)
    there = ctypes.string_at(bits.ctypes.state_address, _WORDS.size)
    return bool(there == state.body + place)


def put_back(generator: Any, state: GeneratorState) -> None:
    """Let a generator go on from a state that one of its kind had.

    Raises
    ------
    ValueError
        When the state is not one for such a generator.
    """
    try:
        if isinstance(generator, random.Random):
            _to_random(generator, state)
        elif type(generator).__module__.startswith("torch"):
            _to_torch(generator, state)
        else:
            _to_numpy(generator, state)
    except (TypeError, KeyError, AttributeError, RuntimeError, struct.error) as exc:
        raise ValueError(f"a state of {state.kind} does not fit: {exc}") from exc


def new_generator(state: GeneratorState) -> Any:
    """A generator that goes on from the state, where the one it had is gone.

    Raises
    ------
    ValueError
        When the state is of no kind that can be made.
    """
    made = _made_for(state)
    put_back(made, state)
    return made


def _made_for(state: GeneratorState) -> Any:
    if state.kind == "random":
        return random.Random()  # noqa: S311 - it gets the state of the user's own
    if state.kind.startswith("torch:"):
        import torch

        return torch.Generator(state.kind.removeprefix("torch:"))
    import numpy as np

    name = json.loads(state.header).get("bit_generator")
    if name not in _BIT_GENERATORS:
        raise ValueError(f"no bit generator of NumPy is called {name!r}")
    bits = getattr(np.random, name)()
    if state.kind == "numpy":
        return np.random.RandomState(bits)
    return np.random.Generator(bits)


def _of_random(generator: random.Random) -> GeneratorState:
    # The class's own method: a subclass may have one that means something else.
    version, words, gauss = random.Random.getstate(generator)
    header = json.dumps({"version": version, "gauss": gauss})
    return GeneratorState("random", header, _WORDS.pack(*words))


def _to_random(generator: random.Random, state: GeneratorState) -> None:
    _check_kind(state, "random")
    header = json.loads(state.header)
    words = _WORDS.unpack(state.body)
    random.Random.setstate(generator, (header["version"], words, header["gauss"]))


def _of_torch(generator: Any) -> GeneratorState:
    state = generator.get_state()  # bytes on the CPU, also of a generator on a GPU
    body = ctypes.string_at(state.data_ptr(), state.numel())
    return GeneratorState(f"torch:{generator.device}", "{}", body)


def _to_torch(generator: Any, state: GeneratorState) -> None:
    import torch

    _check_kind(state, f"torch:{generator.device}")
    generator.set_state(torch.frombuffer(bytearray(state.body), dtype=torch.uint8))


def _of_numpy(generator: Any) -> GeneratorState:
    is_legacy = hasattr(generator, "get_state")
    found = (
        generator.get_state(legacy=False)
        if is_legacy
        else generator.bit_generator.state
    )
    body = bytearray()
    header = json.dumps(_without_arrays(found, body))
    kind = "numpy" if is_legacy else "numpy.Generator"
    return GeneratorState(kind, header, bytes(body))


def _to_numpy(generator: Any, state: GeneratorState) -> None:
    found, _ = _with_arrays(json.loads(state.header), state.body)
    if hasattr(generator, "set_state"):
        _check_kind(state, "numpy")
        generator.set_state(found)
    else:
        _check_kind(state, "numpy.Generator")
        generator.bit_generator.state = found


def _without_arrays(value: Any, body: bytearray) -> Any:
    """The state of a bit generator as JSON; its arrays go behind one another."""
    if isinstance(value, dict):
        return {key: _without_arrays(item, body) for key, item in value.items()}
    if hasattr(value, "tobytes") and hasattr(value, "dtype"):
        little = value.astype(value.dtype.newbyteorder("<"))
        body += little.tobytes()
        return {"dtype": little.dtype.str, "n": int(value.size)}
    return value


def _with_arrays(value: Any, body: bytes) -> tuple[Any, bytes]:
    import numpy as np

    if not isinstance(value, dict):
        return value, body
    if value.keys() == {"dtype", "n"}:
        dtype, n = np.dtype(value["dtype"]), int(value["n"])
        array = np.frombuffer(body, dtype, count=n).astype(dtype.newbyteorder("="))
        return array, body[n * dtype.itemsize :]
    found = {}
    for key, item in value.items():
        found[key], body = _with_arrays(item, body)
    return found, body


def _check_kind(state: GeneratorState, wanted: str) -> None:
    if state.kind != wanted:
        raise ValueError(f"a state of {state.kind} is none of {wanted}")
