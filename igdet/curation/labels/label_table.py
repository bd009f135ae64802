"""The table of labels: which hashtags count as which label, and how many posts carry it."""

from os import PathLike
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from igdet.formats.vocabulary import Vocabulary, normalise_tag
from igdet.utils.errors import UserError, no_such_file

SCHEMA = pa.schema(
    [
        ("label", pa.string()),  # its key, such as a wnid
        ("name", pa.string()),  # its canonical hashtag
        ("posts", pa.int64()),  # posts that carry it
        ("tags", pa.list_(pa.string())),  # the normal forms that count as it
    ]
)


class LabelTableError(UserError):
    """A table of labels, or of labelled posts, that cannot be read."""


def read_labels(path: str | PathLike) -> pa.Table:
    """Read a table of labels.

    Args:
        path: a Parquet file, or a folder of them.

    Returns:
        The table, with the columns of `SCHEMA`; a label's id is its row number.

    Raises:
        LabelTableError: there is no such table, or its columns are others.
    """
    table = _read(_files(path), SCHEMA.names, path)
    try:
        return table.cast(SCHEMA)
    except pa.ArrowInvalid as error:
        raise LabelTableError(f"{path}: {error}; expected {SCHEMA.to_string()}") from error


def read_label_lists(path: str | PathLike) -> tuple[np.ndarray, np.ndarray]:
    """Read which labels the posts carry.

    Args:
        path: a Parquet file, or a folder of them, with a column "labels" of row numbers in the table of labels.

    Returns:
        Offsets int64 (N + 1,): where each post's labels begin in ids; ids int32 (M,). Both are mapped from temporary
        files of about 20 bytes a post, so that any number of posts fits into the memory.

    Raises:
        LabelTableError: there is no such table, or it has no such column.
    """
    with TemporaryFile() as offsets, TemporaryFile() as ids:
        start = np.zeros(1, dtype=np.int64)
        start.tofile(offsets)
        for file in _files(path):
            lists = _as_lists(file, _read([file], ["labels"], file)["labels"])
            ends = start + np.cumsum(pc.fill_null(pc.list_value_length(lists), 0).to_numpy(), dtype=np.int64)
            ends.tofile(offsets)
            pc.list_flatten(lists).to_numpy().tofile(ids)
            start = ends[-1:] if len(ends) else start
        return _mapped(offsets, np.int64), _mapped(ids, np.int32)


def _as_lists(file: Path, column: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return column.cast(pa.list_(pa.int32()))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise LabelTableError(f"{file}: column labels: {error}; expected lists of int32") from error


def _mapped(file: IO[bytes], kind: type) -> np.ndarray:
    """Map what was written to a file, which may then be closed."""
    file.flush()
    return np.memmap(file, kind, "r") if file.tell() else np.zeros(0, kind)  # nothing cannot be mapped


def _files(path: str | PathLike) -> list[Path]:
    found = sorted(Path(path).rglob("*.parquet")) if Path(path).is_dir() else [Path(path)]
    if not found:
        raise LabelTableError(f"{path}: no Parquet table in this folder")
    return found


def _read(files: list[Path], columns: list[str], path: str | PathLike) -> pa.Table:
    from pyarrow import dataset  # only here: it imports pandas

    try:
        return dataset.dataset([str(file) for file in files], format="parquet").to_table(columns=columns)
    except FileNotFoundError as error:
        expected = f"a Parquet table, or a folder of them, with the columns {', '.join(columns)}"
        raise LabelTableError(no_such_file(path, expected)) from error
    except (OSError, pa.ArrowInvalid) as error:
        raise LabelTableError(f"{path}: no Parquet table with the columns {', '.join(columns)}: {error}") from error


def rows_of_tags(labels: pa.Table) -> dict[str, int]:
    """Map each normal form to the row of the label that it counts as.

    A form that was resolved by the other hashtags of its posts counts as several: then the first, most frequent one.
    """
    rows: dict[str, int] = {}
    for row, tags in enumerate(labels["tags"].to_pylist()):
        for tag in tags:
            rows.setdefault(normalise_tag(tag), row)
    return rows


def vocabulary_of(labels: pa.Table) -> Vocabulary:
    """Make a table's labels a vocabulary: a label's id is its row number.

    A hashtag is under one label only. A label whose canonical hashtag counts as another goes by the first of its
    own, and one without any hashtag of its own goes by its key.
    """
    rows = rows_of_tags(labels)
    lines = []
    for row, label in enumerate(labels.to_pylist()):
        own: dict[str, str] = {}
        for tag in (label["name"], *label["tags"]):
            if rows.get(normalise_tag(tag)) == row:
                own.setdefault(normalise_tag(tag), tag)
        lines.append(list(own.values()) or [label["label"]])
    return Vocabulary(lines)
