"""Opening a folder of shards: the index as columns, and what is wrong with the folder."""

import logging
from functools import cached_property
from os import PathLike
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from igdet.shards.format import (
    FORMAT_VERSION,
    INDEX_NAME,
    INDEX_SCHEMA,
    VERSION_KEY,
    VOCABULARY_KEY,
    ShardError,
    index_schema,
)
from igdet.vocabulary import VOCABULARY_NAME

logger = logging.getLogger(__name__)


class ShardIndex:
    """The index of a folder of shards as columns; make one with `ShardIndex.open`.

    Shapes: N posts, S shards, M hashtags of all posts together.

    Attributes:
        folder: where the shards are; their names lead nowhere else.
        shard_names: S file names.
        shard_ids: int32 (N,): position in `shard_names`.
        offsets: int64 (N,): byte offset of the picture in its shard.
        sizes: int64 (N,): bytes of the picture.
        hashtag_offsets: int64 (N + 1,): post i has `hashtag_ids[hashtag_offsets[i] : hashtag_offsets[i + 1]]`.
        hashtag_ids: int32 (M,): label ids, distinct and ascending within a post.
        cut_short: for each shard that ends too early, the number of its posts whose picture is not whole.
    """

    def __init__(self, folder: Path, table: pa.Table):
        self.folder = folder
        shard = table.column("shard").unify_dictionaries().combine_chunks()
        self.shard_names: list[str] = shard.dictionary.to_pylist()
        _check_names(folder / INDEX_NAME, self.shard_names)
        self.shard_ids = shard.indices.to_numpy()
        self.offsets = table.column("offset").to_numpy()
        self.sizes = table.column("size").to_numpy()
        hashtags = table.column("hashtags").combine_chunks()
        self.hashtag_offsets = hashtags.offsets.to_numpy().astype(np.int64)
        self.hashtag_ids = hashtags.values.to_numpy()
        self.cut_short = self._find_cut_short()

    @classmethod
    def open(cls, folder: str | PathLike) -> "ShardIndex":
        """Read a folder's index and check it against the files beside it.

        Shards that end too early are logged and listed in `cut_short`; their whole posts stay readable.

        Raises:
            ShardError: the index or a shard is missing, or the index does not fit this format or the vocabulary.
        """
        folder = Path(folder)
        path = folder / INDEX_NAME
        if not path.is_file():
            raise ShardError(f"{path} is missing: {folder} is no folder of shards, or its writing did not end")
        try:
            schema = pq.read_schema(path)
            _check_schema(path, schema)
            columns = [name for name in INDEX_SCHEMA.names if name != "key"]
            return cls(folder, pq.read_table(path, columns=columns, read_dictionary=["shard"]))
        except pa.ArrowException as error:
            raise ShardError(f"{path} cannot be read as Parquet: {error}; write the shards again") from error

    @cached_property
    def keys(self) -> pa.ChunkedArray:
        """The opaque ids of the posts, string (N,); read when first asked for, as training never needs them all."""
        return pq.read_table(self.folder / INDEX_NAME, columns=["key"]).column("key")

    def __len__(self) -> int:
        return len(self.offsets)

    def _find_cut_short(self) -> dict[str, int]:
        lengths = np.array([_shard_length(self.folder / name) for name in self.shard_names], dtype=np.int64)
        beyond = self.offsets + self.sizes > lengths[self.shard_ids]
        counts = np.bincount(self.shard_ids[beyond], minlength=len(lengths))
        cut_short = {name: int(count) for name, count in zip(self.shard_names, counts, strict=True) if count}
        for name, count in cut_short.items():
            logger.warning("%s is cut short: %d of its posts cannot be read; copy it again", self.folder / name, count)
        return cut_short


def _check_schema(path: Path, schema: pa.Schema) -> None:
    found = schema.metadata or {}
    version = found.get(VERSION_KEY, b"none").decode()
    if version != FORMAT_VERSION:
        raise ShardError(f"{path} has shard format version {version}; this igdet reads version {FORMAT_VERSION}")
    missing = set(INDEX_SCHEMA.names) - set(schema.names)
    if missing:
        raise ShardError(f"{path} lacks the columns {sorted(missing)}; write the shards again")
    vocabulary_path = path.with_name(VOCABULARY_NAME)
    if not vocabulary_path.is_file():
        raise ShardError(f"{vocabulary_path} is missing; copy the one that the shards were written with")
    if found.get(VOCABULARY_KEY) != index_schema(vocabulary_path).metadata[VOCABULARY_KEY]:
        raise ShardError(f"{vocabulary_path} is not the vocabulary that {path} was written with: ids would be wrong")


def _check_names(path: Path, names: list[str]) -> None:
    """A shard lies beside its index: a name that leads elsewhere is no work of igdet's writer."""
    for name in names:
        if Path(name).name != name:
            raise ShardError(f"{path} names the shard {name!r}, which is not a file beside it; write the shards again")


def _shard_length(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        raise ShardError(f"{path} is missing, but {INDEX_NAME} lists posts in it; copy it again") from None
