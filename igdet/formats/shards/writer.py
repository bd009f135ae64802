"""Writing posts into shards: one tar with where in it each image lies, and a stream of them."""

import json
import re
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from os import PathLike
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from igdet.formats.shards.format import INDEX_NAME, LABELS, SHARD_NAME, SHARD_PATTERN, ShardError, index_schema
from igdet.formats.shards.naming import DEFAULT_NAME, SetName
from igdet.formats.shards.summary import write_summary
from igdet.formats.vocabulary import VOCABULARY_NAME, Vocabulary
from igdet.utils.files import atomic_write

_KEY = re.compile(r"[A-Za-z0-9_-]{1,90}")  # WebDataset splits names at the first dot; a tar header holds 100 bytes
_END_OF_TAR = bytes(2 * tarfile.BLOCKSIZE)


class Shard:
    """A shard being written; make one with `write_shard`.

    Attributes:
        rows: the index rows of its posts, as dicts of the columns of `igdet.formats.shards.format.INDEX_SCHEMA`.
    """

    def __init__(self, name: str, tar: IO[bytes], names: Sequence[str]):
        self.rows: list[dict] = []
        self._name = name
        self._tar = tar
        self._names = names

    def add(self, key: str, image: bytes, ids: list[int]) -> None:
        """Append a post.

        Args:
            key: opaque id of the post: letters, digits, "_" and "-".
            image: an encoded image file, JPEG by the format's custom.
            ids: label ids, distinct, ascending, at least one.

        Raises:
            ShardError: the key does not fit.
        """
        if not _KEY.fullmatch(key):
            raise ShardError(f"post {key!r}: a key is 1 to 90 ASCII letters, digits, '_' or '-'")
        offset = _append_member(self._tar, f"{key}.jpg", image)
        names = json.dumps({"hashtags": [self._names[i] for i in ids]}, ensure_ascii=False)
        _append_member(self._tar, f"{key}.json", names.encode())
        self.rows.append({"shard": self._name, "offset": offset, "size": len(image), "key": key, LABELS: ids})


@contextmanager
def write_shard(path: Path, names: Sequence[str]) -> Iterator[Shard]:
    """Open a shard, which appears whole when the block ends without an error.

    Args:
        path: the tar.
        names: the canonical name of each label, by label id.
    """
    with atomic_write(path) as tar:
        yield Shard(path.name, tar, names)
        tar.write(_END_OF_TAR)


def _append_member(tar: IO[bytes], name: str, data: bytes) -> int:
    """Append a file to an open tar and return the offset of its data.

    Written by hand because the index needs that offset; owner and time stay 0, so that equal posts give equal bytes.
    """
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.write(info.tobuf(tarfile.USTAR_FORMAT))
    offset = tar.tell()
    tar.write(data + bytes(-len(data) % tarfile.BLOCKSIZE))
    return offset


def read_header(header: bytes) -> tuple[str, int]:
    """Read what a shard's reader needs of a tar header.

    Args:
        header: 512 bytes.

    Returns:
        Name and size of the member; ("", 0) where it is no header.
    """
    try:
        return header[:100].rstrip(b"\0").decode(), int(header[124:136].strip(b"\0 "), 8)
    except ValueError:
        return "", 0


class ShardWriter:
    """Writes posts to a folder of shards; the same posts give the same bytes. Use it as a context manager.

    Every shard appears whole or not at all, then the index: a folder without it is unfinished. The summary comes last.

    Args:
        folder: made when missing; must hold no shards yet.
        vocabulary: the labels; written beside the shards.
        shard_size: number of posts in a shard; the last one may hold fewer.
        name: what the set is called before its counts.

    Raises:
        ShardError: the folder holds shards already.
    """

    def __init__(
        self, folder: str | PathLike, vocabulary: Vocabulary, shard_size: int = 10_000, name: SetName = DEFAULT_NAME
    ):
        self.folder = Path(folder)
        if (self.folder / INDEX_NAME).exists() or any(self.folder.glob(SHARD_PATTERN)):
            raise ShardError(f"{self.folder} holds shards already; remove them or name another folder")
        self._name = name
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

    def add(self, key: str, image: bytes, hashtags: Iterable[str]) -> None:
        """Append a post.

        Args:
            key: opaque id of the post: letters, digits, "_" and "-".
            image: an encoded image file, JPEG by the format's custom.
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
        self._shard.add(key, image, ids)
        if len(self._shard.rows) == self._shard_size:
            self._finish_shard(self._shard)

    def _finish_shard(self, shard: Shard) -> None:
        self._shard_file.close()
        self._index.write_table(pa.Table.from_pylist(shard.rows, schema=self._schema))
        self._shard_count += 1
        self._shard = None

    def _finish_last_shard(self, error_type: type | None, *_: object) -> None:
        if self._shard and error_type is None:
            self._finish_shard(self._shard)

    def __exit__(self, error_type: type | None, *error: Any) -> None:
        self._open_files.__exit__(error_type, *error)
        if error_type is None:
            write_summary(self.folder, self._name)
