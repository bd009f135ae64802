"""Posts in WebDataset tar shards with a Parquet index beside them."""

from igdet.data.errors import RecordError
from igdet.data.records import Records
from igdet.shards import ShardError, ShardIndex, ShardReader


class ShardRecords(Records):
    """The posts of a folder of shards.

    Args:
        folder: the shards, their index and their vocabulary.

    Raises:
        ShardError: the folder is not whole.
        DatasetError: a post has no label.
    """

    def __init__(self, folder: str):
        index = ShardIndex.open(folder)
        super().__init__(index.hashtag_offsets, index.hashtag_ids)
        self._index = index
        self._keys = index.keys  # read here, before the loader's processes are made, so that they share it
        self._reader = ShardReader(index)

    def image_id(self, index: int) -> str:
        """Give the post's key."""
        return self._keys[index].as_py()

    def location(self, index: int) -> dict:
        """Give the shard, and where in it the picture lies, in bytes."""
        shard = self._index.folder / self._index.shard_names[self._index.shard_ids[index]]
        return {"shard": str(shard), "offset": int(self._index.offsets[index]), "size": int(self._index.sizes[index])}

    def read(self, index: int) -> bytes:
        """Read the picture out of its shard."""
        try:
            return self._reader.read(index)
        except (ShardError, OSError) as error:
            raise RecordError(self.image_id(index), str(error)) from error
