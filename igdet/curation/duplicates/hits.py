"""What a search finds: rows of queries, rows of what was searched, and how alike the two are."""

from typing import NamedTuple

import numpy as np


class Hits(NamedTuple):
    """M pairs of rows.

    Attributes:
        queries: int64 (M,): rows of the pictures that were searched for.
        matches: int64 (M,): rows of the pictures that were found.
        scores: float32 (M,): at most 1, which is equality.
    """

    queries: np.ndarray
    matches: np.ndarray
    scores: np.ndarray

    def where(self, chosen: np.ndarray) -> "Hits":
        """Keep the pairs for which `chosen`, bool (M,), is true."""
        return Hits(*(column[chosen] for column in self))

    def within(self) -> "Hits":
        """Of pairs within one set keep each once, the smaller row as the query, and none of a picture with itself."""
        lower, higher = np.minimum(self.queries, self.matches), np.maximum(self.queries, self.matches)
        return Hits(lower, higher, self.scores).where(lower < higher).best()

    def best(self) -> "Hits":
        """Keep of each pair of rows the highest score."""
        order = np.lexsort((-self.scores, self.matches, self.queries))
        ordered = self.where(order)
        is_first = np.ones(len(order), dtype=bool)
        is_first[1:] = np.diff(ordered.queries).astype(bool) | np.diff(ordered.matches).astype(bool)
        return ordered.where(is_first)


def join(parts: list[Hits]) -> Hits:
    """Put pairs of several searches together."""
    empty = Hits(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
    return Hits(*(np.concatenate(columns) for columns in zip(empty, *parts, strict=True)))
