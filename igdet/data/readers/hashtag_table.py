"""Loose images with a Parquet, CSV or JSONL table of their hashtags."""

import logging
import os
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from igdet.data.bad_records import BadRecordLog
from igdet.data.records import FileRecords
from igdet.formats.errors import DatasetError, RecordError, TableError
from igdet.formats.posts.columns import PostColumns, described, is_text, lists_tags, types_by_path
from igdet.formats.posts.text_table import ROWS, TextFormat, open_table
from igdet.formats.posts.values import is_missing
from igdet.formats.vocabulary import Vocabulary

logger = logging.getLogger(__name__)

_KINDS = {".parquet": "parquet", ".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


class ConfinedFileRecords(FileRecords):
    """Files that a table names: what leads out of the root, by "..", an absolute path or a link, is not opened."""

    def read(self, index: int) -> bytes:
        """Read the file, if it really lies under the root."""
        if not _real_path(Path(self.root, self.image_id(index))).is_relative_to(_real_folder(Path(self.root))):
            raise RecordError(self.image_id(index), f"leads out of {self.root}; paths must stay under ROOT")
        return super().read(index)


def _real_path(path: Path) -> Path:
    """What `Path.resolve` returns, for less: it looks at each folder above the file every time."""
    real = _real_folder(path.parent) / path.name
    return real.resolve() if path.name == os.pardir or real.is_symlink() else real


@lru_cache(maxsize=10_000)  # 2 MB of paths; posts are mostly in fewer folders
def _real_folder(folder: Path) -> Path:
    return folder.resolve()


def read_hashtag_table(
    table: str,
    root: str,
    vocabulary: Vocabulary,
    image_column: str,
    hashtag_column: str,
    log: BadRecordLog,
    text_format: TextFormat | None = None,
) -> ConfinedFileRecords:
    """Read a table of posts; hashtags outside the vocabulary are left out, and so are posts that keep none.

    A row that cannot be parsed and a post without any hashtag are bad records: the latter says that the column is not
    what it should be.

    Args:
        table: a .parquet, .csv, .tsv or .jsonl file.
        root: the folder that the paths in `image_column` are relative to.
        vocabulary: which hashtags count as which label.
        image_column: name of the column of paths; a dot leads into a structure.
        hashtag_column: name of the column of raw hashtags: lists of strings, or strings as
            `igdet.formats.posts.parsing.tags_of_strings` splits them.
        log: counts the bad records.
        text_format: what is known of a CSV file or one of JSON lines.

    Raises:
        DatasetError: the table cannot be read, lacks a column, has a row without a path, no post is left, or too many
            are bad.
    """
    columns = PostColumns(image_column, hashtag_column)
    paths, tags, bad, note = _read(table, columns, text_format or TextFormat())
    missing = np.flatnonzero(is_missing(paths).to_numpy(zero_copy_only=False)).tolist()
    if unnamed := [row for row in missing if row not in bad]:
        raise DatasetError(f"{table}: row {unnamed[0] + 1} has nothing in column {image_column!r}; expected a path")
    counts = pc.list_value_length(tags).to_numpy()
    nothing = f"nothing in column {hashtag_column!r}"
    untagged = {row: bad.get(row, nothing) for row in np.flatnonzero(counts == 0).tolist()}
    log.add(len(counts), [(f"{table}: row {row + 1}", why) for row, why in untagged.items()])
    posts, ids, known = _label_ids(counts, tags.flatten(), vocabulary)
    kept, label_counts = np.unique(posts, return_counts=True)
    if not len(kept):
        raise DatasetError(
            f"{table}: none of its {len(counts)} posts has a hashtag of the vocabulary in column {hashtag_column!r}"
        )
    offsets = np.concatenate([[0], np.cumsum(label_counts)])
    records = ConfinedFileRecords(root, paths.take(pa.array(kept)), offsets, ids)
    left_out = f"{len(counts) - len(kept)} of {len(counts)} posts left out: no hashtag of the vocabulary."
    records.note = f"{note}{left_out} {known}"
    return records


_Columns = tuple[pa.Array, pa.ListArray, dict[int, str], str]  # paths, hashtags, row -> what is wrong with it, a note


def _read(table: str, columns: PostColumns, text_format: TextFormat) -> _Columns:
    suffix = Path(table).suffix.lower()
    if suffix not in _KINDS:
        raise DatasetError(
            f"{table}: tables are .parquet, .csv, .jsonl, not {suffix or 'without suffix'} "
            "(.tsv counts as .csv, .ndjson as .jsonl)"
        )
    try:
        if _KINDS[suffix] == "parquet":
            return _read_parquet(table, columns)
        return _read_text(table, _KINDS[suffix], columns, text_format)
    except TableError as error:
        raise DatasetError(str(error)) from error
    except (pa.ArrowException, OSError) as error:
        raise DatasetError(f"{table} cannot be read as {suffix}: {error}") from error


def _read_text(table: str, kind: str, columns: PostColumns, text_format: TextFormat) -> _Columns:
    file = open_table(table, kind, columns, text_format)
    logger.info(f"{table} is read as {file.note}")
    found = pa.Table.from_batches(file.batches(), ROWS).combine_chunks()
    images, text, lists, faults = (found[name].combine_chunks() for name in ("image", "text", "tags", "fault"))
    if kind == "jsonl" and faults.null_count:
        file.require_columns(
            image=images.null_count < len(images), text=min(text.null_count, lists.null_count) < len(text)
        )
    bad = {row: fault.partition(": row ")[2].partition(": ")[2] for row, fault in _valid(faults)}
    return images, columns.tags(text, lists), bad, "" if file.is_usual else f"Read as {file.note}. "


def _valid(faults: pa.Array) -> list[tuple[int, str]]:
    rows = np.flatnonzero(faults.is_valid().to_numpy(zero_copy_only=False))
    return list(zip(rows.tolist(), faults.drop_null().to_pylist(), strict=True))


def _read_parquet(table: str, columns: PostColumns) -> _Columns:
    schema = pq.read_schema(table)
    types = types_by_path(schema)
    for column in columns.names:
        if column not in types:
            raise DatasetError(f"{table} has no column {column!r}; its columns are {', '.join(schema.names)}")
        if schema.names.count(column) > 1:
            raise DatasetError(f"{table} has the column {column!r} twice; rename one of them")
    image, tags = (types[column] for column in (columns.image, columns.text))
    if pa.types.is_nested(image):
        raise DatasetError(f"{table}: {described(columns.image, image, 'paths')}")
    if not ((is_text(tags) and not pa.types.is_null(tags)) or lists_tags(tags)):
        raise DatasetError(f"{table}: {described(columns.text, tags, 'strings or lists of strings')}")
    with pq.ParquetFile(table) as file:
        found = file.read(columns.names)
    images, tags = (_at(found, column) for column in (columns.image, columns.text))
    return images.cast(pa.string()), columns.tags(tags), {}, ""


def _at(table: pa.Table, path: str) -> pa.Array:
    """Return a column, or the field of a structure by its dotted path."""
    if path in table.column_names:
        return table[path].combine_chunks()
    name, *fields = path.split(".")
    return pc.struct_field(table[name].combine_chunks(), fields)


def _label_ids(counts: np.ndarray, flat_tags: pa.Array, vocabulary: Vocabulary) -> tuple[np.ndarray, np.ndarray, str]:
    """Map N posts' tags to labels.

    Returns:
        The post and the label id of each distinct (post, label) pair, both (M,), in ascending order; and a note.
    """
    encoded = flat_tags.dictionary_encode()
    distinct, uses = encoded.dictionary.to_pylist(), encoded.indices.to_numpy()
    id_of_distinct = np.array([vocabulary.id_of(tag) for tag in distinct], dtype=np.int64)
    ids = id_of_distinct[uses]
    posts = np.repeat(np.arange(len(counts)), counts)
    known = ids >= 0
    # One number a (post, label) pair: np.unique sorts by post, then label, and drops a label named twice.
    pairs = np.unique(posts[known] * len(vocabulary) + ids[known])
    posts, ids = np.divmod(pairs, len(vocabulary))
    note = (
        f"{np.count_nonzero(id_of_distinct >= 0)} of {len(distinct)} distinct hashtags known: "
        f"{known.sum()} of {len(uses)} uses."
    )
    return posts, ids.astype(np.int32), note
