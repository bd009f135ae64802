"""Writing posts into shards, as a stream."""

from collections.abc import Iterable
from contextlib import ExitStack
from os import PathLike
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from igdet.shards.format import (
    INDEX_NAME,
    SHARD_NAME,
    SHARD_PATTERN,
    ShardError,
    index_schema,
)
from igdet.shards.summary import write_summary
from igdet.shards.tar import Shard, write_shard
from igdet.utils.files import atomic_write
from igdet.vocabulary import VOCABULARY_NAME, Vocabulary


class ShardWriter:
    """Writes posts to a folder of shards; the same posts give the same bytes. Use it as a context manager.

    Every shard appears whole or not at all, then the index: a folder without it is unfinished. The summary comes last.

    Args:
        folder: made when missing; must hold no shards yet.
        vocabulary: the labels; written beside the shards.
        shard_size: number of posts in a shard; the last one may hold fewer.

    Raises:
        ShardError: the folder holds shards already.
    """

    def __init__(self, folder: str | PathLike, vocabulary: Vocabulary, shard_size: int = 10_000):
        self.folder = Path(folder)
        if (self.folder / INDEX_NAME).exists() or any(self.folder.glob(SHARD_PATTERN)):
            raise ShardError(f"{self.folder} holds shards already; remove them or name another folder")
        self._vocabulary = vocabulary
        self._names = vocabulary.names
        self._shard_size = shard_size
        self._shard_count = 0
        self._shard: Shard | None = None  # the one being written

    def __enter__(self) -> "ShardWriter":
        vocabulary_path = self.folder / VOCABULARY_NAME
        self._vocabulary.write(vocabulary_path)
        self._schema = index_schema(vocabulary_path)
        self._open_files = ExitStack()  # closes in reverse order: last shard, then index; after an error neither stays
        index = self._open_files.enter_context(atomic_write(self.folder / INDEX_NAME))
        self._index = self._open_files.enter_context(pq.ParquetWriter(index, self._schema))
        self._shard_file = self._open_files.enter_context(ExitStack())
        self._open_files.push(self._finish_last_shard)
        return self

    def add(self, key: str, picture: bytes, hashtags: Iterable[str]) -> None:
        """Append a post.

        Args:
            key: opaque id of the post: letters, digits, "_" and "-".
            picture: an encoded picture file, JPEG by the format's custom.
            hashtags: raw hashtags; those outside the vocabulary are left out.

        Raises:
            ShardError: the key does not fit, or no hashtag is in the vocabulary.
        """
        ids = self._vocabulary.ids(hashtags).tolist()
        if not ids:
            raise ShardError(f"post {key!r}: none of its hashtags {list(hashtags)} is in the vocabulary; leave it out")
        if self._shard is None:
            path = self.folder / SHARD_NAME.format(self._shard_count)
            self._shard = self._shard_file.enter_context(write_shard(path, self._names))
        self._shard.add(key, picture, ids)
        if len(self._shard.rows) == self._shard_size:
            self._finish_shard()

    def _finish_shard(self) -> None:
        self._shard_file.close()
        self._index.write_table(pa.Table.from_pylist(self._shard.rows, schema=self._schema))
        self._shard_count += 1
        self._shard = None

    def _finish_last_shard(self, error_type: type | None, *_) -> None:
        if self._shard and error_type is None:
            self._finish_shard()

    def __exit__(self, error_type: type | None, *error) -> None:
        self._open_files.__exit__(error_type, *error)
        if error_type is None:
            write_summary(self.folder)
