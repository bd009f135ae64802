"""Reading a shard from its beginning to its end, without an index."""

import json
from pathlib import Path
from tarfile import BLOCKSIZE
from typing import NamedTuple

from igdet.shards.format import ShardError
from igdet.shards.tar import read_header


class StreamedPost(NamedTuple):
    """A post as it lies in a shard: its key, its picture file and the canonical names of its labels."""

    key: str
    picture: bytes
    hashtags: list[str]


class ShardStream:
    """A shard that is read on and on, until it is closed.

    Args:
        path: the tar, whose members are KEY.jpg and KEY.json in turn.

    Raises:
        ShardError: it cannot be opened.
    """

    def __init__(self, path: Path):
        self._path = path
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise ShardError(f"{path} cannot be opened: {error}; put it back and go on with --resume") from error

    def read(self, count: int) -> list[StreamedPost]:
        """Read the next posts.

        Raises:
            ShardError: the shard ends before, or is no shard of posts.
        """
        return [self._post() for _ in range(count)]

    def _post(self) -> StreamedPost:
        key, picture = self._data(".jpg")
        json_key, hashtags = self._data(".json")
        if key != json_key:
            raise ShardError(f"{self._path}: {key}.jpg is followed by {json_key}.json; write the shards again")
        return StreamedPost(key, picture, self._hashtags(key, hashtags))

    def skip(self, count: int) -> None:
        """Pass over the next posts without reading them."""
        for _ in range(2 * count):
            _, size = self._next()
            self._file.seek(_padded(size), 1)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _next(self) -> tuple[str, int]:
        """Read a header: name and size of the member that follows."""
        return read_header(self._file.read(BLOCKSIZE))

    def _data(self, suffix: str) -> tuple[str, bytes]:
        name, size = self._next()
        if not name.endswith(suffix):
            raise ShardError(
                f"{self._path} holds {name or 'nothing'} before byte {self._file.tell()}, where KEY{suffix} is due: "
                "it is cut short or no shard; copy it again"
            )
        data = self._file.read(_padded(size))
        if len(data) < size:
            raise ShardError(f"{self._path} is cut short in {name}; copy it again")
        return name.removesuffix(suffix), data[:size]

    def _hashtags(self, key: str, data: bytes) -> list[str]:
        try:
            return json.loads(data)["hashtags"]
        except (ValueError, KeyError, TypeError) as error:
            raise ShardError(f"{self._path}: {key}.json is no list of hashtags; write the shards again") from error


def _padded(size: int) -> int:
    """Members are filled up to whole blocks."""
    return -(-size // BLOCKSIZE) * BLOCKSIZE
