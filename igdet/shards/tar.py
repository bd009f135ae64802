"""One shard: a tar of posts being written, with where in it each picture lies, and what its headers say."""

import json
import re
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from igdet.shards.format import ShardError
from igdet.utils.files import atomic_write

_KEY = re.compile(r"[A-Za-z0-9_-]{1,90}")  # WebDataset splits names at the first dot; a tar header holds 100 bytes
_END_OF_TAR = bytes(2 * tarfile.BLOCKSIZE)


class Shard:
    """A shard being written; make one with `write_shard`.

    Attributes:
        rows: the index rows of its posts, as dicts of the columns of `igdet.shards.format.INDEX_SCHEMA`.
    """

    def __init__(self, name: str, tar: IO[bytes], names: Sequence[str]):
        self.rows: list[dict] = []
        self._name = name
        self._tar = tar
        self._names = names

    def add(self, key: str, picture: bytes, ids: list[int]) -> None:
        """Append a post.

        Args:
            key: opaque id of the post: letters, digits, "_" and "-".
            picture: an encoded picture file, JPEG by the format's custom.
            ids: label ids, distinct, ascending, at least one.

        Raises:
            ShardError: the key does not fit.
        """
        if not _KEY.fullmatch(key):
            raise ShardError(f"post {key!r}: a key is 1 to 90 ASCII letters, digits, '_' or '-'")
        offset = _append_member(self._tar, f"{key}.jpg", picture)
        names = json.dumps({"hashtags": [self._names[i] for i in ids]}, ensure_ascii=False)
        _append_member(self._tar, f"{key}.json", names.encode())
        self.rows.append({"shard": self._name, "offset": offset, "size": len(picture), "key": key, "hashtags": ids})


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
        name and size of the member; ("", 0) where it is no header.
    """
    try:
        return header[:100].rstrip(b"\0").decode(), int(header[124:136].strip(b"\0 "), 8)
    except ValueError:
        return "", 0
