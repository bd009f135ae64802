"""What earlier runs have left in a folder of shards."""

from pathlib import Path

from igdet.curation.sharding.part import part_path
from igdet.shards.format import INDEX_NAME, SHARD_NAME, SHARD_PATTERN
from igdet.utils.files import remove_unfinished


def remove_leftovers(folder: Path, shards: int) -> None:
    """Remove half-written files, and shards that the posts no longer fill; an index that lists these goes first.

    Args:
        folder: of the shards; need not exist.
        shards: how many shards there will be.
    """
    remove_unfinished(folder)
    expected = {SHARD_NAME.format(number) for number in range(shards)}
    for shard in sorted(folder.glob(SHARD_PATTERN)):
        if shard.name not in expected:
            (folder / INDEX_NAME).unlink(missing_ok=True)
            part_path(shard).unlink(missing_ok=True)
            shard.unlink()
