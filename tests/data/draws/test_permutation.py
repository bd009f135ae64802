"""Permutations that are computed: one to one on every size, and as random as NumPy's."""

import numpy as np
import pytest

from igdet.data.draws.randomness import ROUNDS, Permutation, Stream, keys

AROUND_POWERS = [2**k + d for k in (2, 3, 8, 12, 16) for d in (-1, 0, 1)]
SQUARES = [n * n + d for n in (5, 100, 317) for d in (-1, 0, 1)]  # where the halves change their size
PRIMES = [2, 7, 97, 10_007, 100_003]


def permutation(size, number=0):
    return Permutation(size, keys(3, Stream.EPOCH_ORDER, number, ROUNDS))


@pytest.mark.parametrize("size", [1, 6, 1000, *AROUND_POWERS, *SQUARES, *PRIMES])
def test_it_is_one_to_one(size):
    np.testing.assert_array_equal(np.sort(permutation(size)(np.arange(size))), np.arange(size))


def test_it_is_computed_place_by_place():
    whole, places = permutation(1000)(np.arange(1000)), np.array([999, 3, 3, 500])
    assert permutation(1000)(places).tolist() == whole[places].tolist()
    assert permutation(1000)(np.array([], np.int64)).tolist() == []


@pytest.mark.parametrize("size", [7_000_000_000, 2**40 + 1, 2**62])
def test_billions_need_no_memory(size):
    found = permutation(size)(np.arange(size - 10_000, size))
    assert len(np.unique(found)) == 10_000
    assert found.min() >= 0 and found.max() < size
    assert found.mean() / size == pytest.approx(0.5, abs=0.015)  # standard error 0.0029


def test_keys_give_other_permutations():
    orders = {tuple(permutation(10, number)(np.arange(10)).tolist()) for number in range(200)}
    assert len(orders) == 200  # of 3.6 million


def chi_square(counts):
    return ((counts - counts.mean()) ** 2).sum() / counts.mean()


@pytest.mark.parametrize("size", [2, 3, 4])
def test_every_order_of_a_few_is_equally_likely(size):
    orders = [tuple(permutation(size, number)(np.arange(size)).tolist()) for number in range(4000)]
    counts = np.unique(orders, axis=0, return_counts=True)[1]
    degrees = np.prod(np.arange(1, size + 1)) - 1
    assert len(counts) == degrees + 1
    assert chi_square(counts) < degrees + 5 * np.sqrt(2 * degrees)


@pytest.mark.parametrize("size", [5, 6, 12])
def test_two_neighbours_go_anywhere(size):
    pairs = np.array([permutation(size, number)(np.array([1, 2])) for number in range(6000)])
    counts = np.bincount(pairs[:, 0] * size + pairs[:, 1], minlength=size * size).reshape(size, size)
    assert (np.diag(counts) == 0).all()
    degrees = size * (size - 1) - 1
    assert chi_square(counts[~np.eye(size, dtype=bool)]) < degrees + 5 * np.sqrt(2 * degrees)


def test_a_long_order_looks_like_numpys():
    size = 100_000
    for order in (permutation(size)(np.arange(size)), np.random.default_rng(0).permutation(size)):
        assert abs(np.corrcoef(order[:-1], order[1:])[0, 1]) < 5 / np.sqrt(size)
        assert abs(np.corrcoef(order, np.arange(size))[0, 1]) < 5 / np.sqrt(size)
        # The mean distance of two random places is a third of the size; standard error sqrt(1/18 / 1e5) = 0.00075.
        assert np.abs(order - np.arange(size)).mean() / size == pytest.approx(1 / 3, abs=0.004)
        cells = np.bincount(order // 1000 * 100 + np.arange(size) // 1000, minlength=10_000)
        assert abs(chi_square(cells) - 9_801) < 5 * np.sqrt(2 * 9_801)  # 99 * 99 degrees of freedom
