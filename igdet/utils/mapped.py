"""Arrays that lie in files: mapped, so that all processes share one copy and memory holds only what is in use."""

import mmap
from pathlib import Path

import numpy as np


def map_array(path: Path, dtype: type) -> np.ndarray:
    """Map a file that holds nothing but numbers, as `ndarray.tofile` writes them.

    Args:
        path: the file.
        dtype: of the numbers.

    Returns:
        (n,), read-only.
    """
    if not path.stat().st_size:
        return np.zeros(0, dtype)  # nothing cannot be mapped
    return np.asarray(np.memmap(path, dtype, "r"))


def release(*arrays: np.ndarray) -> None:
    """Give back the pages of mapped arrays that this process has touched: they would count as its memory.

    What is needed again is read again, usually from the system's cache. Other arrays are left as they are.
    """
    for array in arrays:
        owner = array
        while isinstance(owner, np.ndarray):
            owner = owner.base
        if isinstance(owner, mmap.mmap) and not array.flags.writeable:  # a private copy's changes would be lost
            owner.madvise(mmap.MADV_DONTNEED)
