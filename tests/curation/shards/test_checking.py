"""Shards that do not hold what their record says."""

import pyarrow as pa
import pytest

from igdet.curation.shards import ShardingError
from igdet.curation.shards.part import SCHEMA
from igdet.curation.shards.shard_maker import check_shard
from igdet.formats.shards.writer import write_shard
from igdet.utils.hashing import sha256

NAMES = ["bear", "owl"]
POSTS = [("k0", b"first", [0]), ("k1", b"second", [0, 1])]


@pytest.fixture
def shard(tmp_path):
    """Write a shard; return its path and the rows of its record."""
    with write_shard(tmp_path / "posts-000000.tar", NAMES) as tar:
        for post in POSTS:
            tar.add(*post)
    rows = [{**row, "image_sha256": sha256(post[1])} for row, post in zip(tar.rows, POSTS, strict=True)]
    return tmp_path / "posts-000000.tar", rows


def check(shard, rows):
    check_shard(shard, pa.Table.from_pylist(rows, schema=SCHEMA), NAMES)


def test_a_whole_shard_passes(shard):
    check(*shard)


@pytest.mark.parametrize("rows", [slice(0, 1), slice(1, 2), slice(None, None, -1)])
def test_other_posts(shard, rows):
    with pytest.raises(ShardingError, match=r"posts-000000\.tar does not hold the \d posts"):
        check(shard[0], shard[1][rows])


@pytest.mark.parametrize("change", [{"offset": 513}, {"size": 4}, {"image_sha256": sha256(b"other")}, {"labels": [1]}])
def test_other_content(shard, change):
    path, rows = shard
    with pytest.raises(ShardingError, match="post k0 came back changed"):
        check(path, [{**rows[0], **change}, rows[1]])
