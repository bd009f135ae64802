"""Loose pictures with a Parquet, CSV or JSONL table of their hashtags."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet

from igdet.data.bad_records import BadRecordLog
from igdet.data.errors import DatasetError, RecordError
from igdet.data.records import FileRecords
from igdet.vocabulary import Vocabulary

TAG_SEPARATORS = "[\\s\\pZ,#＃]+"  # between hashtags in a string; "#" too, for people write #one#two


class ConfinedFileRecords(FileRecords):
    """Files that a table names: what leads out of the root, by "..", an absolute path or a link, is not opened."""

    def read(self, index: int) -> bytes:
        """Read the file, if it really lies under the root."""
        real_root = os.path.realpath(self.root)
        try:
            real_path = os.path.realpath(self.location(index)["file_name"])
        except ValueError as error:  # the path holds a NUL byte
            raise RecordError(self.image_id(index), f"cannot be read under {self.root}: {error}") from error
        if os.path.commonpath([real_root, real_path]) != real_root:
            raise RecordError(self.image_id(index), f"leads out of {self.root}; paths must stay under ROOT")
        return super().read(index)


def read_hashtag_table(
    table: str, root: str, vocabulary: Vocabulary, image_column: str, hashtag_column: str, log: BadRecordLog
) -> ConfinedFileRecords:
    """Read a table of posts; hashtags outside the vocabulary are left out, and so are posts that keep none.

    A post without any hashtag is a bad record: it says that the column is not what it should be.

    Args:
        table: a .parquet, .csv or .jsonl file.
        root: the folder that the paths in `image_column` are relative to.
        vocabulary: which hashtags count as which label.
        image_column: name of the column of paths.
        hashtag_column: name of the column of raw hashtags: lists of strings, or strings with the hashtags separated by
            white space, commas or "#".
        log: counts the posts without any hashtag.

    Raises:
        DatasetError: the table cannot be read, lacks a column, has a row without a path, no post is left, or too many
            have no hashtag.
    """
    paths, tags = _read_columns(table, [image_column, hashtag_column])
    empty_row = pc.index(pc.equal(pc.fill_null(paths, ""), ""), True).as_py()
    if empty_row >= 0:
        raise DatasetError(f"{table}: row {empty_row + 1} has nothing in column {image_column!r}; expected a path")
    counts, flat_tags = _split_tags(table, hashtag_column, tags)
    untagged = np.flatnonzero(counts == 0)
    log.add(len(counts), [(f"{table}: row {row + 1}", f"nothing in column {hashtag_column!r}") for row in untagged])
    posts, ids, note = _label_ids(counts, flat_tags, vocabulary)
    kept, label_counts = np.unique(posts, return_counts=True)
    if not len(kept):
        raise DatasetError(
            f"{table}: none of its {len(counts)} posts has a hashtag of the vocabulary in column {hashtag_column!r}"
        )
    offsets = np.concatenate([[0], np.cumsum(label_counts)])
    records = ConfinedFileRecords(root, paths.take(pa.array(kept)), offsets, ids)
    records.note = f"{len(counts) - len(kept)} of {len(counts)} posts left out: no hashtag of the vocabulary. {note}"
    return records


def _read_columns(table: str, columns: list[str]) -> list[pa.Array]:
    suffix = Path(table).suffix.lower()
    if suffix not in READERS:
        raise DatasetError(f"{table}: tables are {', '.join(READERS)}, not {suffix or 'without suffix'}")
    try:
        found = READERS[suffix](table, columns)
    except (pa.ArrowException, OSError) as error:
        raise DatasetError(f"{table} cannot be read as {suffix}: {error}") from error
    paths, tags = (found.column(name).combine_chunks() for name in columns)
    return [pc.cast(paths, pa.large_string()), tags]


def _read_parquet(table: str, columns: list[str]) -> pa.Table:
    _require(table, columns, pa.parquet.read_schema(table).names)
    return pa.parquet.read_table(table, columns=columns)


def _read_csv(table: str, columns: list[str]) -> pa.Table:
    parse = pa.csv.ParseOptions(newlines_in_values=True)
    with pa.csv.open_csv(table, parse_options=parse) as reader:
        _require(table, columns, reader.schema.names)
    strings = pa.csv.ConvertOptions(include_columns=columns, column_types=dict.fromkeys(columns, pa.large_string()))
    return pa.csv.read_csv(table, parse_options=parse, convert_options=strings)


def _read_jsonl(table: str, columns: list[str]) -> pa.Table:
    found = pa.json.read_json(table)
    _require(table, columns, found.column_names)
    return found


READERS: dict[str, Callable[[str, list[str]], pa.Table]] = {
    ".parquet": _read_parquet,
    ".csv": _read_csv,
    ".jsonl": _read_jsonl,
}


def _require(table: str, columns: list[str], present: list[str]) -> None:
    for column in columns:
        if column not in present:
            raise DatasetError(f"{table} has no column {column!r}; its columns are {', '.join(present)}")


def _split_tags(table: str, column: str, tags: pa.Array) -> tuple[np.ndarray, pa.Array]:
    """Split a column of N posts into the number of tags of each, (N,), and all tags, string (sum,)."""
    if pa.types.is_string(tags.type) or pa.types.is_large_string(tags.type):
        tags = pc.split_pattern_regex(pc.cast(tags, pa.large_string()), pattern=TAG_SEPARATORS)
    elif not (pa.types.is_list(tags.type) or pa.types.is_large_list(tags.type)):
        raise DatasetError(f"{table}: column {column!r} holds {tags.type}; expected strings or lists of strings")
    counts = pc.fill_null(pc.list_value_length(tags), 0).to_numpy(zero_copy_only=False)
    flat = pc.fill_null(pc.cast(pc.list_flatten(tags), pa.large_string()), "")
    is_tag = pc.not_equal(flat, "")  # splitting leaves empty strings at the ends
    posts = np.repeat(np.arange(len(counts)), counts)
    return np.bincount(posts[is_tag.to_numpy(zero_copy_only=False)], minlength=len(counts)), flat.filter(is_tag)


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
