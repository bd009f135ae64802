"""What a folder of shards holds: file names, index columns, index metadata.

A folder of shards holds
  posts-000000.tar ...  members KEY.jpg (the image) and KEY.json ({"hashtags": [canonical names]}) of each post;
  index.parquet         one row a post, in the order of the tars: the columns of INDEX_SCHEMA;
  vocabulary.txt        the labels; a label id is a line number of it, from 0;
  summary.json          how many posts each shard and each label has: all that streaming needs beside the tars; the
                        set's name.
Tools that read WebDataset read the tars without the index.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from igdet.utils.errors import UserError
from igdet.utils.messages import printable, shown

FORMAT_VERSION = "2"
# Each version that is read -> what it calls the column of label ids, the one name that has ever changed.
LABELS = "labels"
LABEL_COLUMNS = {"1": "hashtags", FORMAT_VERSION: LABELS}
INDEX_NAME = "index.parquet"
SUMMARY_NAME = "summary.json"
SHARD_NAME = "posts-{:06d}.tar"
SHARD_PATTERN = "posts-*.tar"
VERSION_KEY = b"igdet.shard_format_version"
VOCABULARY_KEY = b"igdet.vocabulary_sha256"
_BATCH = 2**17  # rows of an index in memory at once

INDEX_SCHEMA = pa.schema(
    [
        ("shard", pa.dictionary(pa.int32(), pa.string())),  # file name of the tar
        ("offset", pa.int64()),  # of the image's first byte in the tar
        ("size", pa.int64()),  # of the image, in bytes
        ("key", pa.string()),  # opaque id of the post
        (LABELS, pa.list_(pa.int32())),  # label ids, distinct, ascending, at least one
    ]
)


class ShardError(UserError):
    """A folder of shards that is incomplete or contradicts itself, or a post that does not fit into one."""


def index_schema(vocabulary_path: Path) -> pa.Schema:
    """Return the index's schema with its metadata: the format's version and the vocabulary's fingerprint."""
    return INDEX_SCHEMA.with_metadata({VERSION_KEY: FORMAT_VERSION, VOCABULARY_KEY: vocabulary_digest(vocabulary_path)})


def label_column(path: Path, schema: pa.Schema) -> str:
    """Return what an index calls its column of label ids.

    Args:
        path: the index.
        schema: its schema, with metadata.

    Raises:
        ShardError: the index has another version than those of `LABEL_COLUMNS`.
    """
    version = (schema.metadata or {}).get(VERSION_KEY, b"none").decode(errors="replace")
    if version not in LABEL_COLUMNS:
        raise ShardError(
            f"{path} has shard format version {printable(version[:40])}; this igdet reads {' and '.join(LABEL_COLUMNS)}"
        )
    return LABEL_COLUMNS[version]


def read_index(path: Path, *columns: str) -> Iterator[pa.RecordBatch]:
    """Read columns of an index, under today's names whatever its version, a batch of rows in memory.

    Args:
        path: the index.
        columns: names of INDEX_SCHEMA.

    Raises:
        ShardError: the index has a version that is not read.
        pyarrow.ArrowException, OSError: it cannot be read.
    """
    with pq.ParquetFile(path, read_dictionary=["shard"]) as file:
        old = label_column(path, file.schema_arrow)
        for batch in file.iter_batches(_BATCH, columns=[old if name == LABELS else name for name in columns]):
            yield batch.rename_columns([LABELS if name == old else name for name in batch.schema.names])


def vocabulary_digest(path: Path) -> str:
    """Return the fingerprint of a vocabulary file."""
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
