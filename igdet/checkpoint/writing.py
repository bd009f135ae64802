"""The checkpoints in a run's folder: each written whole or not at all, the last ones kept."""

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from igdet.formats.errors import WeightsError
from igdet.utils.files import atomic_write

LAST_CHECKPOINT = "last_checkpoint"  # fvcore's name of the file that names the last checkpoint
_NUMBERED = re.compile(r"model_(\d{7,})\.pth")  # Detectron2's name of the checkpoint after an iteration


def write_checkpoint(content: Any, path: str | os.PathLike, dump: Callable[[Any, IO], object] = torch.save) -> None:
    """Write a checkpoint; a file of that name is replaced only when the new one is complete.

    Args:
        content: containers, plain values, tensors and NumPy arrays.
        path: the file.
        dump: writes the content to an open file.

    Raises:
        WeightsError: it could not be written, for want of room for instance; what was there before is unharmed.
    """
    with failures_explained(Path(path), size_in_bytes(content)), atomic_write(path) as file:
        dump(content, file)


def write_safetensors(tensors: Mapping[str, Tensor], path: str | os.PathLike) -> None:
    """Write tensors as a .safetensors file, as PyTorch's libraries do; otherwise as `write_checkpoint`.

    Args:
        tensors: by name, on the CPU; they may be views of one another.
        path: the file.

    Raises:
        WeightsError: as `write_checkpoint`, or the package safetensors is missing.
    """
    try:
        from safetensors.torch import save
    except ImportError as error:
        raise WeightsError(f"{path} needs safetensors: pip install 'igdet[hub]'") from error
    own = {name: tensor.clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()}
    write_checkpoint(own, path, dump=lambda content, file: file.write(save(content, {"format": "pt"})))


@contextmanager
def failures_explained(path: Path, num_bytes: int) -> Iterator[None]:
    """Say which file could not be written, and how much room it needs.

    Args:
        path: the file that the block writes.
        num_bytes: about how large it will be.

    Raises:
        WeightsError: the block failed to write.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:  # PyTorch reports a failed write as a RuntimeError
        free = shutil.disk_usage(path.parent).free if path.parent.is_dir() else 0
        raise WeightsError(
            f"cannot write {path}: about {num_bytes:,} bytes are needed and {free:,} are free there "
            f"({error}). Earlier checkpoints are unharmed; make room, or set OUTPUT_DIR to another disk"
        ) from error


def size_in_bytes(content: Any) -> int:
    """Return the size of all tensors and arrays in nested containers, which is nearly all of a checkpoint's.

    Args:
        content: as `write_checkpoint` takes it.
    """
    if isinstance(content, dict):
        return size_in_bytes(list(content.values()))
    if isinstance(content, list | tuple):
        return sum(map(size_in_bytes, content))
    return content.nbytes if isinstance(content, Tensor) or hasattr(content, "__array_interface__") else 0


def numbered_checkpoints(folder: str | Path) -> list[Path]:
    """Return a folder's numbered checkpoints, the one of the last iteration first."""
    return sorted((path for path in Path(folder).glob("model_*.pth") if _iteration(path) >= 0), key=_iteration)[::-1]


def drop_old(newest: Path, kept: int) -> Iterator[Path]:
    """Delete the checkpoints that came long before a new one; that of an unnumbered name replaces none.

    Args:
        newest: just written.
        kept: how many stay, `newest` among them, >= 1.

    Yields:
        each file that is gone.
    """
    earlier = [path for path in numbered_checkpoints(newest.parent) if _iteration(path) <= _iteration(newest)]
    for path in earlier[kept:]:
        path.unlink()
        yield path


def drop_halves(folder: str | Path) -> Iterator[Path]:
    """Delete what a run left of a checkpoint when it was killed as it wrote it; yields each file that is gone."""
    for path in Path(folder).glob(".model_*.pth.*"):
        path.unlink()
        yield path


def iterations_done(folder: str | Path, length: int) -> int | None:
    """Return how many iterations a run had done at its last checkpoint, by the files' names alone.

    Args:
        folder: the run's.
        length: iterations of the whole run, which model_final.pth has.

    Returns:
        None where there is no checkpoint.
    """
    tag, numbered = Path(folder, LAST_CHECKPOINT), numbered_checkpoints(folder)
    last = Path(tag.read_text(encoding="utf-8").strip()) if tag.is_file() else next(iter(numbered), None)
    return None if last is None else _iteration(last) + 1 or length


def _iteration(path: Path) -> int:
    match = _NUMBERED.fullmatch(path.name)
    return int(match[1]) if match else -1
