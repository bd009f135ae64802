"""The shard format: WebDataset tars of posts with a Parquet index for exact random access."""

from igdet.formats.shards.format import ShardError
from igdet.formats.shards.index import ShardIndex
from igdet.formats.shards.naming import SetName
from igdet.formats.shards.reader import ShardReader, ShardStream, StreamedPost
from igdet.formats.shards.summary import Summary, check_sizes, read_summary, write_summary
from igdet.formats.shards.writer import ShardWriter

__all__ = [
    "SetName",
    "ShardError",
    "ShardIndex",
    "ShardReader",
    "ShardStream",
    "ShardWriter",
    "StreamedPost",
    "Summary",
    "check_sizes",
    "read_summary",
    "write_summary",
]
