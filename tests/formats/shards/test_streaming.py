"""Reading a shard on and on: what the index leads to, in its order."""

import pytest

from igdet.formats.shards import ShardError, ShardIndex, ShardReader, ShardStream, ShardWriter
from igdet.formats.vocabulary import Vocabulary


@pytest.fixture
def shard(tmp_path):
    with ShardWriter(tmp_path, Vocabulary([("bear",), ("owl",)])) as writer:
        for i in range(7):
            writer.add(f"p{i}", bytes([i]) * 200 * i, ["owl", "bear"][: 1 + i % 2])
    return tmp_path / "posts-000000.tar"


def test_posts_come_in_order_whatever_is_passed_over(shard):
    reader = ShardReader(ShardIndex.open(shard.parent))
    stream = ShardStream(shard)
    posts = stream.read(2)
    stream.skip(3)
    posts += stream.read(2)
    stream.close()
    assert [post.key for post in posts] == ["p0", "p1", "p5", "p6"]
    assert [post.image for post in posts] == [reader.read(i) for i in (0, 1, 5, 6)]
    assert [post.hashtags for post in posts] == [["owl"], ["bear", "owl"], ["bear", "owl"], ["owl"]]


def test_there_are_no_more_posts_than_there_are(shard):
    stream = ShardStream(shard)
    stream.skip(7)
    with pytest.raises(ShardError, match=r"posts-000000.tar holds nothing before byte \d+, where KEY.jpg is due"):
        stream.read(1)


def test_a_shard_that_has_gone_is_named(shard):
    shard.unlink()
    with pytest.raises(ShardError, match=r"posts-000000.tar cannot be opened: .*--resume"):
        ShardStream(shard)


@pytest.mark.parametrize("length", [0, 100, 600, 1536, 2500])
def test_a_shard_cut_short_is_named(shard, length):
    shard.write_bytes(shard.read_bytes()[:length])
    with pytest.raises(ShardError, match=r"posts-000000.tar (holds nothing|is cut short)"):
        ShardStream(shard).read(7)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"p1.json", b"p9.json", "p1.jpg is followed by p9.json"),
        (b"p1.json", b"p1.text", "holds p1.text .* where KEY.json is due"),
        (b'{"hashtags": ["owl"]}', b'{"no": "hashtags her"}', "is no list of hashtags"),
    ],
)
def test_what_is_no_post_is_named(shard, old, new, message):
    shard.write_bytes(shard.read_bytes().replace(old, new[: len(old)], 1))
    with pytest.raises(ShardError, match=message):
        ShardStream(shard).read(7)
