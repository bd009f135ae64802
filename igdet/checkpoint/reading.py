"""Reading checkpoint files that nobody vouches for: no code inside them is ever run."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from igdet.checkpoint.errors import UnreadableWeights

# All that a pickle of NumPy arrays asks for; NumPy 2 has renamed "core" to "_core".
_NUMPY = {("multiarray", "_reconstruct"), ("multiarray", "scalar"), ("numeric", "_frombuffer")}
ALLOWED = {
    *((f"numpy.{core}.{module}", name) for core in ("core", "_core") for module, name in _NUMPY),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
    ("collections", "OrderedDict"),
}

# What the readers raise on files that are cut short, damaged or something else altogether.
_UNREADABLE = (
    pickle.UnpicklingError,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
    ImportError,
)


class _ArraysOnly(pickle.Unpickler):
    """Unpickles containers, numbers, strings and NumPy arrays; anything else could run code and is refused."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which arrays do not need and could run code")
        return super().find_class(module, name)


def read_payload(path: str | Path) -> dict:
    """Read what a checkpoint file holds, on the CPU, without running any code in it.

    Args:
        path: a `.pkl` file of NumPy arrays as Detectron2's model zoo has them, or any file of `torch.save`.

    Returns:
        the mapping inside.

    Raises:
        OSError: the file is not there.
        UnreadableWeights: the file is empty, cut short, no checkpoint, or asks for more than tensors and plain values.
    """
    path = Path(path)
    size = path.stat().st_size
    try:
        payload = READERS.get(path.suffix, _read_torch)(path)
    except _UNREADABLE as error:
        raise UnreadableWeights(
            f"{path} ({size:,} bytes) cannot be read as a checkpoint: {_reason(error)}. "
            "Is it complete, and does it hold nothing but tensors and plain values?"
        ) from error
    if not isinstance(payload, dict):
        raise UnreadableWeights(f"{path}: expected a mapping from names to tensors, found a {type(payload).__name__}")
    return payload


def _read_pickle(path: Path) -> Any:
    with path.open("rb") as file:
        return _ArraysOnly(file, encoding="latin1").load()  # latin1: arrays written by Python 2


def _read_torch(path: Path) -> Any:
    return torch.load(path, map_location="cpu", weights_only=True)


READERS: dict[str, Callable[[Path], Any]] = {".pkl": _read_pickle}


def _reason(error: Exception) -> str:
    """The telling line of an error: PyTorch adds advice to load the file unsafely, which must not be passed on."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if "GLOBAL" in line] or [lines[0].split(". ")[0]] if lines else []
    return f"{type(error).__name__}: {telling[0].rstrip('.')}" if telling else type(error).__name__
