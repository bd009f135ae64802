"""The order of samples is, draw by draw, that of the plain reference, whatever the seed, ranks, workers and blocks."""

from functools import partial
from itertools import chain, islice
from types import SimpleNamespace

import numpy as np
import pytest
from reference_epoch_order import UNIT, batches, buffers, draws, epoch, shuffled
from reference_sampling import BLOCK as REFERENCE_BLOCK
from reference_sampling import post_factors

from igdet.data.draws import streams
from igdet.data.draws.epoch import BLOCK, EpochList, plan_epoch, use_labels
from igdet.data.draws.randomness import ROUNDS, Permutation, Stream, keys
from igdet.data.draws.samplers import NumberedSampler
from igdet.data.draws.streams import Share, Source, StreamReader, StreamSamples, StreamSettings
from igdet.data.readers.shards import StreamedShards
from igdet.formats.shards import ShardIndex, ShardWriter
from igdet.formats.vocabulary import Vocabulary

SEEDS = [0, 1, 20_261_129]


def random_posts(rng, count, labels=9):
    """Posts of one to four labels, the first of which are frequent."""
    return [sorted(set((rng.zipf(1.6, rng.integers(1, 5)) % labels).tolist())) for _ in range(count)]


def plan_of(posts, resampling, epoch_factor):
    offsets, ids = np.cumsum([0, *map(len, posts)]), np.array([*chain.from_iterable(posts)], np.int32)
    return plan_epoch(use_labels(offsets, ids), resampling, epoch_factor)


def fixed_point(posts, resampling, epoch_factor):
    """The reference's factors in the units in which they are added up."""
    return [round(factor * UNIT) for factor in post_factors(posts, resampling, epoch_factor * len(posts))]


@pytest.mark.parametrize("resampling", ["natural", "square_root", "uniform"])
@pytest.mark.parametrize("seed", SEEDS)
def test_factors_are_the_references_to_the_last_unit(resampling, seed):
    posts = random_posts(np.random.default_rng(seed), 200)
    plan = plan_of(posts, resampling, 2.3)
    assert np.abs(plan.factors[plan.rarest] - fixed_point(posts, resampling, 2.3)).max() <= 1


@pytest.mark.parametrize("size", [1, 2, 3, 10, 97, 1000])
@pytest.mark.parametrize("seed", SEEDS)
def test_orders_are_the_references(size, seed):
    order = Permutation(size, keys(seed, Stream.EPOCH_ORDER, 4, ROUNDS))
    assert order(np.arange(size)).tolist() == shuffled(size, seed, Stream.EPOCH_ORDER, 4)


@pytest.mark.parametrize(
    "posts",
    [
        [[0]],  # one post
        [[0], [0], [0]],  # one label
        [[3], [3], [1, 3]],  # labels that no post carries
        random_posts(np.random.default_rng(0), 40),
        random_posts(np.random.default_rng(1), 2 * BLOCK + 5),  # three blocks
    ],
    ids=["one post", "one label", "unused labels", "some", "blocks"],
)
@pytest.mark.parametrize(("resampling", "epoch_factor"), [("natural", 1), ("square_root", 1.7), ("uniform", 3)])
@pytest.mark.parametrize("seed", SEEDS)
def test_epochs_are_the_references(posts, resampling, epoch_factor, seed):
    plan = plan_of(posts, resampling, epoch_factor)
    factors = plan.factors[plan.rarest].tolist()
    sampler = NumberedSampler(EpochList(plan, seed), seed)
    for number in range(3):
        assert sampler.records(number).tolist() == epoch(factors, seed, number)


@pytest.mark.parametrize(("rank", "world_size"), [(0, 1), (0, 2), (1, 2), (4, 5), (99, 100)])
@pytest.mark.parametrize("start", [0, 1, 66, 500])
@pytest.mark.parametrize("seed", SEEDS)
def test_ranks_draw_as_the_reference_says(rank, world_size, start, seed):
    plan = plan_of(random_posts(np.random.default_rng(seed), 33), "square_root", 2)
    sampler = NumberedSampler(EpochList(plan, seed), seed, start, rank, world_size)
    expected = draws(plan.factors[plan.rarest].tolist(), seed, start, rank, world_size)
    assert list(islice(sampler, 10)) == list(islice(expected, 10))


def test_both_round_the_same_blocks():
    assert REFERENCE_BLOCK == BLOCK


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """Nine shards of five posts each, the last of three."""
    folder = tmp_path_factory.mktemp("shards")
    names = [f"label{i}" for i in range(9)]
    with ShardWriter(folder, Vocabulary([name] for name in names), shard_size=5) as writer:
        for i, labels in enumerate(random_posts(np.random.default_rng(0), 8 * 5 + 3)):
            writer.add(f"p{i}", b"picture", [names[label] for label in labels])
    return StreamedShards(str(folder))


def posts_of(shards, factors):
    """Name of a shard -> (key, factor) of its posts, as the index has them."""
    index = ShardIndex.open(shards.folder)
    labels = np.split(index.label_ids, index.label_offsets[1:-1])
    posts = iter([(key, int(factors[ids].max())) for key, ids in zip(index.keys.to_pylist(), labels, strict=True)])
    return {name: list(islice(posts, count)) for name, (count, *_) in shards.summary.shards.items()}


@pytest.fixture
def compared(shards):
    """A stream's settings, and the reference that gives its buffers, of whichever reader."""

    def make(seed, at_a_time, size, passes):
        factors = shards.label_factors("square_root", 2.0)
        settings = StreamSettings(seed, factors, at_a_time, size, passes)
        return settings, partial(buffers, posts_of(shards, factors), seed, at_a_time, size, passes)

    return make


@pytest.mark.parametrize(("at_a_time", "size", "passes"), [(1, 1, 1), (2, 7, 1), (3, 4, 2), (20, 1000, 3)])
@pytest.mark.parametrize(("number", "readers"), [(0, 1), (0, 2), (1, 2), (8, 9)])
@pytest.mark.parametrize("seed", SEEDS)
def test_buffers_are_the_references(shards, compared, at_a_time, size, passes, number, readers, seed):
    settings, reference = compared(seed, at_a_time, size, passes)
    found = StreamReader(shards, settings, number, readers).buffers()
    shown = [[buffer.image_id(index) for index in order] for buffer, order in islice(found, 60)]
    assert shown == list(islice(reference((number, readers)), 60))


class Named:
    """Samples that say only which draw and post they are."""

    def __init__(self, records):
        self._records = records

    def __getitem__(self, numbered):
        draw, index = numbered
        return draw, self._records.image_id(index)


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize(("rank", "world_size"), [(0, 1), (1, 2)])
def test_loader_processes_take_turns_as_the_reference_says(
    shards, compared, workers, rank, world_size, tmp_path, monkeypatch
):
    settings, reference = compared(5, 2, 7, 1)
    share = Share(8, 0, rank, world_size, ranks=world_size, workers=workers)
    samples = StreamSamples([Source(shards, settings, Named)], share, tmp_path)
    found = [[] for _ in range(workers)]
    for worker in range(workers):
        monkeypatch.setattr(streams, "get_worker_info", lambda w=worker: SimpleNamespace(num_workers=workers, id=w))
        found[worker] = list(islice(samples, 4 * 8 // world_size))  # of four batches
    mine = [
        chain.from_iterable(reference((rank * workers + worker, world_size * workers))) for worker in range(workers)
    ]
    expected = list(islice(batches(mine, 8, rank, world_size), 4 * workers))
    assert found == [[*chain.from_iterable(expected[worker::workers])] for worker in range(workers)]
