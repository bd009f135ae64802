"""Reading checkpoint files that nobody vouches for: no code inside them is ever run."""

import pickle
from collections.abc import Callable
from contextlib import suppress
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
            f"{_misnamed(path) or 'Is it complete, and does it hold nothing but tensors and plain values?'}"
        ) from error
    if not isinstance(payload, dict):
        raise UnreadableWeights(
            f"{path}: expected a mapping from names to tensors, found a {type(payload).__name__}. "
            f"{_misnamed(path) or 'Is it the right file?'}"
        )
    return payload


def _read_pickle(path: Path) -> Any:
    with path.open("rb") as file:
        return _ArraysOnly(file, encoding="latin1").load()  # latin1: arrays written by Python 2


def _read_torch(path: Path) -> Any:
    return torch.load(path, map_location="cpu", weights_only=True)


READERS: dict[str, Callable[[Path], Any]] = {".pkl": _read_pickle}
# How files begin, what writes them, and the ending they should have; torch.save's older format is a pickle, too.
_BEGINNINGS = (
    (b"PK\x03\x04", "torch.save", ".pth"),
    (pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2), "torch.save", ".pth"),
    (b"\x80", "pickle.dump", ".pkl"),
)


def _misnamed(path: Path) -> str:
    """What to do with a file whose content is of another format than its ending says; "" where it is not."""
    begin = b""
    with suppress(OSError), path.open("rb") as file:
        begin = file.read(max(len(beginning) for beginning, _, _ in _BEGINNINGS))
    writer, suffix = next((row[1:] for row in _BEGINNINGS if begin.startswith(row[0])), ("", path.suffix))
    if (suffix in READERS) == (path.suffix in READERS):
        return ""
    return (
        f"Its ending, {path.suffix or 'none'}, decides how it is read, but its content looks like {writer}'s: "
        f"rename it to end in {suffix}"
    )


def _reason(error: Exception) -> str:
    """The telling line of an error: PyTorch adds advice to load the file unsafely, which must not be passed on."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = next((line for line in lines if "GLOBAL" in line), lines[0] if lines else "")
    telling = telling.split(". ")[0].rstrip(".,")
    return f"{type(error).__name__}: {telling}" if telling else type(error).__name__
