"""Numbered batches: grouped, complete, and the same however they are shared and wherever they begin."""

from itertools import islice

import numpy as np
import pytest

from igdet.data.draws.batches import NumberedBatches
from igdet.data.draws.epoch import EpochList, plan_of_records
from igdet.data.draws.samplers import NumberedSampler

GROUPS = np.array([0, 1, 1, 0, 1, 1, 1, 0, 1, 1])


def batches(count, groups=GROUPS, size=4, repetitions=None, **share):
    repetitions = np.ones(len(groups)) if repetitions is None else repetitions
    draws = NumberedSampler(EpochList(plan_of_records(repetitions), 7), 7)
    return list(islice(NumberedBatches(draws, groups, repetitions, size, **share), count))


def test_a_batch_is_of_one_group_and_draws_keep_their_order():
    found = batches(30)
    for batch in found:
        assert len({GROUPS[record] for _, record in batch}) == 1
        assert [draw for draw, _ in batch] == sorted(draw for draw, _ in batch)
    draws = sorted(draw for batch in found for draw, _ in batch)
    assert len(set(draws)) == 120
    assert draws[-1] < 120 + 2 * 3  # no more than three wait in each of two groups


def test_each_epoch_has_every_record_once():
    seen = sorted((draw, record) for batch in batches(30) for draw, record in batch)[:100]
    for epoch in range(10):
        assert sorted(record for _, record in seen[10 * epoch : 10 * epoch + 10]) == list(range(10))


def test_without_groups_batches_are_the_draws_in_order():
    draws = [draw for batch in batches(5, np.zeros(10, int)) for draw, _ in batch]
    assert draws == list(range(20))


@pytest.mark.parametrize("start", [0, 1, 17, 400])
def test_batches_begin_anywhere_and_are_shared_by_any_number_of_processes(start):
    expected = batches(start + 10)[start:]
    assert batches(10, start=start) == expected
    shares = [batches(10, start=start, rank=rank, world_size=2) for rank in (0, 1)]
    assert [batch[rank::2] for batch in expected for rank in (0, 1)] == [
        share[at] for at in range(10) for share in shares
    ]


@pytest.mark.parametrize("size", [1, 3, 4, 32])
@pytest.mark.parametrize("repetitions", [[1, 1, 1], [1, 0, 1], [2, 1, 5], [1.5, 1, 0.25], [0, 0, 1]])
def test_epochs_that_are_counted_change_nothing(size, repetitions):
    """Small sets, of which a batch takes many epochs, and sets whose epochs are not all of one length."""
    groups, repetitions = np.array([0, 1, 0]), np.array(repetitions, float)
    expected = batches(90, groups, size, repetitions)
    for start in (13, 50, 77):
        assert batches(90 - start, groups, size, repetitions, start=start) == expected[start:]


def test_factors_of_records_are_how_often_they_come():
    factors = np.array([0.0, 1.0, 2.5, 0.25])
    sampler = NumberedSampler(EpochList(plan_of_records(factors), 3), 3)
    counts = np.array([np.bincount(sampler.records(epoch), minlength=4) for epoch in range(400)])
    assert (counts[:, 0] == 0).all() and (counts[:, 1] == 1).all()
    assert set(counts[:, 2]) == {2, 3} and set(counts[:, 3]) == {0, 1}
    assert counts[:, 2:].mean(axis=0) == pytest.approx([2.5, 0.25], abs=0.08)
