"""Reading what is too large for memory a piece at a time, and large tables at a few rows."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_BATCH = 65_536  # rows


def list_lengths(files: Sequence[Path], column: str) -> np.ndarray:
    """Count how long the lists of a column are.

    Args:
        files: Parquet files.
        column: of lists; null counts as an empty one.

    Returns:
        int64 (K,): how many lists have 0, 1, 2, ... entries.
    """
    counts = np.zeros(1, np.int64)
    for file in files:
        with pq.ParquetFile(file) as parquet:
            for batch in parquet.iter_batches(_BATCH, columns=[column]):
                lengths = pc.fill_null(pc.list_value_length(batch[column]), 0).to_numpy()
                longer = np.bincount(lengths, minlength=len(counts))
                longer[: len(counts)] += counts
                counts = longer
    return counts


def random_rows(files: Sequence[Path], columns: list[str], number: int, seed: int) -> list[dict]:
    """Draw rows, all equally likely, each at most once.

    Args:
        files: Parquet files.
        columns: to read.
        number: of rows; fewer when there are not so many.
        seed: of the draw.

    Returns:
        The rows, in their order.
    """
    total = sum(pq.read_metadata(file).num_rows for file in files)
    wanted = np.random.default_rng(seed).choice(total, min(number, total), replace=False)
    return list(_take(files, columns, np.sort(wanted)))


def lookup(table: pa.Table, keys: pa.Array | pa.ChunkedArray, key: str, value: str) -> dict[str, str]:
    """Read a few rows of a table of two columns as a dictionary.

    Args:
        table: the table.
        keys: the keys that are wanted; those that the table does not have are left out.
        key: column of strings.
        value: column; of rows with one key the last one counts.
    """
    rows = table.filter(pc.is_in(table[key], keys))
    return dict(zip(rows[key].to_pylist(), rows[value].to_pylist(), strict=True))


def _take(files: Sequence[Path], columns: list[str], wanted: np.ndarray) -> Iterator[dict]:
    """Read the row groups that hold wanted rows, and no others."""
    start = 0
    for file in files:
        with pq.ParquetFile(file) as parquet:
            for group in range(parquet.num_row_groups):
                rows = parquet.metadata.row_group(group).num_rows
                inside = wanted[(wanted >= start) & (wanted < start + rows)] - start
                if len(inside):
                    yield from parquet.read_row_group(group, columns).take(inside).to_pylist()
                start += rows
