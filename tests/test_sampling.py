"""The formula of resampling, in bounded memory."""

import sys
from itertools import chain, pairwise

import numpy as np
import pytest
from reference_sampling import epoch_list, label_factors, post_factors

from igdet import sampling
from igdet.sampling import count_labels, record_factors, replicate

# Posts {0}, {0, 2}, {2}, {}, {0, 1}: f(0) = 3/4, f(1) = 1/4, f(2) = 2/4 of the four that have labels.
OFFSETS, IDS = np.array([0, 1, 3, 4, 4, 6]), np.array([0, 0, 2, 2, 0, 1], dtype=np.int32)


def factors_of(replication, offsets=OFFSETS, ids=IDS):
    return np.concatenate(list(record_factors(offsets, ids, replication.factors)))


def test_a_hand_worked_threshold():
    # Uniform, budget 6: with t in [0.5, 0.75), 1 + t/0.5 + t/0.5 + t/0.25 = 1 + 8 t = 6, so t = 0.625.
    replication = replicate(OFFSETS, IDS, "uniform", 6)
    assert replication.counts.tolist() == [3, 1, 2]
    assert replication.threshold == pytest.approx(0.625, rel=1e-14)
    np.testing.assert_allclose(replication.factors, [1, 2.5, 1.25], rtol=1e-14)
    np.testing.assert_allclose(factors_of(replication), [1, 1.25, 1.25, 0, 2.5], rtol=1e-14)


def test_natural_resampling_has_no_threshold():
    replication = replicate(OFFSETS, IDS, "natural", 6)
    assert replication.threshold is None
    assert factors_of(replication).tolist() == [1, 1, 1, 0, 1]


@pytest.mark.parametrize("resampling", sampling.PHI)
@pytest.mark.parametrize("seed", range(5))
def test_factors_are_those_of_the_reference(resampling, seed):
    rng = np.random.default_rng(seed)
    posts = [np.unique(rng.zipf(1.5, rng.integers(1, 6)) % 12).tolist() for _ in range(rng.integers(1, 120))]
    offsets, ids = np.cumsum([0, *map(len, posts)]), np.array([*chain.from_iterable(posts)], np.int32)
    for times in (1, 1.01, 2.5, 40):
        budget = times * len(posts)
        replication = replicate(offsets, ids, resampling, budget, num_labels=12)
        expected = label_factors(posts, resampling, budget)
        np.testing.assert_allclose(replication.factors, [expected.get(h, 1) for h in range(12)], rtol=1e-12)
        np.testing.assert_allclose(
            factors_of(replication, offsets, ids), post_factors(posts, resampling, budget), rtol=1e-12
        )


def test_the_reference_is_worked_out_by_hand():
    posts = [[0], [0, 2], [2], [0, 1]]  # those above that have labels
    assert post_factors(posts, "uniform", 6) == pytest.approx([1, 1.25, 1.25, 2.5])
    assert label_factors([], "uniform", 10) == {}
    assert label_factors([[7]], "square_root", 3) == {7: pytest.approx(3)}  # one post, three times
    # Sums 0.5, then 1.5, 1.5 (factor 0), 3.75: from 0 up, whole numbers are passed once by post 0, twice by post 2.
    assert epoch_list([4, 0, 9], unit=4, offset=2, rotations=[0]) == [0, 2, 2]
    assert epoch_list([4, 0, 9], unit=4, offset=2, rotations=[2]) == [2, 2, 0]  # 0.5, 2.75, 3.75
    assert epoch_list([], unit=4, offset=2, rotations=[]) == []


def test_labels_that_nobody_carries_change_nothing():
    wide, narrow = replicate(OFFSETS, IDS, "square_root", 6, num_labels=9), replicate(OFFSETS, IDS, "square_root", 6)
    assert wide.factors.tolist() == [*narrow.factors, 1, 1, 1, 1, 1, 1]
    assert wide.counts.tolist() == [3, 1, 2, 0, 0, 0, 0, 0, 0]


def test_a_budget_below_the_records_is_refused():
    with pytest.raises(ValueError, match="no list of 3 can hold each of 4 records once"):
        replicate(OFFSETS, IDS, "uniform", 3)


