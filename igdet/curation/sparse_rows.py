"""A sparse matrix by rows, as flat arrays."""

import numpy as np


class SparseRows:
    """Values at (row, column), looked up by row.

    Shapes: R rows, K values.

    Args:
        rows: int (K,), in [0, R).
        columns: int (K,).
        values: float (K,).
        num_rows: R.
    """

    def __init__(self, rows: np.ndarray, columns: np.ndarray, values: np.ndarray, num_rows: int):
        order = np.argsort(rows, kind="stable")
        self._columns, self._values = np.asarray(columns)[order], np.asarray(values)[order]
        self._starts = np.searchsorted(np.asarray(rows)[order], np.arange(num_rows + 1))

    def row(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """Give the columns and the values of a row."""
        part = slice(self._starts[row], self._starts[row + 1])
        return self._columns[part], self._values[part]

    def take(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give the values of many rows.

        Args:
            rows: int (n,), repeats allowed.

        Returns:
            places int64 (m,), in [0, n): which of `rows` each value belongs to, ascending; its column; the value.
        """
        starts, lengths = self._starts[rows], np.diff(self._starts)[rows]
        where = join_ranges(starts, lengths)
        return np.repeat(np.arange(len(lengths)), lengths), self._columns[where], self._values[where]


def join_ranges(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Join the ranges start, start + 1, ..., start + length - 1: [3, 8], [2, 1] give [3, 4, 8]."""
    shifts = starts - (np.cumsum(lengths) - lengths)
    return np.repeat(shifts, lengths) + np.arange(lengths.sum())
