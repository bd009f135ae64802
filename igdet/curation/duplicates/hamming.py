"""All pairs of 256-bit hashes within a Hamming distance, exactly; what a search finds."""

from collections.abc import Iterable
from itertools import combinations
from typing import NamedTuple

import faiss
import numpy as np

from igdet.curation.duplicates.perceptual import BITS

_COMPARE_ALL_TO = 10**11  # comparisons, M N: about two minutes of one core; then looking among pieces is faster
_PIECE = 16  # bits
_PIECES = BITS // _PIECE
_QUERIES = 4096  # at a time
# Of memory, when a set is compared with itself: the hashes of 8 orientations, those looked among, the order of both.
BYTES_A_IMAGE = 9 * (BITS // 8 + 8)


class Hits(NamedTuple):
    """M pairs of rows.

    Attributes:
        queries: int64 (M,): rows of the images that were searched for.
        matches: int64 (M,): rows of the images that were found.
        scores: float32 (M,): at most 1, which is equality.
    """

    queries: np.ndarray
    matches: np.ndarray
    scores: np.ndarray

    def where(self, chosen: np.ndarray) -> "Hits":
        """Keep the pairs for which `chosen`, bool (M,), is true."""
        return Hits(*(column[chosen] for column in self))

    def within(self) -> "Hits":
        """Of pairs within one set keep each once, the smaller row as the query, and none of an image with itself."""
        lower, higher = np.minimum(self.queries, self.matches), np.maximum(self.queries, self.matches)
        return Hits(lower, higher, self.scores).where(lower < higher).best()

    def best(self) -> "Hits":
        """Keep of each pair of rows the highest score."""
        # Sorted by query, then match, then falling score: of each pair the first row is its best.
        order = np.lexsort((-self.scores, self.matches, self.queries))
        ordered = self.where(order)
        is_first = np.ones(len(order), dtype=bool)
        is_first[1:] = np.diff(ordered.queries).astype(bool) | np.diff(ordered.matches).astype(bool)
        return ordered.where(is_first)


def join(parts: list[Hits]) -> Hits:
    """Put pairs of several searches together."""
    empty = Hits(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
    return Hits(*(np.concatenate(columns) for columns in zip(empty, *parts, strict=True)))


def pairs_within(queries: np.ndarray, indexed: np.ndarray, max_distance: int) -> Hits:
    """Find all pairs within a distance.

    Args:
        queries: uint8 (Q, O, 32); of the orientations the nearest counts.
        indexed: uint8 (N, 32).
        max_distance: bits, 0..255.

    Returns:
        Each pair once, with the score 1 - distance / 256.
    """
    wanted, indexed = np.ascontiguousarray(queries).reshape(-1, BITS // 8), np.ascontiguousarray(indexed)
    find = _compare_all if len(wanted) * len(indexed) <= _COMPARE_ALL_TO else _compare_like_pieces
    hits = find(wanted, indexed, max_distance)
    return hits._replace(queries=hits.queries // queries.shape[1]).best()


def _compare_all(wanted: np.ndarray, indexed: np.ndarray, max_distance: int) -> Hits:
    index = faiss.IndexBinaryFlat(BITS)
    index.add(indexed)
    parts = []
    for start in range(0, len(wanted), _QUERIES):
        block = wanted[start : start + _QUERIES]
        ends, distances, matches = index.range_search(block, max_distance + 1)  # finds what is nearer than that
        rows = np.repeat(np.arange(start, start + len(block)), np.diff(ends).astype(np.int64))
        parts.append(Hits(rows, matches, (1 - distances / BITS).astype(np.float32)))
    return join(parts)


def _compare_like_pieces(wanted: np.ndarray, indexed: np.ndarray, max_distance: int) -> Hits:
    """Compare only hashes that nearly agree in one of their 16 pieces.

    Two hashes within d bits differ by at most d // 16 bits in at least one piece: were it more in all, the sum would
    exceed d. With d = 31 that is one bit, and of N random hashes 17 in 65,536 nearly agree in a piece, so that
    16 x 17 / 65,536 = 1 / 241 of all comparisons are made. Source: Norouzi et al. 2012, "Fast Search in Hamming Space
    with Multi-Index Hashing". (faiss's own such index took longer than comparing everything, with 10 million hashes.)
    """
    flips = _values_of_few_bits(max_distance // _PIECES)
    found = join([])
    for piece in range(_PIECES):
        targets, queries = (_Grouped(hashes.view(np.uint16)[:, piece]) for hashes in (indexed, wanted))
        parts = [found]
        for value in queries.values.tolist():
            rows = queries.rows([value])
            candidates = targets.rows(value ^ flips)  # the pieces that differ from this one in few enough bits
            hits = _compare_all(wanted[rows], indexed[candidates], max_distance)
            parts.append(Hits(rows[hits.queries], candidates[hits.matches], hits.scores))
        found = join(parts).best()
    return found


def _values_of_few_bits(most: int) -> np.ndarray:
    """The 16-bit numbers with at most so many bits set."""
    chosen = [bits for count in range(most + 1) for bits in combinations(range(_PIECE), count)]
    return np.array([sum(1 << bit for bit in bits) for bits in chosen])


class _Grouped:
    """Which rows have which value.

    Args:
        values: uint16 (N,).

    Attributes:
        values: the values there are.
    """

    def __init__(self, values: np.ndarray):
        self._order = np.argsort(values, kind="stable")
        counts = np.bincount(values, minlength=2**_PIECE)
        self._ends = np.concatenate([[0], np.cumsum(counts)])
        self.values = np.flatnonzero(counts)

    def rows(self, values: Iterable[int]) -> np.ndarray:
        """The rows with one of some values."""
        return np.concatenate([self._order[self._ends[value] : self._ends[value + 1]] for value in values])
