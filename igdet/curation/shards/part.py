"""The record of one finished shard: what became of each of its posts, so that it need not be made again."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from igdet.utils.files import atomic_write
from igdet.utils.stored_folder import Facts

FOLDER = "records"  # beside the shards; stays behind when they are handed on
KEPT = ""  # the reason of posts that are in the shard
_DIGEST_KEY = b"igdet.shard_inputs_sha256"
_SIZE_KEY = b"igdet.shard_bytes"
_HASH_KEY = b"igdet.shard_sha256"
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


def part_path(folder: Path, shard: str) -> Path:
    """Return where the record of a shard lies: below the output folder, wherever the shard does."""
    return folder / FOLDER / f"{Path(shard).stem}.parquet"


def with_facts(part: pa.Table, digest: str, facts: Facts) -> pa.Table:
    """Return the record of a shard with what it was made of and what became of it.

    Args:
        part: with the columns of `SCHEMA`.
        digest: fingerprint of what the shard was made of.
        facts: of its file; see `facts_of`.
    """
    metadata = {_DIGEST_KEY: digest, _SIZE_KEY: str(facts.bytes)}
    return part.replace_schema_metadata(metadata | ({_HASH_KEY: facts.sha256} if facts.sha256 else {}))


def facts_of(part: pa.Table) -> Facts:
    """Return size and hash of a shard, from its record: 0 bytes for one without a post, which has no file.

    The hash is "" where the shard lies in a file system, which can be asked.
    """
    metadata = part.schema.metadata
    return Facts(int(metadata[_SIZE_KEY]), metadata.get(_HASH_KEY, b"").decode())


def write_part(path: Path, part: pa.Table) -> None:
    """Write the record of a finished shard, `with_facts`."""
    with atomic_write(path) as file:
        pq.write_table(part, file)


def read_part(path: Path, digest: str) -> pa.Table | None:
    """Read the record of a shard.

    Returns:
        None when the shard was not finished, or was made of something else.
    """
    try:
        part = pq.read_table(path)
    except (OSError, pa.ArrowException):  # not there, or broken: then the shard is made again
        return None
    return part if (part.schema.metadata or {}).get(_DIGEST_KEY) == digest.encode() else None
