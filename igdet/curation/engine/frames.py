"""Dataframes of Daft: read, worked on a batch at a time, and written in the order of their rows."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import daft
import pyarrow as pa
import pyarrow.parquet as pq
from daft import DataFrame, DataType, Series, col
from daft.io._generator import read_generator
from daft.recordbatch import RecordBatch

from igdet.curation.engine.errors import EngineError, explained
from igdet.formats.posts.columns import types_by_path
from igdet.formats.posts.text_table import KINDS, ROWS, TextTable
from igdet.utils.files import atomic_write
from igdet.utils.messages import shown

VERSION = daft.__version__
BATCH = 524_288  # rows that a batch function gets, at most: the more, the fewer distinct hashtags for each occurrence
_ROW_GROUP = 131_072  # rows: a quarter of a batch, some 8 MB of posts
_ROW_GROUP_BYTES = 8 * 2**20  # of memory: what a writer of buckets holds before it writes
_BUFFERED = 2  # batches that are ready while one is written
_TRIES = 4  # to be told the error: 1 - 0.1 ** 4 = 99.99%


@lru_cache
def set_up(threads: int | None = None) -> None:
    """Let Daft work in this process; for each process that works on frames, before it does.

    Args:
        threads: None for one each CPU.
    """
    daft.set_runner_native(threads)
    pa.set_memory_pool(pa.system_memory_pool())  # gives memory back sooner than Arrow's own, and is no slower
    daft.set_execution_config(
        default_morsel_size=BATCH,  # Daft never joins morsels to a batch, so that they must be as large
        parquet_target_row_group_size=_ROW_GROUP_BYTES,
        scantask_max_parallel=1,  # a file is read as fast as two batches are worked on, and more would wait in memory
        maintain_order=False,  # but for `write`: see there
    )


@dataclass(frozen=True)
class Frame:
    """A dataframe.

    Attributes:
        rows: the dataframe.
        count: how many rows there must be; asked for when the work is done.
    """

    rows: DataFrame
    count: Callable[[], int]


class _Reading:
    """Reads one text file, by igdet's own reader: Daft's makes nulls of what it cannot decode.

    Args:
        table: the file.
    """

    def __init__(self, table: TextTable):
        self._table = table
        self.rows = -1  # until it was read to its end

    def __call__(self) -> Iterator[RecordBatch]:
        rows, self.rows = 0, -1
        for batch in self._table.batches():
            rows += len(batch)
            yield RecordBatch.from_arrow_record_batches([batch], ROWS)
        self.rows = rows


def _read_texts(tables: list[TextTable]) -> Frame:
    """Read each file as a task of its own."""
    readings = [_Reading(table) for table in tables]
    rows = read_generator(iter(readings), daft.Schema.from_pyarrow_schema(ROWS)).into_batches(BATCH)
    return Frame(rows, lambda: sum(reading.rows for reading in readings))


def _read_parquet(paths: list[str]) -> Frame:
    return Frame(daft.read_parquet(paths), lambda: daft.read_parquet(paths).count_rows())  # of the footers


def _read_tars(paths: list[str]) -> Frame:
    rows = daft.read_webdataset(paths)
    return Frame(rows, lambda: rows.select("__key__").count_rows())  # of the headers


_READERS: dict[str, Callable[[list], Frame]] = {
    "parquet": _read_parquet,
    **dict.fromkeys(KINDS, _read_texts),
    "webdataset": _read_tars,
}
FORMATS = tuple(_READERS)


def read(source_format: str, paths: Sequence[str | TextTable]) -> Frame:
    """Read files as one frame.

    Args:
        source_format: one of `FORMATS`.
        paths: files of the same columns; CSV and JSON lines as tables, which become rows of `ROWS`.

    Raises:
        EngineError: a file cannot be read.
    """
    names = [path if isinstance(path, str) else path.path for path in paths[:3]]
    with explained(f"reading {', '.join(names)}{' and others' if len(paths) > 3 else ''}"):
        try:
            return _READERS[source_format](list(paths))
        except ValueError as error:  # of a tar; not caught elsewhere, where it would be one of our own
            raise OSError(error) from error


def column_types(frame: Frame) -> dict[str, pa.DataType]:
    """Return the type of each column, and of the fields of structures by their dotted path.

    Raises:
        EngineError: two columns have one name; which of them would be read is not sure.
    """
    uses = Counter(frame.rows.column_names)
    if twice := [name for name, number in uses.items() if number > 1]:
        raise EngineError(f"the table has the column {shown(twice[0])} twice; rename one of them")
    return types_by_path(pa.field(field.name, field.dtype.to_arrow_dtype()) for field in frame.rows.schema())


def first_cells(frame: Frame, path: str, number: int) -> list[object]:
    """Return what a column, or a field by its dotted path, holds in the first rows."""
    return frame.rows.select(_column(frame.rows, path).alias("cell")).limit(number).to_pydict()["cell"]


def map_batches(
    frame: Frame,
    function: Callable[..., pa.StructArray],
    inputs: Sequence[str],
    returns: pa.StructType,
    keep: Sequence[str] = (),
) -> Frame:
    """Work on a frame, a batch of rows at a time.

    Args:
        frame: what to work on.
        function: is given the arrays (n,) of the input columns, n <= `BATCH`, with plain types (string, list, int64);
            returns a struct array (n,). It must be possible to pickle it.
        inputs: columns, or dotted paths of fields.
        returns: the fields of the struct array: columns of the result.
        keep: columns that go on as they are.
    """

    @daft.func.batch(return_dtype=DataType.from_arrow_type(returns), unnest=True, batch_size=BATCH)
    def on_series(*columns: Series) -> Series:
        return Series.from_arrow(function(*(_plain(column.to_arrow()) for column in columns)))

    rows = frame.rows.select(*keep, on_series(*(_column(frame.rows, path) for path in inputs)))
    return Frame(rows, frame.count)


def _column(rows: DataFrame, path: str) -> daft.Expression:
    if path in rows.column_names:
        return col(path)
    name, *fields = path.split(".")
    column = col(name)
    for field in fields:
        column = column.get(field)
    return column


def _plain(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return one array whose strings and lists have offsets of 32 bits: a batch needs no more."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return array.cast(_PLAIN[str(array.type)]) if str(array.type) in _PLAIN else array


# What Daft calls large; other types are left alone.
_PLAIN = {
    "large_string": pa.string(),
    "large_list<item: large_string>": pa.list_(pa.string()),
    "large_list<item: int32>": pa.list_(pa.int32()),
}


def write(frame: Frame, path: Path) -> None:
    """Do the work, and write what comes of it as one Parquet file, in the order in which the rows were read.

    The same frame gives the same bytes. Daft's own writer is a tenth faster, but has the rows as its threads end. And
    where Daft (0.7.26) keeps the order, up to one in ten errors of a source is lost, and its rows with it; so the rows
    are counted, and the work is done again where some are missing.

    Args:
        frame: what to do.
        path: the file; its folder is made when missing.

    Raises:
        EngineError: something cannot be read or written.
        OSError: the disk is full.
    """
    with explained(f"writing {path}"):
        for _ in range(_TRIES):
            if _write_once(frame.rows, path) == frame.count():
                return
        path.unlink()
        raise OSError("what is read ends early; check its files and run again")


def _write_once(rows: DataFrame, path: Path) -> int:
    """Return how many rows were written."""
    schema, written = rows.schema().to_pyarrow_schema(), 0
    with (
        daft.execution_config_ctx(maintain_order=True),
        atomic_write(path) as file,
        pq.ParquetWriter(file, schema, compression="zstd") as writer,
    ):
        for batch in rows.to_arrow_iter(_BUFFERED):
            writer.write_table(pa.Table.from_batches([batch]).cast(schema), _ROW_GROUP)
            written += len(batch)
    return written


def write_buckets(frame: Frame, key: str, buckets: int, labels: str, folder: Path) -> None:
    """Do the work, and write the rows that have labels as Parquet, those of a file in no order.

    Args:
        frame: what to do.
        key: column whose hash, the same everywhere, says where a row goes; it is written as the column "order".
        buckets: into folders "bucket=N" of which rows are parted, N from 0.
        labels: column of lists; rows whose list is empty are left out.
        folder: where to.

    Raises:
        EngineError: something cannot be read or written.
        OSError: the disk is full.
    """
    rows = frame.rows.where(col(labels).list_count() > 0).with_column("order", col(key).hash())
    rows = rows.with_column("bucket", (col("order") % buckets).cast(DataType.int32()))
    with explained(f"writing {folder}"):
        rows.write_parquet(str(folder), compression="zstd", partition_cols=["bucket"])
    for bucket in folder.iterdir():
        for number, file in enumerate(sorted(bucket.iterdir())):  # Daft's names are random
            file.rename(bucket / f"{number}.parquet")
