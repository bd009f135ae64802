"""Arrays in files, and their pages."""

import re
from pathlib import Path

import numpy as np

from igdet.utils.files import map_array, release


def resident_kilobytes(path):
    """How much of a mapped file this process holds, as the system counts it."""
    smaps = Path("/proc/self/smaps").read_text()
    return sum(int(kb) for kb in re.findall(rf"{re.escape(str(path))}\n(?:Size.*\n|.*kB\n)*?Rss: +(\d+) kB", smaps))


def test_pages_are_given_back_and_come_back(tmp_path):
    path = tmp_path / "numbers.bin"
    np.arange(1_000_000).tofile(path)
    mapped = map_array(path, np.int64)
    assert mapped.sum() == 999_999 * 500_000
    assert resident_kilobytes(path) > 7_000
    release(mapped[10:20])
    assert resident_kilobytes(path) == 0
    assert mapped[123_456] == 123_456


def test_arrays_in_memory_and_private_copies_stay(tmp_path):
    np.arange(10).tofile(tmp_path / "numbers.bin")
    private = np.memmap(tmp_path / "numbers.bin", np.int64, "c")
    private[3] = 42
    release(np.arange(5), private)
    assert private[3] == 42


def test_an_empty_file_is_an_empty_array(tmp_path):
    (tmp_path / "numbers.bin").touch()
    assert map_array(tmp_path / "numbers.bin", np.int32).tolist() == []
