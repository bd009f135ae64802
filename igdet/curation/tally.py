"""Counts that travel with the rows: an engine's batch function gives rows and nothing else."""

import numpy as np
import pyarrow as pa


def counts_type(**keys: pa.DataType) -> pa.ListType:
    """Give the type of a column of counts: list<struct<*keys, posts: int64>>."""
    return pa.list_(pa.struct([*keys.items(), ("posts", pa.int64())]))


def in_first_row(counts: pa.Table, rows: int, kind: pa.ListType) -> pa.ListArray:
    """Put a batch's counts into its first row.

    Args:
        counts: with the fields of the type as columns.
        rows: of the batch; without any, the counts are lost, as there is nothing to count.
        kind: see `counts_type`.

    Returns:
        `kind` (rows,): the counts, then null.
    """
    fields = [counts[field.name].combine_chunks().cast(field.type) for field in kind.value_type]
    structs = pa.StructArray.from_arrays(fields, fields=list(kind.value_type))
    offsets = np.full(rows + 1, len(structs) if rows else 0, np.int32)
    offsets[0] = 0
    return pa.ListArray.from_arrays(pa.array(offsets), structs, mask=pa.array(np.arange(rows) > 0))
