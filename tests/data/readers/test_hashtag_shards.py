"""Tests of posts in shards as training records."""

import pickle

import pytest

from igdet.data.readers.shards import ShardRecords
from igdet.formats.errors import DatasetError, RecordError
from igdet.formats.shards import ShardWriter
from igdet.formats.vocabulary import Vocabulary


@pytest.fixture
def shards(tmp_path):
    with ShardWriter(tmp_path / "posts", Vocabulary([("cat",), ("dog",)]), shard_size=2) as writer:
        writer.add("p0", b"first", ["dog", "cat"])
        writer.add("p1", b"second picture", ["dog"])
        writer.add("p2", b"third", ["cat"])
    return tmp_path / "posts"


def test_records_are_the_posts(shards):
    records = ShardRecords(str(shards))
    assert len(records) == 3
    assert [records.read(i) for i in range(3)] == [b"first", b"second picture", b"third"]
    assert records.label_offsets.tolist() == [0, 2, 3, 4]
    assert records.label_ids.tolist() == [0, 1, 1, 0]
    record = records[1]
    assert (record["image_id"], record["gt_classes"].tolist(), record["size"]) == ("p1", [1], 14)
    with open(record["shard"], "rb") as shard:  # noqa: PTH123
        shard.seek(record["offset"])
        assert shard.read(record["size"]) == b"second picture"


def test_records_can_be_sent_to_another_process(shards):
    records = ShardRecords(str(shards))
    records.read(0)
    sent = pickle.dumps(records)
    assert len(sent) < 1000  # paths: the columns are mapped there
    again = pickle.loads(sent)
    assert again.read(2) == b"third" and again.labels(0).tolist() == [0, 1] and again.kept("x") == records.kept("x")


def test_a_shard_that_goes_away_makes_bad_records(shards):
    records = ShardRecords(str(shards))
    (shards / "posts-000001.tar").unlink()
    assert records.read(1) == b"second picture"
    with pytest.raises(RecordError, match=r"p2: .*No such file .*posts-000001\.tar"):
        records.read(2)


def test_a_folder_without_posts_is_refused(tmp_path):
    with ShardWriter(tmp_path, Vocabulary([("cat",)])):
        pass
    with pytest.raises(DatasetError, match="lists no post"):
        ShardRecords(str(tmp_path))


def test_a_post_of_a_shard_cut_short_is_a_bad_record(shards):
    last = sorted(shards.glob("*.tar"))[-1]
    last.write_bytes(last.read_bytes()[:100])
    records = ShardRecords(str(shards))
    assert records.read(0) == b"first"
    with pytest.raises(RecordError, match=r"p2: .*cut short"):
        records.read(2)
