"""What stops the making of shards."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from igdet.utils.errors import UserError

SCHEMA = pa.schema([("id", pa.string()), ("image", pa.string()), ("labels", pa.list_(pa.int32()))])


class ShardingError(UserError):
    """Posts that shards cannot be made of, or shards that do not hold what was written to them."""


class LabelledPosts:
    """The labelled posts of increments; one file is in memory at a time.

    Args:
        increments: folders of Parquet files, read in the order of their names, with the columns of `SCHEMA`; each post
            has an id of its own, and a label at least, as the stage before leaves them.
        num_labels: of the vocabulary.

    Raises:
        ShardingError: there is no file, or one cannot be read.
    """

    def __init__(self, increments: Sequence[Path], num_labels: int):
        self._increments = [sorted(folder.rglob("*.parquet")) for folder in increments]
        self._num_labels = num_labels
        if not any(self._increments):
            raise ShardingError(
                f"{', '.join(map(str, increments)) or 'nothing'} holds no Parquet file of labelled posts; expected the "
                "output of that stage"
            )
        self._lengths = [sum(map(_count, files)) for files in self._increments]

    def __len__(self) -> int:
        return sum(self._lengths)

    def count_tables(self, size: int) -> int:
        """Return how many tables `tables` yields."""
        return sum(-(-length // size) for length in self._lengths)

    def tables(self, size: int) -> Iterator[pa.Table]:
        """Yield the posts in tables of `size` rows with the columns of `SCHEMA`; an increment's last may have fewer.

        Raises:
            ShardingError: a file cannot be read or lacks a column, a post has no id or no label, or a label is not in
                the vocabulary.
        """
        for files in self._increments:
            yield from self._of_increment(files, size)

    def _of_increment(self, files: Sequence[Path], size: int) -> Iterator[pa.Table]:
        pending = SCHEMA.empty_table()
        for file in files:
            table = _read(file)
            _check(file, table, self._num_labels)
            pending = pa.concat_tables([pending, table])
            while len(pending) >= size:
                yield pending.slice(0, size)
                pending = pending.slice(size)
        if len(pending):
            yield pending


def _count(file: Path) -> int:
    try:
        return pq.read_metadata(file).num_rows
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(file, error) from error


def _read(file: Path) -> pa.Table:
    try:
        table = pq.read_table(file, columns=SCHEMA.names, partitioning=None)
        return table.select(SCHEMA.names).cast(SCHEMA)
    except (pa.ArrowException, OSError, KeyError) as error:
        raise _unreadable(file, error) from error


def _unreadable(file: Path, error: Exception) -> ShardingError:
    expected = ", ".join(f"{field.name} {field.type}" for field in SCHEMA)
    return ShardingError(f"{file}: expected a Parquet table with the columns {expected}: {error}")


def _check(file: Path, table: pa.Table, num_labels: int) -> None:
    labelled = pc.fill_null(pc.greater(pc.list_value_length(table["labels"]), 0), False)
    lacking = {"id": table["id"].null_count, "label": pc.sum(pc.invert(labelled)).as_py() or 0}
    for name, count in lacking.items():
        if count:
            raise ShardingError(f"{file}: {count} posts have no {name}; make it again with the stage before")
    extremes = pc.min_max(pc.list_flatten(table["labels"])).as_py()
    if extremes["min"] is not None and not 0 <= extremes["min"] <= extremes["max"] < num_labels:
        raise ShardingError(
            f"{file}: labels {extremes['min']} to {extremes['max']}, but the vocabulary has the {num_labels} from 0; "
            "make both again from the same table of labels"
        )
