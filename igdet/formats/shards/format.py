"""What a folder of shards holds: file names, index columns, index metadata.

A folder of shards holds
  posts-000000.tar ...  members KEY.jpg (the picture) and KEY.json ({"hashtags": [canonical names]}) of each post;
  index.parquet         one row a post, in the order of the tars: the columns of INDEX_SCHEMA;
  vocabulary.txt        the labels; a hashtag id is a line number of it, from 0;
  summary.json          how many posts each shard and each label has: all that streaming needs beside the tars.
Tools that read WebDataset read the tars without the index.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from igdet.utils.errors import UserError
from igdet.utils.messages import shown

FORMAT_VERSION = "1"
INDEX_NAME = "index.parquet"
SUMMARY_NAME = "summary.json"
SHARD_NAME = "posts-{:06d}.tar"
SHARD_PATTERN = "posts-*.tar"
VERSION_KEY = b"igdet.shard_format_version"
VOCABULARY_KEY = b"igdet.vocabulary_sha256"

INDEX_SCHEMA = pa.schema(
    [
        ("shard", pa.dictionary(pa.int32(), pa.string())),  # file name of the tar
        ("offset", pa.int64()),  # of the picture's first byte in the tar
        ("size", pa.int64()),  # of the picture, in bytes
        ("key", pa.string()),  # opaque id of the post
        ("hashtags", pa.list_(pa.int32())),  # label ids, distinct, ascending, at least one
    ]
)


class ShardError(UserError):
    """A folder of shards that is incomplete or contradicts itself, or a post that does not fit into one."""


def index_schema(vocabulary_path: Path) -> pa.Schema:
    """Give the index's schema with its metadata: the format's version and the vocabulary's fingerprint."""
    return INDEX_SCHEMA.with_metadata({VERSION_KEY: FORMAT_VERSION, VOCABULARY_KEY: vocabulary_digest(vocabulary_path)})


def vocabulary_digest(path: Path) -> str:
    """Give the fingerprint of a vocabulary file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check_names(path: Path, names: Iterable[str]) -> None:
    """Refuse names of shards that lead elsewhere: a shard lies beside the file that lists it.

    Args:
        path: the file that lists them.
        names: file names.

    Raises:
        ShardError: a name leads to another folder.
    """
    for name in names:
        if Path(name).name != name or name in ("", "..") or "\0" in name:
            raise ShardError(
                f"{path} names the shard {shown(name)}, which is not a file beside it; write the shards again"
            )
