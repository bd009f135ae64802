"""Writing checkpoints: whole or not at all, and a full disk says how much room is needed."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from igdet.checkpoint.errors import WeightsError
from igdet.utils.files import atomic_write


def write_checkpoint(content: Any, path: str | os.PathLike, dump: Callable[[Any, IO], None] = torch.save) -> None:
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
    """Give the size of all tensors and arrays in nested containers, which is nearly all of a checkpoint's.

    Args:
        content: as `write_checkpoint` takes it.
    """
    if isinstance(content, dict):
        return size_in_bytes(list(content.values()))
    if isinstance(content, list | tuple):
        return sum(map(size_in_bytes, content))
    return content.nbytes if isinstance(content, Tensor) or hasattr(content, "__array_interface__") else 0
