"""Opening a folder of shards: the index as columns, and what is wrong with the folder."""

import logging
import os
from os import PathLike
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from igdet.formats.posts.columns import is_list, is_text
from igdet.formats.shards.columns import IndexColumns, map_columns, open_columns
from igdet.formats.shards.format import (
    INDEX_NAME,
    INDEX_SCHEMA,
    LABELS,
    SHARD_PATTERN,
    VOCABULARY_KEY,
    ShardError,
    check_names,
    index_schema,
    label_column,
)
from igdet.formats.vocabulary import VOCABULARY_NAME
from igdet.utils.messages import shown

logger = logging.getLogger(__name__)


def check_shards(folder: Path, columns: IndexColumns) -> None:
    """Compare a folder with its index: one look at the length of each file, none at its content.

    Shards that end too early, and those that the index does not list, are named in the log.

    Args:
        folder: of the shards.
        columns: of its index.

    Raises:
        ShardError: a shard is missing.
    """
    found = {name: _length(folder / name) for name in columns.shard_names}
    lengths = [length for length in found.values() if length is not None]
    if len(lengths) < len(found):
        missing = [name for name, length in found.items() if length is None]
        raise ShardError(
            f"{folder / missing[0]} is missing, one of {len(missing)} of the {len(found)} shards that {INDEX_NAME} "
            "lists; copy them again. A run that has begun goes on exactly, with --resume, once all are there"
        )
    for shard in np.flatnonzero(np.array(lengths, np.int64) < columns.shard_bytes).tolist():
        path, count = folder / columns.shard_names[shard], _posts_beyond(columns, shard, lengths[shard])
        logger.warning(f"{path} is cut short: {count} of its posts cannot be read; copy it again")
    unlisted = {path.name for path in folder.glob(SHARD_PATTERN)} - set(columns.shard_names)
    if unlisted:
        logger.warning(
            f"{folder / min(unlisted)} and {len(unlisted) - 1} more shards beside it are not in {INDEX_NAME}: they "
            "take no part"
        )


def _length(path: Path) -> int | None:
    try:
        return os.stat(path).st_size  # noqa: PTH116 (hot: 350,000 shards)
    except FileNotFoundError:
        return None


def _posts_beyond(columns: IndexColumns, shard: int, length: int) -> int:
    first, end = [*columns.shard_starts.tolist(), len(columns.arrays["offsets"])][shard : shard + 2]
    image_ends = columns.arrays["offsets"][first:end] + columns.arrays["sizes"][first:end]
    return int(np.count_nonzero(image_ends > length))


class ShardIndex:
    """The index of a folder of shards as columns, mapped from files; open one with `ShardIndex.open`.

    Shapes: N posts, S shards, M labels of all posts together.

    Attributes:
        folder: where the shards are; their names lead nowhere else.
        columns_folder: where the columns' files are.
        shard_names: S file names.
        shard_starts: int64 (S,): the first post of each shard.
        offsets: int64 (N,): byte offset of the image in its shard.
        sizes: uint32 (N,): bytes of the image.
        label_offsets: int64 (N + 1,): post i has `label_ids[label_offsets[i] : label_offsets[i + 1]]`.
        label_ids: int32 (M,): label ids, distinct and ascending within a post, at least one.
        keys: string (N,): the opaque ids of the posts.
    """

    def __init__(self, folder: Path, columns: IndexColumns):
        self.folder = folder
        self.columns_folder = columns.folder
        self.shard_names = columns.shard_names
        self.shard_starts = columns.shard_starts
        self.offsets, self.sizes = columns.arrays["offsets"], columns.arrays["sizes"]
        self.label_offsets, self.label_ids = columns.arrays["label_offsets"], columns.arrays["label_ids"]
        buffers = (pa.py_buffer(columns.arrays[name]) for name in ("key_offsets", "key_letters"))
        self.keys = pa.LargeStringArray.from_buffers(len(self.offsets), *buffers)

    @classmethod
    def open(cls, folder: str | PathLike) -> "ShardIndex":
        """Open a folder's index and check it against the files beside it.

        Shards that end too early are logged; their whole posts stay readable.

        Raises:
            ShardError: the index or a shard is missing, or the index contradicts itself, this format or the vocabulary.
            CacheError: the columns cannot be written.
        """
        folder = Path(folder)
        path = folder / INDEX_NAME
        if not path.is_file():
            raise ShardError(f"{path} is missing: {folder} is no folder of shards, or its writing did not end")
        try:
            _check_schema(path, pq.read_schema(path))
        except pa.ArrowException as error:
            raise ShardError(f"{path} cannot be read as Parquet: {error}; write the shards again") from error
        columns = open_columns(path)
        check_names(path, columns.shard_names)
        index = cls(folder, columns)
        check_shards(folder, columns)
        return index

    def shard_of(self, i: int) -> int:
        """Return the position in `shard_names` of the shard that post i is in."""
        return int(np.searchsorted(self.shard_starts, i, side="right")) - 1

    def __len__(self) -> int:
        return len(self.offsets)

    def __reduce__(self) -> tuple:
        return _reopen, (self.folder, self.columns_folder)  # another process maps the files itself


def _reopen(folder: Path, columns_folder: Path) -> ShardIndex:
    return ShardIndex(folder, map_columns(columns_folder))


def _check_schema(path: Path, schema: pa.Schema) -> None:
    labels = label_column(path, schema)
    expected = [field.with_name(labels) if field.name == LABELS else field for field in INDEX_SCHEMA]
    missing = {field.name for field in expected} - set(schema.names)
    if missing:
        raise ShardError(f"{path} lacks the columns {sorted(missing)}; write the shards again")
    for field in expected:
        if schema.names.count(field.name) > 1:
            raise ShardError(f"{path} has the column {shown(field.name)} twice; write the shards again")
        kind = schema.field(field.name).type
        if not _is_alike(kind, field.type):
            raise ShardError(
                f"{path}: the column {shown(field.name)} holds {kind!s:.200}, expected {field.type}; "
                "write the shards again"
            )
    vocabulary_path = path.with_name(VOCABULARY_NAME)
    if not vocabulary_path.is_file():
        raise ShardError(f"{vocabulary_path} is missing; copy the one that the shards were written with")
    if schema.metadata.get(VOCABULARY_KEY) != index_schema(vocabulary_path).metadata[VOCABULARY_KEY]:
        raise ShardError(f"{vocabulary_path} is not the vocabulary that {path} was written with: ids would be wrong")


def _is_alike(kind: pa.DataType, expected: pa.DataType) -> bool:
    """Whether a column can be read as the expected one: texts may be a dictionary or not, and offsets of any size."""
    if pa.types.is_dictionary(expected):
        return is_text(kind)
    if is_list(expected):
        return is_list(kind) and kind.value_type == expected.value_type
    return kind == expected or (pa.types.is_large_string(kind) and pa.types.is_string(expected))
