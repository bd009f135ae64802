"""Posts in an order of their own, each once: merged by buckets, so that memory does not grow with their number."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from igdet.curation.sharding.labelled_posts import SCHEMA
from igdet.utils.files import atomic_write

BUCKET_POSTS = 1_000_000  # about 300 MB of memory while they are sorted
_ORDER = [("order", "ascending"), ("id", "ascending"), ("image", "ascending"), ("carried", "descending")]
_ORDER += [("numbers", "ascending")]


def bucket_files(files: Sequence[Path]) -> list[list[str]]:
    """Group files that lie in folders "bucket=N" by their bucket, in the order of buckets."""
    found: dict[int, list[str]] = defaultdict(list)
    for file in files:
        found[int(file.parent.name.removeprefix("bucket="))].append(str(file))
    return [found[bucket] for bucket in sorted(found)]


def merge_bucket(paths: Sequence[str], folder: Path) -> None:
    """Merge what the parts hold of a bucket.

    The order is that of a hash of the id: the same on every machine, whatever the parts were, and as good as shuffled,
    so that neighbours in a shard have nothing in common. Of posts with one id the one with the first image stays, and
    of those the one with the most labels, or with the first as text: a rule that does not depend on the order of work
    either.

    Args:
        paths: Parquet files with the columns order (uint64), id, image and labels.
        folder: where the posts go, as one Parquet file.
    """
    table = ds.dataset(list(paths), format="parquet", partitioning=None).to_table()
    table = table.append_column("carried", pc.list_value_length(table["labels"]))
    table = table.append_column("numbers", pc.binary_join(table["labels"].cast(pa.list_(pa.string())), " "))
    table = table.sort_by(_ORDER)
    ids = table["id"].combine_chunks()
    is_new = np.ones(len(ids), dtype=bool)
    is_new[1:] = pc.not_equal(ids[1:], ids[:-1]).to_numpy(zero_copy_only=False)
    with atomic_write(folder / "posts.parquet") as file:
        pq.write_table(table.filter(is_new).select(SCHEMA.names).cast(SCHEMA), file, compression="zstd")
