"""The list of pairs: which pictures look alike, how much, and who found it."""

from os import PathLike

import pyarrow as pa
import pyarrow.parquet as pq

from igdet.curation.duplicates.errors import DuplicatesError
from igdet.curation.duplicates.hits import Hits
from igdet.utils.files import atomic_write

SCHEMA = pa.schema(
    [
        ("query", pa.string()),  # id of an evaluation picture; within a training set, of one of the two
        ("match", pa.string()),  # id of a training picture
        ("score", pa.float32()),  # at most 1, which is equality; of "pdq" the share of equal bits, of "rmac" the cosine
        ("method", pa.string()),  # "pdq" or "rmac"
    ]
)


def pair_table(query_ids: pa.Array, match_ids: pa.Array, hits: Hits, method: str) -> pa.Table:
    """Name the pairs that a search has found.

    Args:
        query_ids: names of the pictures searched for.
        match_ids: names of the pictures searched.
        hits: rows of these.
        method: who found them.

    Returns:
        a table of `SCHEMA`, the best pairs first, and equally good ones by their names.
    """
    columns = [
        query_ids.take(pa.array(hits.queries)),
        match_ids.take(pa.array(hits.matches)),
        pa.array(hits.scores, pa.float32()),
        pa.repeat(method, len(hits.scores)),
    ]
    table = pa.table(columns, schema=SCHEMA)
    return table.sort_by([("score", "descending"), ("query", "ascending"), ("match", "ascending")])


def write_pairs(path: str | PathLike, pairs: pa.Table) -> None:
    """Write a list of pairs as Parquet."""
    with atomic_write(path) as file:
        pq.write_table(pairs, file)


def read_pairs(path: str | PathLike) -> pa.Table:
    """Read a list of pairs.

    Raises:
        DuplicatesError: there is no such list.
    """
    try:
        return pq.read_table(path, columns=SCHEMA.names).cast(SCHEMA)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise DuplicatesError(
            f"{path}: expected a list of pairs, columns {', '.join(SCHEMA.names)}: {error}"
        ) from error
