"""An epoch's list without the list: every slot, over and over, against the rounding written out."""

import numpy as np
import pytest

from igdet.data.draws.epoch import BLOCK, FRACTION_BITS, EpochList, EpochPlan
from igdet.data.draws.randomness import Stream, hashed, keys

NUM_RECORDS = 3 * BLOCK + 77  # four blocks, the last one short


def list_of(factors, seed=3):
    """A list in which record I, of the label I alone, has the given factor."""
    fixed = np.rint(np.ldexp(factors, FRACTION_BITS)).astype(np.int64)
    ends = np.cumsum(fixed)[[*range(BLOCK - 1, len(fixed) - 1, BLOCK), len(fixed) - 1]]
    return EpochList(EpochPlan(np.arange(len(fixed)), fixed, ends), seed)


def copies(epoch_list, epoch, count):
    [length] = epoch_list.lengths(np.array([epoch]))
    return np.bincount(epoch_list.records(epoch, np.arange(length)), minlength=count)


@pytest.fixture
def factors():
    rng = np.random.default_rng(0)
    return np.where(rng.random(NUM_RECORDS) < 0.1, 0.0, 1 + rng.exponential(1.5, NUM_RECORDS))


def test_every_record_is_rounded_up_or_down(factors):
    epoch_list = list_of(factors)
    for epoch in range(5):
        extra = copies(epoch_list, epoch, NUM_RECORDS) - np.floor(factors)
        assert set(extra.tolist()) == {0, 1}
        assert (extra[factors == 0] == 0).all()
        assert abs(extra.sum() - (factors % 1).sum()) < 1


def test_rounding_up_has_the_probability_of_the_fraction(factors):
    factors = factors[: BLOCK + 50]
    epoch_list, epochs = list_of(factors), 1000
    mean = sum(copies(epoch_list, epoch, len(factors)) for epoch in range(epochs)) / epochs
    error = np.sqrt((factors % 1) * (1 - factors % 1) / epochs)
    assert (np.abs(mean - factors) <= 5 * error + 1e-6).all()


def test_roundings_of_equal_fractions_are_not_tied_between_blocks():
    factors = np.full(2 * BLOCK, 1.5)
    epoch_list = list_of(factors)
    extra = np.array([copies(epoch_list, epoch, 2 * BLOCK) for epoch in range(400)]) - 1
    # Without the rotations the same place of two blocks would always be rounded alike.
    assert abs(np.corrcoef(extra[:, 7], extra[:, BLOCK + 7])[0, 1]) < 5 / np.sqrt(400)


def test_slots_are_those_of_the_running_sum():
    # One block and no rotation of one record: floor(F + u) written out, record by record.
    factors, seed = np.array([2.75]), 5
    [key] = keys(seed, Stream.ROUNDING, 0)
    for epoch in range(20):
        u = int(hashed(key, np.array([epoch]))[0]) / 2**64
        assert copies(list_of(factors, seed), epoch, 1).tolist() == [int(2.75 + u)]


def test_look_ups_may_come_in_any_order_and_number(factors):
    epoch_list = list_of(factors)
    [length] = epoch_list.lengths(np.array([2]))
    whole = epoch_list.records(2, np.arange(length))
    slots = np.random.default_rng(1).integers(length, size=50)
    assert epoch_list.records(2, slots).tolist() == whole[slots].tolist()
    assert epoch_list.records(2, slots[:1]).tolist() == whole[slots[:1]].tolist()


def test_whole_factors_leave_nothing_to_chance():
    epoch_list = list_of(np.array([1.0, 3.0, 0.0, 2.0]))
    assert epoch_list.lengths(np.arange(1000)).tolist() == [6] * 1000
    assert all(copies(epoch_list, epoch, 4).tolist() == [1, 3, 0, 2] for epoch in range(10))


def test_lengths_are_the_sum_rounded():
    lengths = list_of(np.array([1.25, 1.5, 1.0])).lengths(np.arange(4000))
    assert set(lengths.tolist()) == {3, 4}
    assert lengths.mean() == pytest.approx(3.75, abs=0.035)  # standard error 0.007


def test_the_list_of_billions_is_exact():
    # 3.5 billion records of factor 2, the last of 2.5: only the ends of the blocks that are asked for are real.
    blocks = np.full(2, 7_000_000_000 << FRACTION_BITS)
    blocks[1] += 5 << (FRACTION_BITS - 1)
    fixed = np.array([5 << (FRACTION_BITS - 1)])
    epoch_list = EpochList(EpochPlan(np.zeros(BLOCK + 1, np.uint8), fixed, blocks), seed=0)
    [length] = epoch_list.lengths(np.array([0]))
    assert length in (7_000_000_002, 7_000_000_003)
    assert epoch_list.records(0, np.array([7_000_000_000, length - 1])).tolist() == [BLOCK, BLOCK]
