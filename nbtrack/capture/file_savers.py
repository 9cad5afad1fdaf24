"""The functions that write model files, and where in their call the path stands.

A row a saver: to watch another one, add a row and a test. Nothing is imported here;
`file_patches` looks a row up once its module is loaded.
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# pickle.dump also writes caches of every kind: there, only these count as models.
PICKLE_SUFFIXES = frozenset({".pkl", ".pickle", ".joblib", ".model", ".sav", ".bin"})


@dataclass(frozen=True, slots=True)
class Saver:
    """One function that writes a file: `module` + dotted `attribute` name it."""

    module: str
    attribute: str
    position: int  # of the path or file among the positional arguments
    keyword: str
    suffix: str = ""  # appended by the saver itself where the name lacks it
    only: frozenset[str] = frozenset()  # empty: files of every suffix count

    @property
    def name(self) -> str:
        """What a person calls it: `torch.save`."""
        return f"{self.module}.{self.attribute}"

    def target(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """The path or file object of a call; None when it was not given."""
        if len(args) > self.position:
            return args[self.position]
        return kwargs.get(self.keyword)

    def path_of(self, target: Any) -> Path | None:
        """The absolute path that a call with `target` writes, None when there is none.

        >>> Saver("numpy", "save", 0, "file", suffix=".npy").path_of("/tmp/w")
        PosixPath('/tmp/w.npy')
        """
        named = target.name if is_named_file(target) else target
        if not isinstance(named, str | bytes | os.PathLike):
            return None
        text = os.fsdecode(named)
        if target is named and self.suffix and not text.endswith(self.suffix):
            text += self.suffix
        path = Path(os.path.abspath(text))
        return path if not self.only or path.suffix.lower() in self.only else None


def is_named_file(target: Any) -> bool:
    """Whether `target` is an ordinary file opened by name: not a buffer, no pipe.

    Only the plain types: members of archives and remote files have a `name` as well,
    which says nothing about the local disk.
    """
    plain = type(target) in (io.BufferedWriter, io.BufferedRandom, io.FileIO)
    return plain and isinstance(target.name, str | bytes)


SAVERS = (
    Saver("torch", "save", 1, "f"),
    Saver("safetensors.torch", "save_file", 1, "filename"),
    Saver("safetensors.torch", "save_model", 1, "filename"),
    Saver("safetensors.numpy", "save_file", 1, "filename"),
    Saver("joblib", "dump", 1, "filename"),
    Saver("numpy", "save", 0, "file", suffix=".npy"),
    Saver("numpy", "savez", 0, "file", suffix=".npz"),
    Saver("numpy", "savez_compressed", 0, "file", suffix=".npz"),
    Saver("pickle", "dump", 1, "file", only=PICKLE_SUFFIXES),
    # Methods: the object itself is argument 0.
    Saver("pandas", "DataFrame.to_parquet", 1, "path"),
    Saver("pandas", "DataFrame.to_pickle", 1, "path"),
    Saver("keras", "Model.save", 1, "filepath"),
)
