"""Counts that travel with rows, summed over many files."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from igdet.curation.engine.errors import explained
from igdet.curation.engine.work import map_in_order

_SUMMED_FILES = 4  # whose counts are in memory at once


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
    total = pa.schema([*((key, pa.string()) for key in keys), (value, pa.int64())]).empty_table()
    several = [([str(file) for file in files[i : i + _SUMMED_FILES]],) for i in range(0, len(files), _SUMMED_FILES)]
    for done in map_in_order(partial(_sums, column, keys, value), several):
        sums = done.result.cast(total.schema)
        total = _added(total, sums, keys, value) if len(total) else sums
    return total


def _sums(column: str, keys: Sequence[str], value: str, files: Sequence[str]) -> pa.Table:
    with explained(f"summing up {column} of {Path(files[0]).parent.parent}"):
        counts = pa.concat_tables(pq.ParquetFile(file).read([column]) for file in files)
        structs, names = pc.list_flatten(counts[column]), [*keys, value]
        return _summed(pa.table([pc.struct_field(structs, name) for name in names], names), keys, value)


def _summed(rows: pa.Table, keys: Sequence[str], value: str) -> pa.Table:
    return rows.group_by(list(keys)).aggregate([(value, "sum")]).rename_columns([*keys, value])


def _added(left: pa.Table, right: pa.Table, keys: Sequence[str], value: str) -> pa.Table:
    return _summed(pa.concat_tables([left, right]), keys, value)


def count_rows(files: Sequence[Path]) -> int:
    """Count the rows of Parquet files, by their footers."""
    return sum(pq.read_metadata(file).num_rows for file in files)
