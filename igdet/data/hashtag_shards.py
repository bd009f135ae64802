"""Posts in WebDataset tar shards with a Parquet index beside them."""

from pathlib import Path

from igdet.data.errors import DatasetError, RecordError
from igdet.data.records import Records
from igdet.shards import ShardError, ShardIndex, ShardReader


class ShardRecords(Records):
    """The posts of a folder of shards.

    Args:
        folder: the shards, their index and their vocabulary.

    Raises:
        ShardError: the folder is not whole.
        CacheError: what is kept of the index cannot be written.
        DatasetError: there is no post.
    """

    def __init__(self, folder: str):
        index = ShardIndex.open(folder)
        if not len(index):
            raise DatasetError(f"{folder}: its index lists no post; expected at least one")
        self.__setstate__(index)

    def __getstate__(self) -> ShardIndex:
        return self._index  # another process maps the columns itself

    def __setstate__(self, index: ShardIndex) -> None:
        super().__init__(index.hashtag_offsets, index.hashtag_ids)
        self._index = index
        self._reader = ShardReader(index)

    def kept(self, name: str) -> Path:
        """Keep what is worked out of the posts beside the columns of their index."""
        return self._index.columns_folder / name

    def image_id(self, index: int) -> str:
        """Give the post's key."""
        return self._index.keys[index].as_py()

    def location(self, index: int) -> dict:
        """Give the shard, and where in it the picture lies, in bytes."""
        shard = self._index.folder / self._index.shard_names[self._index.shard_of(index)]
        return {"shard": str(shard), "offset": int(self._index.offsets[index]), "size": int(self._index.sizes[index])}

    def read(self, index: int) -> bytes:
        """Read the picture out of its shard."""
        try:
            return self._reader.read(index)
        except (ShardError, OSError) as error:
            raise RecordError(self.image_id(index), str(error)) from error
