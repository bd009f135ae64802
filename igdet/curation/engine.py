"""The dataframe engine, Daft: the only file that knows which one it is, and on what machines it runs."""

import errno
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import BinaryIO, NamedTuple
from urllib.request import urlopen

import daft
import pyarrow as pa
import pyarrow.parquet as pq
from daft import DataFrame, DataType, Series, col
from daft.exceptions import DaftCoreException
from daft.io._generator import read_generator
from daft.recordbatch import RecordBatch
from pyarrow.fs import FileSystem

from igdet.formats.posts.columns import types_by_path
from igdet.formats.posts.text_table import KINDS, ROWS, TextTable, open_local
from igdet.utils.errors import UserError
from igdet.utils.messages import did_you_mean, shown
from igdet.utils.yaml import ConfigError

VERSION = daft.__version__
BATCH = 524_288  # rows that a batch function gets, at most: the more, the fewer distinct hashtags for each occurrence
ROW_GROUP_BYTES = 8 * 2**20  # of memory: what a writer holds before it writes
_WEB_SECONDS = 60  # without a byte from a web server
_SUMMED_FILES = 4  # whose counts are in memory at once

RUNNERS: dict[str, Callable[[str], object]] = {
    "native": lambda address: daft.set_runner_native(),
    "ray": lambda address: daft.set_runner_ray(address=address or None),
}


def _read_rows(tables: list[TextTable]) -> DataFrame:
    """Read each file as a task of its own, by igdet's own reader: Daft's makes nulls of what it cannot decode."""
    schema = daft.Schema.from_pyarrow_schema(ROWS)
    return read_generator((partial(_rows, table) for table in tables), schema).into_batches(BATCH)


def _rows(table: TextTable) -> Iterator[RecordBatch]:
    for batch in table.batches():
        yield RecordBatch.from_arrow_record_batches([batch], ROWS)


def open_url(path: str) -> BinaryIO:
    """Open a file of this machine, of a web server or of a store; not by Daft, which cannot within a task of its own.

    Raises:
        OSError: it cannot be read.
    """
    if path.startswith(("http://", "https://")):
        return urlopen(path, timeout=_WEB_SECONDS)
    if "://" not in path:
        return open_local(path)
    store, name = FileSystem.from_uri(path)
    return store.open_input_stream(name)


_READERS: dict[str, Callable[[list], DataFrame]] = {
    "parquet": daft.read_parquet,
    **dict.fromkeys(KINDS, _read_rows),
    "webdataset": daft.read_webdataset,
}
FORMATS = tuple(_READERS)


@dataclass(frozen=True)
class EngineSettings:
    """Where the dataframes are worked on.

    Attributes:
        runner: "native" for this machine, "ray" for a cluster.
        address: of a running Ray cluster; "" starts a local one.
        slice_mb: megabytes of input that are worked on at a time, and lost when the run is killed; > 0.
            More than 64 for each CPU gains nothing, less leaves CPUs idle.
    """

    runner: str = "native"
    address: str = ""
    slice_mb: float = 256.0

    def __post_init__(self) -> None:
        if not self.slice_mb > 0:
            raise ConfigError(f"ENGINE.SLICE_MB must be > 0, not {self.slice_mb}")


class EngineError(UserError):
    """Files that the engine cannot read or write."""


class SourceFile(NamedTuple):
    """A file to read.

    Attributes:
        path: absolute local path, links resolved, or URL.
        size: bytes; 0 when the server does not say.
    """

    path: str
    size: int


def start(settings: EngineSettings) -> None:
    """Start the engine; a process can do so with one runner only.

    Raises:
        ConfigError: there is no such runner.
    """
    if settings.runner not in RUNNERS:
        known = ", ".join(RUNNERS)
        raise ConfigError(
            f"ENGINE.RUNNER: {shown(settings.runner)} is none of {known}{did_you_mean(settings.runner, RUNNERS)}"
        )
    _start(settings.runner, settings.address)


@lru_cache
def _start(runner: str, address: str) -> None:
    RUNNERS[runner](address)
    pa.set_memory_pool(pa.system_memory_pool())  # gives memory back sooner than Arrow's own, and is no slower
    daft.set_execution_config(
        default_morsel_size=BATCH,  # Daft never joins morsels to a batch, so that they must be as large
        parquet_target_row_group_size=ROW_GROUP_BYTES,
        scantask_max_parallel=1,  # a file is read as fast as two batches are worked on, and more would wait in memory
    )


@contextmanager
def at_once() -> Iterator[None]:
    """Have a command that ends on an error end at once.

    Threads of the native runner may be at work still, and Python crashes when they outlive it.
    """
    try:
        yield
    except SystemExit as end:
        if daft.get_or_infer_runner_type() == "native":
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(_status_of(end))
        raise


def _status_of(end: SystemExit) -> int:
    """Return the exit status, as Python itself makes it of what was raised: a text is printed, and is a failure."""
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    print(end.code, file=sys.stderr, flush=True)
    return 1


def list_files(patterns: Sequence[str]) -> list[SourceFile]:
    """Find the files that paths, folders or patterns mean, sorted, each once.

    Raises:
        EngineError: one means no file, or a store cannot be reached.
    """
    found: dict[str, int] = {}
    for pattern in patterns:
        files = _listed(pattern)
        if not files:
            raise EngineError(
                f"{pattern}: there is no such file; expected a file, a folder or a pattern such as a/*.csv"
            )
        found.update(files)
    return [SourceFile(path, size) for path, size in sorted(found.items())]