@pytest.mark.parametrize("offsets", [np.array([0]), np.array([0, 0, 0])])
def test_without_labels_there_is_nothing_to_draw(offsets):
    ids = np.array([], dtype=np.int32)
    replication = replicate(offsets, ids, "uniform", 10, num_labels=2)
    assert replication.threshold is None
    assert sum(part.sum() for part in record_factors(offsets, ids, replication.factors)) == 0


@pytest.fixture
def zipfian():
    rng = np.random.default_rng(0)
    posts = [np.unique(np.minimum(rng.zipf(1.3, rng.integers(0, 5)), 200) - 1) for _ in range(1000)]
    return np.cumsum([0, *map(len, posts)]), np.concatenate(posts).astype(np.int32)


@pytest.mark.parametrize("resampling", ["square_root", "uniform"])
@pytest.mark.parametrize("chunk", [1, 7, 10_000])
def test_chunks_change_nothing_and_the_budget_is_met(zipfian, resampling, chunk, monkeypatch):
    whole = replicate(*zipfian, resampling, 5000)
    monkeypatch.setattr(sampling, "CHUNK", chunk)
    cut = replicate(*zipfian, resampling, 5000)
    assert cut.counts.tolist() == whole.counts.tolist() == np.bincount(zipfian[1]).tolist()
    assert cut.factors.tolist() == whole.factors.tolist()
    assert factors_of(cut, *zipfian).sum() == pytest.approx(5000, rel=4 * len(zipfian[0]) * sys.float_info.epsilon)


def test_factors_are_the_largest_of_the_labels(zipfian):
    offsets, ids = zipfian
    replication = replicate(offsets, ids, "square_root", 3000)
    num_records = np.count_nonzero(np.diff(offsets))
    frequency = np.bincount(ids) / num_records
    expected = [
        max((max(1, (replication.threshold / frequency[label]) ** 0.5) for label in ids[start:end]), default=0)
        for start, end in pairwise(offsets)
    ]
    np.testing.assert_allclose(factors_of(replication, offsets, ids), expected, rtol=1e-12)


def test_memory_mapped_labels_are_read_in_chunks(zipfian, tmp_path):
    np.save(tmp_path / "ids.npy", zipfian[1])
    mapped = np.load(tmp_path / "ids.npy", mmap_mode="r")
    assert replicate(zipfian[0], mapped, "uniform", 4000).factors.tolist() == (
        replicate(*zipfian, "uniform", 4000).factors.tolist()
    )


def test_counting_grows_to_the_largest_id(monkeypatch):
    monkeypatch.setattr(sampling, "CHUNK", 2)
    assert count_labels(np.array([0, 0, 3, 1, 5])).tolist() == [2, 1, 0, 1, 0, 1]


@pytest.mark.parametrize("power", [0.1, 0.25, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("times", [1.0, 12.0, 1e6])
def test_any_growing_phi_meets_the_budget(zipfian, power, times, monkeypatch):
    monkeypatch.setitem(sampling.PHI, "power", lambda x: x**power)
    budget = times * np.count_nonzero(np.diff(zipfian[0]))
    assert factors_of(replicate(*zipfian, "power", budget), *zipfian).sum() == pytest.approx(budget, rel=1e-11)


def test_a_slowly_growing_phi_finds_the_threshold_worked_out_by_hand(monkeypatch):
    # Four posts of one label each, f = 1/4: (t / f)^(1/4) = 3 at t = 81 / 4.
    monkeypatch.setitem(sampling.PHI, "fourth_root", lambda x: x**0.25)
    replication = replicate(np.arange(5), np.arange(4), "fourth_root", 12)
    assert replication.threshold == pytest.approx(81 / 4, rel=1e-13)
    np.testing.assert_allclose(replication.factors, 3, rtol=1e-14)


@pytest.mark.parametrize("phi", [np.ones_like, lambda x: 2 + x, lambda x: np.minimum(x, 1.4)])
def test_a_budget_that_phi_cannot_reach_is_refused(phi, monkeypatch):
    monkeypatch.setitem(sampling.PHI, "bounded", phi)
    with pytest.raises(ValueError, match=r"no threshold between exp\(.*\) gives the budget"):
        replicate(OFFSETS, IDS, "bounded", 6)
