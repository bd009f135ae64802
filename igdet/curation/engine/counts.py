"""Counts that travel with rows, summed over many files."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from igdet.curation.engine.errors import explained
from igdet.curation.engine.work import map_in_order
from igdet.utils.files import atomic_write

_SUMMED_FILES = 4  # whose counts are in memory at once


def write_counts(path: Path, counts: pa.Table) -> None:
    """Write the counts of a slice, for `sum_counts`."""
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with atomic_write(path) as file, pa.ipc.new_file(file, counts.schema, options=options) as writer:
        writer.write_table(counts)


def sum_counts(files: Sequence[Path], keys: Sequence[str], value: str) -> pa.Table:
    """Sum over what slices have counted.

    Args:
        files: of `write_counts`; a slice tells what it counts apart.
        keys: columns that tell counts apart.
        value: the column to sum.

    Returns:
        Columns `keys` and `value`; a row for each combination, in no order.
    """
    if len(files) == 1:
        return _read_counts([*keys, value], str(files[0]))
    return _sum(partial(_read_counts, [*keys, value]), files, keys, value)


def sum_up(files: Sequence[Path], column: str, keys: Sequence[str], value: str) -> pa.Table:
    """Sum over what batches have counted.

    Args:
        files: Parquet.
        column: list<struct>: the counts of a batch in its first row, null in the others.
        keys: fields of the struct that tell counts apart.
        value: the field to sum.

    Returns:
        Columns `keys` and `value`; a row for each combination, in no order.
    """
    return _sum(partial(_read_column, column, [*keys, value]), files, keys, value)


def _sum(read: Callable[[str], pa.Table], files: Sequence[Path], keys: Sequence[str], value: str) -> pa.Table:
    total = pa.schema([*((key, pa.string()) for key in keys), (value, pa.int64())]).empty_table()
    several = [([str(file) for file in files[i : i + _SUMMED_FILES]],) for i in range(0, len(files), _SUMMED_FILES)]
    for done in map_in_order(partial(_sums, read, keys, value), several):
        sums = done.result.cast(total.schema)
        total = _added(total, sums, keys, value) if len(total) else sums
    return total


def _read_column(column: str, names: Sequence[str], file: str) -> pa.Table:
    with explained(f"reading {column} of {file}"):
        structs = pc.list_flatten(pq.ParquetFile(file).read([column])[column])
    return pa.table([pc.struct_field(structs, name) for name in names], names)


def _read_counts(names: Sequence[str], file: str) -> pa.Table:
    with explained(f"reading {file}"), pa.OSFile(file) as source:
        return pa.ipc.open_file(source).read_all().select(names)


def _sums(read: Callable[[str], pa.Table], keys: Sequence[str], value: str, files: Sequence[str]) -> pa.Table:
    return _summed(pa.concat_tables(map(read, files)), keys, value)


def _summed(rows: pa.Table, keys: Sequence[str], value: str) -> pa.Table:
    return rows.group_by(list(keys)).aggregate([(value, "sum")]).rename_columns([*keys, value])


def _added(left: pa.Table, right: pa.Table, keys: Sequence[str], value: str) -> pa.Table:
    return _summed(pa.concat_tables([left, right]), keys, value)


def count_rows(files: Sequence[Path]) -> int:
    """Count the rows of Parquet files, by their footers."""
    return sum(pq.read_metadata(file).num_rows for file in files)
