"""Parquet files worked on a batch of rows at a time, without a dataframe, where nothing but the rows is asked for."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from igdet.curation.engine.errors import explained
from igdet.curation.engine.frames import BATCH
from igdet.utils.files import atomic_write

FEWEST = 4  # batches of what is rewritten, so that threads share it; a number that no machine decides: bytes are equal
FILE = "posts-{:05d}.parquet"
_DICTIONARY_BYTES = 2**26  # a column's distinct values that are written once, so that readers need not hash all again


def rewrite(
    paths: Sequence[str | Path],
    reads: pa.Schema,
    work: Callable[[pa.RecordBatch], pa.Table],
    folder: Path,
    writes: pa.Schema,
) -> None:
    """Make a Parquet file of each batch of rows of others; the same files give the same bytes.

    While batches are worked on, later ones are read, and earlier ones written by as many threads as Arrow may use.

    Args:
        paths: Parquet files.
        reads: the columns that are read of them, and the types that they get.
        work: is given batches of at most `BATCH`, fewer where there would be less than `FEWEST` of them, in their order
            and one at a time.
        folder: where the files go, named by `FILE`, in the order of the batches.
        writes: of what `work` returns; of dictionaries the values are written, as if they were none.

    Raises:
        EngineError: a file cannot be read or written.
        OSError: the disk is full.
    """
    with ThreadPoolExecutor(1) as worker, ThreadPoolExecutor(pa.cpu_count()) as writers:
        running: deque[Future] = deque()
        for number, batch in enumerate(_batches(paths, reads)):
            worked = worker.submit(work, batch)
            running.append(writers.submit(_write, worked, folder / FILE.format(number), writes))
            if len(running) > pa.cpu_count():  # one more than threads, so that none waits for the reading
                running.popleft().result()
        for done in running:
            done.result()


def _batches(paths: Sequence[str | Path], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Yield all rows; of files without any, a batch without any."""
    batch, rows = None, sum(pq.read_metadata(path).num_rows for path in paths)
    for path in paths:
        with explained(f"reading {path}"), pq.ParquetFile(path) as file:
            for batch in file.iter_batches(min(BATCH, max(1, -(-rows // FEWEST))), columns=schema.names):
                yield batch.select(schema.names).cast(schema)
    if batch is None:
        yield pa.RecordBatch.from_pylist([], schema)


def _write(worked: Future[pa.Table], path: Path, schema: pa.Schema) -> None:
    lists = [field.name for field in schema if pa.types.is_list(field.type)]
    encoded = [f"{name}.list.element" for name in lists if pa.types.is_dictionary(schema.field(name).type.value_type)]
    with explained(f"writing {path}"), atomic_write(path) as file:
        pq.write_table(
            worked.result(),
            file,
            compression="zstd",
            store_schema=False,
            use_dictionary=encoded,
            dictionary_pagesize_limit=_DICTIONARY_BYTES,
            write_statistics=False,  # nobody asks for the least and the largest string, which take half of the time
        )
