"""Pairs of hashes within a distance."""

import numpy as np
import pytest

from igdet.curation.duplicates import hamming
from igdet.curation.duplicates.hamming import pairs_within


def flipped(bits: np.ndarray, positions) -> np.ndarray:
    unpacked = np.unpackbits(bits)
    unpacked[positions] ^= 1
    return np.packbits(unpacked)


@pytest.fixture(params=[10**11, 0], ids=["compare all", "compare like pieces"], autouse=True)
def compare_all_to(request, monkeypatch):
    monkeypatch.setattr(hamming, "_COMPARE_ALL_TO", request.param)


@pytest.mark.parametrize("max_distance", [0, 15, 16, 31, 40])
def test_it_finds_what_comparing_every_bit_finds(max_distance):
    random = np.random.default_rng(max_distance)
    indexed = random.integers(0, 256, (40, 32), dtype=np.uint8)
    copies = [flipped(indexed[i], random.permutation(256)[:i]) for i in range(40)]  # 0, 1, 2 .. 39 bits apart
    queries = np.array(copies)[:, None]
    found = pairs_within(queries, indexed, max_distance)
    apart = np.unpackbits(queries ^ indexed[None], axis=2).sum(axis=2)  # (Q, N)
    assert set(zip(found.queries, found.matches, strict=True)) == set(
        zip(*np.nonzero(apart <= max_distance), strict=True)
    )
    assert np.allclose(found.scores, 1 - apart[found.queries, found.matches] / 256)
    assert len(found.scores) == max_distance + 1 - max(0, max_distance - 39)


def test_the_worst_spread_of_differing_bits_is_found():
    bits = np.arange(32, dtype=np.uint8)
    spread = [*range(0, 256, 16), *range(1, 240, 16)]  # 31 bits: two in each piece of 16 but the last, which has one
    query = flipped(bits, spread)[None, None]
    assert pairs_within(query, bits[None], 31).scores.tolist() == [1 - 31 / 256]
    assert len(pairs_within(query, bits[None], 30).scores) == 0


def test_the_nearest_orientation_counts_once():
    bits = np.arange(32, dtype=np.uint8)
    orientations = np.stack([flipped(bits, [0, 1, 2]), flipped(bits, [5]), ~bits])
    found = pairs_within(np.stack([np.stack([~bits] * 3), orientations]), bits[None], 31)
    assert (found.queries.tolist(), found.matches.tolist(), found.scores.tolist()) == ([1], [0], [1 - 1 / 256])


def test_queries_come_in_blocks(monkeypatch):
    monkeypatch.setattr(hamming, "_QUERIES", 3)
    indexed = np.random.default_rng(0).integers(0, 256, (10, 32), dtype=np.uint8)
    found = pairs_within(np.stack([indexed, ~indexed], axis=1), indexed, 31)
    assert found.queries.tolist() == found.matches.tolist() == list(range(10))


def test_no_hashes_have_no_pairs():
    none, one = np.empty((0, 32), np.uint8), np.zeros((1, 32), np.uint8)
    assert len(pairs_within(one[None], none, 31).scores) == 0
    assert len(pairs_within(none[:, None], one, 31).scores) == 0
