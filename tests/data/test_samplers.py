"""Tests of resampling and of numbered draws."""

from itertools import islice, pairwise

import numpy as np
import pytest
from detectron2.data.samplers import RepeatFactorTrainingSampler

from igdet.data.samplers import NumberedSampler, replication_factors

# Four posts: label 0 in three of them, label 1 in one.
OFFSETS, IDS = np.array([0, 1, 2, 3, 4]), np.array([0, 0, 0, 1])


@pytest.mark.parametrize(
    ("resampling", "epoch_factor", "expected"),
    [
        ("natural", 2.0, [1, 1, 1, 1]),
        ("uniform", 1.0, [1, 1, 1, 1]),
        # Budget 5: t = 0.5 gives 0.5 / 0.25 = 2 for the rare label and 0.5 / 0.75 < 1 for the other.
        ("uniform", 1.25, [1, 1, 1, 2]),
        # Budget 8, both labels above 1: 3 t / 0.75 + t / 0.25 = 8 t = 8, so t = 1.
        ("uniform", 2.0, [4 / 3, 4 / 3, 4 / 3, 4]),
        # Budget 4.5: t = 0.5625 gives sqrt(0.5625 / 0.25) = 1.5 and sqrt(0.5625 / 0.75) < 1.
        ("square_root", 1.125, [1, 1, 1, 1.5]),
        # Budget 5, both above 1: sqrt(t) (3 / sqrt(0.75) + 1 / sqrt(0.25)) = 5, so sqrt(t) = 5 / (2 sqrt(3) + 2).
        ("square_root", 1.25, [5 / (3 + 3**0.5)] * 3 + [5 / (1 + 3**0.5)]),
    ],
)
def test_hand_worked_factors(resampling, epoch_factor, expected):
    np.testing.assert_allclose(replication_factors(OFFSETS, IDS, resampling, epoch_factor), expected, rtol=1e-12)


def test_a_post_counts_by_its_rarest_hashtag():
    # f(0) = 3/4, f(1) = 1/4, f(2) = 2/4; posts {0}, {0, 2}, {2}, {0, 1}. Uniform, budget 6:
    # with t in [0.5, 0.75): 1 + t/0.5 + t/0.5 + t/0.25 = 1 + 8 t = 6, so t = 0.625.
    factors = replication_factors(np.array([0, 1, 3, 4, 6]), np.array([0, 0, 2, 2, 0, 1]), "uniform", 1.5)
    np.testing.assert_allclose(factors, [1, 1.25, 1.25, 2.5], rtol=1e-12)


@pytest.fixture
def zipfian():
    rng = np.random.default_rng(0)
    posts = [np.unique(np.minimum(rng.zipf(1.3, rng.integers(1, 5)), 200) - 1) for _ in range(2000)]
    return np.cumsum([0, *map(len, posts)]), np.concatenate(posts)


@pytest.mark.parametrize("resampling", ["square_root", "uniform"])
def test_the_total_meets_the_budget(zipfian, resampling):
    factors = replication_factors(*zipfian, resampling, 3.0)
    assert factors.sum() == pytest.approx(3.0 * 2000, rel=1e-12)
    assert factors.min() >= 1


def test_square_root_factors_are_detectron2s_at_the_same_threshold(zipfian):
    offsets, ids = zipfian
    factors = replication_factors(offsets, ids, "square_root", 2.0)
    records = [
        {"annotations": [{"category_id": label} for label in ids[start:end].tolist()]}
        for start, end in pairwise(offsets)
    ]
    most = factors.argmax()
    rarest_count = np.bincount(ids)[ids[offsets[most] : offsets[most + 1]]].min()
    threshold = factors.max() ** 2 * rarest_count / len(records)  # r = sqrt(t / f)
    theirs = RepeatFactorTrainingSampler.repeat_factors_from_category_frequency(records, threshold)
    np.testing.assert_allclose(factors, theirs.numpy(), rtol=1e-6)


@pytest.mark.parametrize(
    ("resampling", "factor", "message"),
    [("sqrt", 2.0, "RESAMPLING is one of natural"), ("uniform", 0.5, "EPOCH_FACTOR")],
)
def test_wrong_settings_are_refused(resampling, factor, message):
    with pytest.raises(ValueError, match=message):
        replication_factors(OFFSETS, IDS, resampling, factor)


def draws(count, **settings):
    return list(islice(NumberedSampler(np.array([1.0, 2.0, 1.5, 1.25]), seed=3, **settings), count))


def test_an_epochs_list_holds_each_record_by_its_factor():
    sampler = NumberedSampler(np.array([1.0, 2.0, 1.5, 0.0]), seed=3)
    counts = np.array([np.bincount(sampler.epoch_order(epoch), minlength=4) for epoch in range(400)])
    assert (counts[:, 0] == 1).all()
    assert (counts[:, 1] == 2).all()
    assert set(counts[:, 2].tolist()) == {1, 2}  # the fraction is drawn afresh each epoch
    assert counts[:, 2].mean() == pytest.approx(1.5, abs=0.1)  # standard error 0.025
    assert (counts[:, 3] == 0).all()


def test_epochs_are_permuted_each_in_its_own_way():
    sampler = NumberedSampler(np.ones(50), seed=3)
    first, second = sampler.epoch_order(0), sampler.epoch_order(1)
    assert sorted(first) == sorted(second) == list(range(50))
    assert first.tolist() != second.tolist() != list(range(50))
    assert NumberedSampler(np.ones(50), seed=4).epoch_order(0).tolist() != first.tolist()


def test_draws_are_numbered_and_follow_the_epochs_lists():
    sampler = NumberedSampler(np.array([1.0, 2.0, 1.5, 1.25]), seed=3)
    expected = np.concatenate([sampler.epoch_order(epoch) for epoch in range(10)])[:40]
    assert draws(40) == list(enumerate(expected.tolist()))


@pytest.mark.parametrize("start", [0, 1, 5, 6, 7, 23, 200])
def test_starting_later_gives_the_tail(start):
    assert draws(30, start_draw=start) == draws(start + 30)[start:]


@pytest.mark.parametrize("world_size", [2, 3, 7])
def test_ranks_share_the_draws(world_size):
    ranks = [draws(12, start_draw=4, rank=rank, world_size=world_size) for rank in range(world_size)]
    together = sorted(draw for rank in ranks for draw in rank)
    assert together == draws(12 * world_size, start_draw=4)
