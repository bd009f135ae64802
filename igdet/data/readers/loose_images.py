"""Images without labels: of folders, single files, and tables of their paths."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from igdet.data.records import FileRecords, files_of_one_label
from igdet.formats.errors import DatasetError
from igdet.formats.images import describe, list_images
from igdet.utils.files import expanded

COLUMN = "image"  # of a table, as in tables of posts
TABLES: dict[str, Callable[[Path], pa.Table]] = {".csv": pa.csv.read_csv, ".parquet": pq.read_table}


def read_loose_images(sources: Sequence[str]) -> FileRecords:
    """List images, by paths that open from the working folder, each with the label 0.

    Args:
        sources: folders, with all below them; images; .csv or .parquet tables with a column `image` of paths, which
            count from the table's folder.

    Raises:
        DatasetError: a source is not there, holds no image, or is no such table.
    """
    paths = [str(path) for source in sources for path in _paths(expanded(source))]
    return files_of_one_label(".", paths, np.zeros(len(paths), np.int32))


def _paths(source: Path) -> list[Path]:
    if source.is_dir():
        return _of_folder(source)
    if not source.is_file():
        tables = " or ".join(TABLES)
        raise DatasetError(f"{source} is not there: expected a folder, an image, or a table of paths ({tables})")
    return _of_table(source) if source.suffix.lower() in TABLES else [source]


def _of_folder(folder: Path) -> list[Path]:
    images, passed_over = list_images(folder)
    if not images:
        others = f" (passed over: {describe(passed_over)})" if passed_over else ""
        raise DatasetError(f"{folder} holds no images{others}: expected some in it or in folders below")
    return [folder / image for image in images]


def _of_table(path: Path) -> list[Path]:
    try:
        table = TABLES[path.suffix.lower()](path)
    except (OSError, pa.ArrowException) as error:
        raise DatasetError(f"{path} cannot be read as {path.suffix[1:]}: {error}") from error
    if table.column_names.count(COLUMN) != 1:
        raise DatasetError(f"{path}: expected one column {COLUMN!r} of paths; its columns are {table.column_names}")
    images = table[COLUMN].to_pylist()
    wrong = next((row for row, image in enumerate(images) if not isinstance(image, str) or not image), None)
    if wrong is not None or not images:
        row = "has no rows" if wrong is None else f"row {wrong + 1} holds {images[wrong]!r:.100}"
        raise DatasetError(f"{path}: {row}; expected a path in column {COLUMN!r}")
    return [path.parent / image for image in images]
