"""Streams of posts: every post as often as it should be, in a random order, from any buffer on."""

from itertools import islice, pairwise

import numpy as np
import pytest

from igdet.data.draws.epoch import FRACTION_BITS, plan_epoch, use_labels
from igdet.data.draws.streams import StreamReader, StreamSettings
from igdet.data.readers.shards import StreamedShards
from igdet.formats.errors import DatasetError
from igdet.formats.shards import ShardError, ShardIndex, ShardWriter
from igdet.formats.vocabulary import Vocabulary

NAMES = [f"label{i}" for i in range(6)]
SHARDS, POSTS = 11, 10 * 7 + 3


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    with ShardWriter(tmp_path, Vocabulary([name] for name in NAMES), shard_size=7) as writer:
        for i in range(POSTS):
            writer.add(f"p{i}", f"image {i}".encode(), {NAMES[min(5, n)] for n in rng.zipf(1.5, rng.integers(1, 4))})
    return tmp_path


def reader(folder, number=0, readers=1, shards_at_a_time=3, buffer=12, resampling="square_root", seed=5, passes=1):
    shards = StreamedShards(str(folder))
    settings = StreamSettings(seed, shards.label_factors(resampling, 2.0), shards_at_a_time, buffer, passes)
    return StreamReader(shards, settings, number, readers)


def shown(buffers):
    """The posts of some buffers, by key, in the order in which they are shown."""
    return [[buffer.image_id(i) for i in order] for buffer, order in buffers]


def epoch(stream):
    """The buffers of the first epoch: those before a post comes again in another buffer."""
    seen, buffers = set(), []
    for buffer, order in stream.buffers():
        posts = {buffer.image_id(i) for i in range(len(buffer))}
        if posts & seen:
            return buffers
        seen |= posts
        buffers.append((buffer, order))
    return None


def test_factors_are_those_of_the_index(folder):
    index = ShardIndex.open(folder)
    for resampling in ("natural", "square_root", "uniform"):
        plan = plan_epoch(use_labels(index.label_offsets, index.label_ids), resampling, 2.0)
        found = StreamedShards(str(folder)).label_factors(resampling, 2.0)
        assert found[: len(plan.factors)].tolist() == plan.factors.tolist()


@pytest.mark.parametrize("readers", [1, 2, 5, SHARDS])
@pytest.mark.parametrize(("shards_at_a_time", "buffer"), [(1, 1), (3, 12), (4, 2), (20, 1000)])
def test_readers_show_disjoint_posts_and_all_of_them(folder, readers, shards_at_a_time, buffer):
    settings = {"shards_at_a_time": shards_at_a_time, "buffer": buffer}
    keys = [key for n in range(readers) for part in epoch_posts(folder, n, readers, settings) for key in part]
    assert sorted(keys) == sorted(f"p{i}" for i in range(POSTS))


def epoch_posts(folder, number, readers, settings):
    stream = reader(folder, number, readers, **settings)
    posts = [0]
    for names in stream._side_by_side(0):
        posts[0] += sum(stream._posts(name) for name in names)
    found, parts = 0, []
    for buffer, _ in stream.buffers():
        parts.append([buffer.image_id(i) for i in range(len(buffer))])
        found += len(buffer)
        if found >= posts[0]:
            return parts
    return parts


def test_posts_stand_as_often_as_the_index_says(folder):
    index = ShardIndex.open(folder)
    plan = plan_epoch(use_labels(index.label_offsets, index.label_ids), "square_root", 2.0)
    expected = plan.factors[plan.rarest] / 2**FRACTION_BITS
    counts = []
    for seed in range(150):
        keys = [int(key[1:]) for part in shown(epoch(reader(folder, seed=seed))) for key in part]
        counts.append(np.bincount(keys, minlength=POSTS))
    counts = np.array(counts)
    assert set((counts - np.floor(expected)).ravel().tolist()) <= {0, 1}
    error = np.sqrt(expected % 1 * (1 - expected % 1) / 150)
    assert (np.abs(counts.mean(axis=0) - expected) <= 5 * error + 1e-6).all()


@pytest.mark.parametrize("passes", [2, 3])
def test_passes_share_the_copies_of_an_epoch(folder, passes):
    stream, whole = reader(folder, passes=passes), reader(folder)
    names, factors = [f"p{i}" for i in range(POSTS)], np.random.default_rng(0).integers(2**24, 2**27, POSTS)
    for epoch_number in range(4):
        parts = [stream._copies(factors, names, epoch_number * passes + step) for step in range(passes)]
        assert sum(parts).tolist() == whole._copies(factors, names, epoch_number).tolist()
        assert np.ptp(parts, axis=0).max() <= 1  # as evenly as can be


def test_what_a_post_carries_is_what_the_index_says(folder):
    index = ShardIndex.open(folder)
    labels = [index.label_ids[a:b].tolist() for a, b in pairwise(index.label_offsets)]
    of_key = dict(zip(index.keys.to_pylist(), labels, strict=True))
    for buffer, _ in epoch(reader(folder)):
        for i in range(len(buffer)):
            key = buffer.image_id(i)
            assert buffer.labels(i).tolist() == of_key[key]
            assert buffer.read(i) == f"image {key[1:]}".encode()


@pytest.mark.parametrize("number", [0, 1])
def test_a_stream_can_begin_with_any_buffer(folder, number):
    whole = shown(islice(reader(folder, number, 2).buffers(), 25))
    for first in range(0, 25, 3):
        assert shown(islice(reader(folder, number, 2).buffers(first), 25 - first)) == whole[first:]


def test_epochs_seeds_and_readers_differ(folder):
    orders = {
        str(shown(islice(reader(folder, **how).buffers(), 4))) for how in ({}, {"seed": 6}, {"number": 1, "readers": 2})
    }
    assert len(orders) == 3
    per_epoch = len(epoch(reader(folder)))
    buffers = shown(islice(reader(folder).buffers(), 2 * per_epoch))
    assert buffers[:per_epoch] != buffers[per_epoch:]


def test_more_readers_than_shards_are_refused(folder):
    with pytest.raises(DatasetError, match=f"{SHARDS} shards cannot be shared by 12 readers"):
        StreamedShards(str(folder)).check_shared_by(SHARDS + 1)
    StreamedShards(str(folder)).check_shared_by(SHARDS)


def test_a_hashtag_outside_of_the_vocabulary_is_named(folder):
    for shard in folder.glob("*.tar"):
        shard.write_bytes(shard.read_bytes().replace(b"label0", b"labelX").replace(b"label1", b"labelX"))
    with pytest.raises(ShardError, match=r"post p\d+ has 'labelX', which vocabulary.txt lacks"):
        epoch(reader(folder))


def test_a_folder_without_posts_is_refused(tmp_path):
    with ShardWriter(tmp_path, Vocabulary([("cat",)])):
        pass
    with pytest.raises(DatasetError, match="lists no post"):
        StreamedShards(str(tmp_path))
