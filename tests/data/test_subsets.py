"""The first posts of the hash order, and posts under another vocabulary."""

import numpy as np
import pytest

from igdet.data.draws.epoch import label_factors
from igdet.data.kinds import KINDS
from igdet.data.readers.shards import ShardRecords, StreamedShards
from igdet.data.subsets import first_posts, name_hash, under_vocabulary
from igdet.formats.errors import DatasetError
from igdet.formats.shards import ShardWriter
from igdet.formats.vocabulary import Vocabulary

VOCABULARY = Vocabulary([("bear", "bears"), ("owl",), ("river",)])
POSTS = {"a": ["bear"], "b": ["owl", "bear"], "c": ["river", "owl"], "d": ["river"], "e": ["bears", "river"]}


@pytest.fixture
def folder(tmp_path):
    with ShardWriter(tmp_path, VOCABULARY, shard_size=2) as writer:
        for key, hashtags in POSTS.items():
            writer.add(key, key.encode(), hashtags)
    return tmp_path


def test_the_first_posts_have_the_smallest_hashes_and_contain_smaller_sets(folder):
    records = ShardRecords(str(folder))
    order = sorted(POSTS, key=name_hash)
    for posts in range(1, 6):
        subset = first_posts(records, posts)
        assert {subset.image_id(i) for i in range(posts)} == set(order[:posts])
        assert [subset.read(i) for i in range(posts)] == [key.encode() for key in sorted(order[:posts])]
        for i in range(posts):
            names = {VOCABULARY.names[label] for label in subset.labels(i)}
            assert names == {tag.removesuffix("s") for tag in POSTS[subset.image_id(i)]}
    assert first_posts(records, 0) is records


@pytest.mark.parametrize("posts", [-1, 6])
def test_more_posts_than_there_are_is_refused(folder, posts):
    with pytest.raises(DatasetError, match=rf"POSTS is {posts}, but there are 5 posts; expected 1 to 5, or 0 for all"):
        first_posts(ShardRecords(str(folder)), posts)


def test_a_stream_takes_the_same_posts_and_counts(folder):
    whole, subset = StreamedShards(str(folder)), StreamedShards(str(folder), 3)
    first = first_posts(ShardRecords(str(folder)), 3)
    assert len(subset) == 3 and len(whole) == 5
    assert {key for key in POSTS if subset.is_taken(key)} == {first.image_id(i) for i in range(3)}
    assert all(map(whole.is_taken, POSTS))
    assert subset.label_counts().tolist() == first.label_counts(3).tolist()
    expected = label_factors(first.label_counts(3), np.array(subset.summary.rarest), "square_root", 2.0)
    assert subset.label_factors("square_root", 2.0).tolist() == expected.tolist()


def test_a_cut_vocabulary_renumbers_labels_and_leaves_posts_out(folder):
    cut = Vocabulary([("water", "river"), ("bear",)])
    subset = under_vocabulary(ShardRecords(str(folder)), VOCABULARY, cut)
    found = {subset.image_id(i): subset.labels(i).tolist() for i in range(len(subset))}
    assert found == {"a": [1], "b": [1], "c": [0], "d": [0], "e": [0, 1]}
    only_owls = under_vocabulary(ShardRecords(str(folder)), VOCABULARY, Vocabulary([("owl",)]))
    assert [only_owls.image_id(i) for i in range(len(only_owls))] == ["b", "c"]
    assert only_owls.note.startswith("3 of 5 posts left out")


def test_labels_that_become_one_are_carried_once(folder):
    merged = under_vocabulary(ShardRecords(str(folder)), VOCABULARY, Vocabulary([("animal", "bear", "owl")]))
    assert [merged.labels(i).tolist() for i in range(len(merged))] == [[0], [0], [0], [0]]


def test_a_vocabulary_without_a_match_is_refused(folder):
    with pytest.raises(DatasetError, match="none of the 5 posts has a label of the 1 in VOCABULARY"):
        under_vocabulary(ShardRecords(str(folder)), VOCABULARY, Vocabulary([("cat",)]))


def test_the_kinds_take_posts_and_a_vocabulary(folder, tmp_path):
    Vocabulary([("owl",), ("river",)]).write(tmp_path / "cut.txt")
    fields = {"ROOT": str(folder), "POSTS": 2, "VOCABULARY": str(tmp_path / "cut.txt")}
    metadata, load = KINDS["hashtag_shards"].prepare(fields, None, ())
    assert metadata["thing_classes"] == ["owl", "river"] and len(load()) == 2
    assert len(KINDS["hashtag_stream"].prepare({"CACHE_GB": 1, "ROOT": str(folder), "POSTS": 2}, None, ())[1]()) == 2
