"""Reading single posts out of shards."""

import os
from collections import OrderedDict
from tarfile import BLOCKSIZE

from igdet.shards.format import INDEX_NAME, ShardError
from igdet.shards.index import ShardIndex
from igdet.shards.tar import read_header

# Shards kept open by one process: a quarter of the usual limit of 1,024 open files, for there are several readers.
OPEN_SHARDS = 256


class ShardReader:
    """Reads pictures by their position in the index; every process opens the shards for itself.

    Args:
        index: of the folder to read.
    """

    def __init__(self, index: ShardIndex):
        self._index = index
        self._handles: OrderedDict[int, int] = OrderedDict()  # shard id -> file descriptor, the last used one last

    def read(self, i: int) -> bytes:
        """Read the encoded picture of post i.

        Raises:
            ShardError: the shard ends before the picture does, or holds something else at its place.
        """
        shard_id, size, offset = self._index.shard_of(i), int(self._index.sizes[i]), int(self._index.offsets[i])
        # pread has no file position: processes that share a descriptor through fork do not disturb each other.
        member = os.pread(self._handle(shard_id), BLOCKSIZE + size, offset - BLOCKSIZE)
        header, picture = member[:BLOCKSIZE], member[BLOCKSIZE:]
        if len(picture) != size:
            raise ShardError(f"{self._path(shard_id)} is cut short: post {i} has {len(picture)} of {size} bytes in it")
        expected = (f"{self._index.keys[i]}.jpg", size)
        if (found := read_header(header)) != expected:
            raise ShardError(
                f"{self._path(shard_id)} holds {found} at byte {offset}, where {INDEX_NAME} expects {expected}: "
                "shard and index do not belong together; copy both again"
            )
        return picture

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
