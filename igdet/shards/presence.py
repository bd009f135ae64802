"""Whether the shards that an index lists lie beside it, whole."""

import logging
import os
from pathlib import Path

import numpy as np

from igdet.shards.columns import IndexColumns
from igdet.shards.format import INDEX_NAME, SHARD_PATTERN, ShardError

logger = logging.getLogger(__name__)


def check_shards(folder: Path, columns: IndexColumns) -> None:
    """Compare a folder with its index: one look at the length of each file, none at its content.

    Shards that end too early, and those that the index does not list, are named in the log.

    Args:
        folder: of the shards.
        columns: of its index.

    Raises:
        ShardError: a shard is missing.
    """
    lengths = [_length(folder / name) for name in columns.shard_names]
    missing = [name for name, length in zip(columns.shard_names, lengths, strict=True) if length is None]
    if missing:
        raise ShardError(
            f"{folder / missing[0]} is missing, one of {len(missing)} of the {len(lengths)} shards that {INDEX_NAME} "
            "lists; copy them again. A run that has begun goes on exactly, with --resume, once all are there"
        )
    for shard in np.flatnonzero(np.array(lengths, np.int64) < columns.shard_bytes).tolist():
        path, count = folder / columns.shard_names[shard], _posts_beyond(columns, shard, lengths[shard])
        logger.warning("%s is cut short: %d of its posts cannot be read; copy it again", path, count)
    unlisted = {path.name for path in folder.glob(SHARD_PATTERN)} - set(columns.shard_names)
    if unlisted:
        logger.warning(
            "%s and %d more shards beside it are not in %s: they take no part",
            folder / min(unlisted), len(unlisted) - 1, INDEX_NAME,
        )  # fmt: skip


def _length(path: Path) -> int | None:
    try:
        return os.stat(path).st_size  # noqa: PTH116 (hot: 350,000 shards)
    except FileNotFoundError:
        return None


def _posts_beyond(columns: IndexColumns, shard: int, length: int) -> int:
    first, end = [*columns.shard_starts.tolist(), len(columns.arrays["offsets"])][shard : shard + 2]
    picture_ends = columns.arrays["offsets"][first:end] + columns.arrays["sizes"][first:end]
    return int(np.count_nonzero(picture_ends > length))
