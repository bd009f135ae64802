"""Reading posts out of shards: single ones by the index, or a whole shard from its beginning without one."""

import json
import os
from collections import OrderedDict
from os import PathLike
from pathlib import Path
from tarfile import BLOCKSIZE
from typing import IO, NamedTuple

from igdet.formats.shards.format import INDEX_NAME, ShardError
from igdet.formats.shards.index import ShardIndex
from igdet.formats.shards.writer import read_header

# Shards kept open by one process: a quarter of the usual limit of 1,024 open files, for there are several readers.
OPEN_SHARDS = 256


class ShardReader:
    """Reads images by their position in the index; every process opens the shards for itself.

    Args:
        index: of the folder to read.
    """

    def __init__(self, index: ShardIndex):
        self._index = index
        self._handles: OrderedDict[int, int] = OrderedDict()  # shard id -> file descriptor, the last used one last

    def read(self, i: int) -> bytes:
        """Read the encoded image of post i.

        Raises:
            ShardError: the shard ends before the image does, or holds something else at its place.
        """
        shard_id, size, offset = self._index.shard_of(i), int(self._index.sizes[i]), int(self._index.offsets[i])
        # pread has no file position: processes that share a descriptor through fork do not disturb each other.
        member = os.pread(self._handle(shard_id), BLOCKSIZE + size, offset - BLOCKSIZE)
        header, image = member[:BLOCKSIZE], member[BLOCKSIZE:]
        if len(image) != size:
            raise ShardError(f"{self._path(shard_id)} is cut short: post {i} has {len(image)} of {size} bytes in it")
        expected = (f"{self._index.keys[i]}.jpg", size)
        if (found := read_header(header)) != expected:
            raise ShardError(
                f"{self._path(shard_id)} holds {found} at byte {offset}, where {INDEX_NAME} expects {expected}: "
                "shard and index do not belong together; copy both again"
            )
        return image

    def close(self) -> None:
        """Close the shards; a later read opens them again."""
        while self._handles:
            os.close(self._handles.popitem()[1])

    def _path(self, shard_id: int) -> str:
        return str(self._index.folder / self._index.shard_names[shard_id])

    def _handle(self, shard_id: int) -> int:
        if shard_id not in self._handles:
            if len(self._handles) >= OPEN_SHARDS:
                os.close(self._handles.popitem(last=False)[1])
            self._handles[shard_id] = os.open(self._path(shard_id), os.O_RDONLY)
        self._handles.move_to_end(shard_id)
        return self._handles[shard_id]

    def __getstate__(self) -> dict:
        return {"_index": self._index, "_handles": OrderedDict()}  # descriptors mean nothing in another process

    def __del__(self) -> None:
        self.close()


class StreamedPost(NamedTuple):
    """A post as it lies in a shard: its key, its image file and the canonical names of its labels."""

    key: str
    image: bytes
    hashtags: list[str]


class ShardStream:
    """A shard that is read on and on, until it is closed.

    Args:
        path: the tar, whose members are KEY.jpg and KEY.json in turn.
        file: it, where it is open already.

    Raises:
        ShardError: it cannot be opened.
    """

    def __init__(self, path: str | PathLike, file: IO[bytes] | None = None):
        self._path = path
        try:
            self._file = file or Path(path).open("rb")  # noqa: SIM115  closed by `close`
        except OSError as error:
            raise ShardError(f"{path} cannot be opened: {error}; put it back and go on with --resume") from error

    def read(self, count: int) -> list[StreamedPost]:
        """Read the next posts.

        Raises:
            ShardError: the shard ends before, or is no shard of posts.
        """
        return [self._post() for _ in range(count)]

    def _post(self) -> StreamedPost:
        key, image = self._data(".jpg")
        json_key, hashtags = self._data(".json")
        if key != json_key:
            raise ShardError(f"{self._path}: {key}.jpg is followed by {json_key}.json; write the shards again")
        return StreamedPost(key, image, self._hashtags(key, hashtags))

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
