"""The shard format: WebDataset tars of posts with a Parquet index for exact random access."""

from igdet.shards.format import ShardError
from igdet.shards.index import ShardIndex
from igdet.shards.reader import ShardReader
from igdet.shards.streaming import ShardStream, StreamedPost
from igdet.shards.summary import Summary, read_summary, write_summary
from igdet.shards.writer import ShardWriter

__all__ = [
    "ShardError",
    "ShardIndex",
    "ShardReader",
    "ShardStream",
    "ShardWriter",
    "StreamedPost",
    "Summary",
    "read_summary",
    "write_summary",
]