def _listed(pattern: str) -> dict[str, int]:
    if pattern.startswith(("http://", "https://")):
        return {pattern: 0}  # a web server lists no folders
    # Daft finds nothing for a relative pattern without a folder.
    absolute = pattern if "://" in pattern else str(Path(pattern).expanduser().absolute())
    try:
        table = daft.from_glob_path(absolute).to_pydict()
    except FileNotFoundError:
        return {}
    except DaftCoreException as error:
        if "://" in pattern and _NO_MATCH not in str(error):
            raise EngineError(f"{pattern}: cannot be listed: {_in_one_line(error)}") from error
        return {}
    return {_resolved(path): size or 0 for path, size in zip(table["path"], table["size"], strict=True)}


def _resolved(path: str) -> str:
    """Return a local path in the one form that PostReader can cut the root from; leave a URL alone."""
    local = path.removeprefix("file://")
    return local if "://" in local else str(Path(local).resolve())


def read(source_format: str, paths: Sequence[str | TextTable]) -> DataFrame:
    """Read files as one frame.

    Args:
        source_format: one of `FORMATS`.
        paths: files of the same columns; CSV and JSON lines as tables, which become rows of `ROWS`.

    Raises:
        EngineError: a file cannot be read.
    """
    names = [path if isinstance(path, str) else path.path for path in paths[:3]]
    with _explained(f"reading {', '.join(names)}{' and others' if len(paths) > 3 else ''}"):
        try:
            return _READERS[source_format](list(paths))
        except ValueError as error:  # of a tar; not caught elsewhere, where it would be one of our own
            raise OSError(error) from error


def column_types(frame: DataFrame) -> dict[str, pa.DataType]:
    """Return the type of each column, and of the fields of structures by their dotted path.

    Raises:
        EngineError: two columns have one name; which of them would be read is not sure.
    """
    uses = Counter(frame.column_names)
    if twice := [name for name, number in uses.items() if number > 1]:
        raise EngineError(f"the table has the column {shown(twice[0])} twice; rename one of them")
    return types_by_path(pa.field(field.name, field.dtype.to_arrow_dtype()) for field in frame.schema())


def first_cells(frame: DataFrame, path: str, number: int) -> list[object]:
    """Return what a column, or a field by its dotted path, holds in the first rows."""
    return frame.select(_column(frame, path).alias("cell")).limit(number).to_pydict()["cell"]


def map_batches(
    frame: DataFrame,
    function: Callable[..., pa.StructArray],
    inputs: Sequence[str],
    returns: pa.StructType,
    keep: Sequence[str] = (),
) -> DataFrame:
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

    return frame.select(*keep, on_series(*(_column(frame, path) for path in inputs)))


def _column(frame: DataFrame, path: str) -> daft.Expression:
    if path in frame.column_names:
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
}


def not_empty(frame: DataFrame, column: str) -> DataFrame:
    """Keep the rows whose list is not empty."""
    return frame.where(col(column).list_count() > 0)


def in_buckets(frame: DataFrame, key: str, buckets: int) -> DataFrame:
    """Add the columns "order", a hash of the key that is the same everywhere, and "bucket", 0..buckets - 1."""
    frame = frame.with_column("order", col(key).hash())
    return frame.with_column("bucket", (col("order") % buckets).cast(DataType.int32()))


def write(frame: DataFrame, folder: Path, by: str | None = None) -> None:
    """Do the work, and write what comes of it as Parquet.

    Args:
        frame: what to do.
        folder: where to; files get random names.
        by: a column by whose values rows are parted into folders "NAME=VALUE".

    Raises:
        EngineError: something cannot be read or written.
        OSError: the disk is full.
    """
    with _explained(f"writing {folder}"):
        frame.write_parquet(str(folder), compression="zstd", partition_cols=[by] if by else None)


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
    for start in range(0, len(files), _SUMMED_FILES):
        some = [str(file) for file in files[start : start + _SUMMED_FILES]]
        with _explained(f"summing up {column} of {files[start].parent.parent}"):
            counts = daft.read_parquet(some).select(column).where(col(column).not_null())
            rows = counts.explode(column).where(col(column).not_null())
            fields = rows.select(*(col(column).get(name).alias(name) for name in (*keys, value)))
            sums = fields.groupby(*keys).agg(col(value).sum()).to_arrow().cast(total.schema)
        total = _added(total, sums, keys, value) if start else sums
    return total


def _added(left: pa.Table, right: pa.Table, keys: Sequence[str], value: str) -> pa.Table:
    sums = pa.concat_tables([left, right]).group_by(list(keys)).aggregate([(value, "sum")])
    return sums.rename_columns([*keys, value])


def count_rows(files: Sequence[Path]) -> int:
    """Count the rows of Parquet files, by their footers."""
    return sum(pq.read_metadata(file).num_rows for file in files)


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turn the engine's errors into ones that say what was being done; those of a full disk into the system's own."""
    try:
        yield
    except (DaftCoreException, OSError) as error:
        for number in _FULL:
            if f"(os error {number})" in str(error):
                raise OSError(number, os.strerror(number), what) from error
        raise EngineError(f"{what}: {_in_one_line(error)}") from error


def _in_one_line(error: Exception) -> str:
    """Leave out the causes of an error, which Daft gives a line each; of an error in Python only its cause says it."""
    first, *causes = str(error).splitlines()
    return causes[-1].strip().removeprefix("1: ") if causes and first == _IN_PYTHON else first


_NO_MATCH = "Need at least 1 MicroPartition"  # so Daft says that no file is meant by a pattern
_IN_PYTHON = "PyIOError"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
