"""The record of one finished shard: what became of each of its posts, so that it need not be made again."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from igdet.formats.shards.format import INDEX_NAME, SHARD_NAME, SHARD_PATTERN
from igdet.utils.files import atomic_write, link_or_copy, remove_unfinished

FOLDER = "records"  # beside the shards; stays behind when they are handed on
KEPT = ""  # the reason of posts that are in the shard
_DIGEST_KEY = b"igdet.shard_inputs_sha256"
_SIZE_KEY = b"igdet.shard_bytes"
# One row for each post that the shard is made of, in their order.
SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("reason", pa.string()),  # why it was left out; KEPT when it was not
        ("why", pa.string()),
        ("source_sha256", pa.string()),  # of the image file as read; null when it was not read
        ("image_sha256", pa.string()),  # of the image after cleaning; null when there is none
        ("has_restarts", pa.bool_()),  # of that; null when markers were not asked for
        ("offset", pa.int64()),  # as in the index; null when it was left out
        ("size", pa.int64()),
        ("labels", pa.list_(pa.int32())),
    ]
)


def part_path(shard: Path) -> Path:
    """Return where the record of a shard lies."""
    return shard.parent / FOLDER / f"{shard.stem}.parquet"


def write_part(shard: Path, part: pa.Table, digest: str) -> None:
    """Write the record of a finished shard.

    Args:
        shard: path of the tar.
        part: with the columns of `SCHEMA`.
        digest: fingerprint of what the shard was made of.
    """
    metadata = {_DIGEST_KEY: digest, _SIZE_KEY: str(_size(shard))}
    with atomic_write(part_path(shard)) as file:
        pq.write_table(part.replace_schema_metadata(metadata), file)


def read_part(shard: Path, digest: str) -> pa.Table | None:
    """Read the record of a shard.

    Returns:
        None when the shard was not finished, was made of something else, or has another size now.
    """
    try:
        part = pq.read_table(part_path(shard))
    except (OSError, pa.ArrowException):  # not there, or broken: then the shard is made again
        return None
    metadata = part.schema.metadata or {}
    found = (metadata.get(_DIGEST_KEY), metadata.get(_SIZE_KEY))
    return part if found == (digest.encode(), str(_size(shard)).encode()) else None


def carry_shards(earlier: Path, folder: Path) -> None:
    """Let the shards of an earlier curation, with their records, be in a folder too, where it has none of their names.

    Those that are of other posts or settings are made again, as shards of an earlier run are.

    Args:
        earlier: their folder.
        folder: need not exist.

    Raises:
        OSError: the disk is full or not writable.
    """
    for record in sorted((earlier / FOLDER).glob("*.parquet")):
        shard = earlier / f"{record.stem}.tar"
        if (folder / shard.name).exists():
            continue
        link_or_copy(record, part_path(folder / shard.name))
        if shard.exists():
            link_or_copy(shard, folder / shard.name)  # last: it says that both are there


def _size(shard: Path) -> int:
    """Return the bytes of a shard; one without any post has no file."""
    return shard.stat().st_size if shard.exists() else 0


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
