"""Tests of numbered draws."""

from itertools import islice

import numpy as np
import pytest

from igdet.data.draws.epoch import EpochList, plan_epoch, use_labels
from igdet.data.draws.samplers import NumberedSampler

# Labels 0 in three posts, 1 in one, 2 in two; the last post carries two. Square root, budget 9.
OFFSETS, IDS = np.array([0, 1, 2, 3, 4, 5, 7]), np.array([0, 0, 2, 1, 0, 0, 2], dtype=np.int32)


def sampler(offsets=OFFSETS, ids=IDS, resampling="square_root", epoch_factor=1.6, seed=3, **settings):
    plan = plan_epoch(use_labels(offsets, ids), resampling, epoch_factor)
    return NumberedSampler(EpochList(plan, seed), seed, **settings)


def draws(count, **settings):
    return list(islice(sampler(**settings), count))


def test_natural_epochs_hold_each_record_once_in_another_order():
    natural = sampler(np.arange(51), np.zeros(50, np.int32), "natural")
    first, second = natural.records(0), natural.records(1)
    assert sorted(first) == sorted(second) == list(range(50))
    assert first.tolist() != second.tolist() != list(range(50))
    other_seed = sampler(np.arange(51), np.zeros(50, np.int32), "natural", seed=4)
    assert other_seed.records(0).tolist() != first.tolist()


def test_draws_are_numbered_and_follow_the_epochs():
    epochs = sampler()
    expected = np.concatenate([epochs.records(epoch) for epoch in range(10)])[:70]
    assert draws(70) == list(enumerate(expected.tolist()))


def test_epochs_are_as_long_as_the_factor_says():
    lengths = [len(sampler().records(epoch)) for epoch in range(200)]
    assert set(lengths) == {9, 10}
    assert np.mean(lengths) == pytest.approx(9.6, abs=0.18)  # standard error 0.035


@pytest.mark.parametrize("start", [0, 1, 5, 9, 10, 23, 200])
@pytest.mark.parametrize("look_ups", [1, 4, 1024])
def test_starting_later_gives_the_tail_whatever_is_looked_up_together(start, look_ups, monkeypatch):
    whole = draws(start + 30)
    monkeypatch.setattr("igdet.data.draws.samplers._LOOK_UPS", look_ups)
    assert draws(30, start_draw=start) == whole[start:]


@pytest.mark.parametrize("world_size", [1, 2, 3, 7, 20])
@pytest.mark.parametrize("look_ups", [1, 4, 1024])
def test_ranks_share_the_draws(world_size, look_ups, monkeypatch):
    whole = draws(12 * world_size, start_draw=4)
    monkeypatch.setattr("igdet.data.draws.samplers._LOOK_UPS", look_ups)
    ranks = [draws(12, start_draw=4, rank=rank, world_size=world_size) for rank in range(world_size)]
    assert sorted(draw for rank in ranks for draw in rank) == whole


def test_a_late_epoch_is_found(monkeypatch):
    monkeypatch.setattr("igdet.data.draws.samplers._EPOCHS", 3)  # epochs added up together
    ends = np.cumsum([len(sampler().records(epoch)) for epoch in range(12)]).tolist()
    for epoch, first in enumerate([0, *ends[:-1]]):
        expected = list(enumerate(sampler().records(epoch).tolist(), first))
        assert draws(len(expected), start_draw=first) == expected


def test_all_ranks_together_see_an_epoch_exactly():
    rng = np.random.default_rng(0)
    offsets = np.cumsum([0, *rng.integers(1, 4, 3000)])
    ids = np.concatenate([rng.choice(50, n, replace=False) for n in np.diff(offsets)]).astype(np.int32)
    length = len(sampler(offsets, ids).records(0))
    ranks = [draws(-(-length // 4), offsets=offsets, ids=ids, rank=rank, world_size=4) for rank in range(4)]
    seen = sorted(record for rank in ranks for draw, record in rank if draw < length)
    assert seen == sorted(sampler(offsets, ids).records(0).tolist())
    assert set(seen) == set(range(3000))
