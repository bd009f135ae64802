"""The posts that shards are made of: those with a label, each once, in their order."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from igdet.curation.sharding.errors import ShardingError

SCHEMA = pa.schema([("id", pa.string()), ("image", pa.string()), ("labels", pa.list_(pa.int32()))])


class LabelledPosts:
    """The labelled posts of a folder; takes about 100 bytes of memory a post while it is made, 8 afterwards.

    Args:
        folder: Parquet files, read in the order of their names, with the columns of `SCHEMA`.
        num_labels: of the vocabulary.

    Attributes:
        unlabelled: number of posts left out because they have no label.
        repeated: number of posts left out because an earlier one has their id.

    Raises:
        ShardingError: a file cannot be read or lacks a column, a post has no id, or a label is not in the vocabulary.
    """

    def __init__(self, folder: Path, num_labels: int):
        self._files = sorted(folder.rglob("*.parquet"))
        if not self._files:
            raise ShardingError(f"{folder} holds no Parquet file of labelled posts; expected the output of that stage")
        labelled = []
        for file in self._files:
            table = _read(file)
            _check(file, table, num_labels)
            labelled.append(table.select(["id", "labelled"]))
        self._rows = _first_labelled(pa.concat_tables(labelled))
        counts = pc.sum(pa.chunked_array([table["labelled"] for table in labelled], pa.bool_())).as_py() or 0
        self.unlabelled = sum(map(len, labelled)) - counts
        self.repeated = counts - len(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def tables(self, size: int) -> Iterator[pa.Table]:
        """Yield the posts in tables of `size` rows with the columns of `SCHEMA`; the last one may have fewer."""
        pending = SCHEMA.empty_table()
        start = 0
        for file in self._files:
            table = _read(file).select(SCHEMA.names)
            inside = self._rows[(self._rows >= start) & (self._rows < start + len(table))]
            pending = pa.concat_tables([pending, table.take(pa.array(inside - start))])
            start += len(table)
            while len(pending) >= size:
                yield pending.slice(0, size)
                pending = pending.slice(size)
        if len(pending):
            yield pending


def _read(file: Path) -> pa.Table:
    try:
        table = pq.read_table(file, columns=SCHEMA.names, partitioning=None)
        table = table.select(SCHEMA.names).cast(SCHEMA)
    except (pa.ArrowException, OSError, KeyError) as error:
        expected = ", ".join(f"{field.name} {field.type}" for field in SCHEMA)
        raise ShardingError(f"{file}: expected a Parquet table with the columns {expected}: {error}") from error
    lengths = pc.fill_null(pc.list_value_length(table["labels"]), 0)
    return table.append_column("labelled", pc.greater(lengths, 0))


def _check(file: Path, table: pa.Table, num_labels: int) -> None:
    if table["id"].null_count:
        raise ShardingError(f"{file}: {table['id'].null_count} posts have no id; each needs one of its own")
    extremes = pc.min_max(pc.list_flatten(table["labels"])).as_py()
    if extremes["min"] is not None and not 0 <= extremes["min"] <= extremes["max"] < num_labels:
        raise ShardingError(
            f"{file}: labels {extremes['min']} to {extremes['max']}, but the vocabulary has the {num_labels} from 0; "
            "make both anew from the same table of labels"
        )


def _first_labelled(posts: pa.Table) -> np.ndarray:
    """Give the rows of the labelled posts whose id has not come before, int64 (n,), ascending."""
    rows = pa.table({"id": posts["id"], "row": np.arange(len(posts))}).filter(posts["labelled"])
    first = rows.group_by("id", use_threads=False).aggregate([("row", "min")])
    return np.sort(first["row_min"].to_numpy())
