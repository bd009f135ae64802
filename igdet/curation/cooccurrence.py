"""Which hashtags go together with a target class: co-occurrence within posts, counted sparsely.

Shapes: N posts, M labels of posts in all, L labels, C target classes, K pairs of a class and a label.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from igdet.curation.sparse_rows import SparseRows, join_ranges
from igdet.sampling import chunks

MOST_LABELS = 60  # longer posts are lists of popular hashtags, and say nothing about what goes together
MIN_TOGETHER = 5  # posts; what fewer say is chance
MIN_NPMI = 0.1


class Neighbours(NamedTuple):
    """Pairs of a class and a label that is no hashtag of it, sorted by class, the strongest first.

    Attributes:
        targets: int64 (K,): the class.
        rows: int64 (K,): the label.
        npmi: float64 (K,): normalised pointwise mutual information, in (0, 1].
        shares: float64 (K,): share of the label's posts that carry a hashtag of the class, p(c | h).
    """

    targets: np.ndarray
    rows: np.ndarray
    npmi: np.ndarray
    shares: np.ndarray


def find_neighbours(
    offsets: np.ndarray, ids: np.ndarray, num_labels: int, class_rows: Sequence[Iterable[int]], count: int
) -> Neighbours:
    """Find the labels that go together with each class.

    Args:
        offsets: int64 (N + 1,): where each post's labels begin in `ids`.
        ids: int (M,): label ids, distinct within a post.
        num_labels: L.
        class_rows: for each class the labels that are hashtags of it.
        count: most neighbours a class, >= 0.

    Returns:
        At most `count` labels a class, those of the highest NPMI (Bouma, 2009):
        ln(p(c, h) / (p(c) p(h))) / -ln p(c, h), where p(c) is the share of posts with any hashtag of the class.
    """
    counts = _Counts(num_labels, class_rows)
    for chunk_offsets, chunk_ids in chunks(offsets, ids):
        counts.add(*_without_lists(chunk_offsets, chunk_ids))
    targets, rows = np.divmod(counts.keys, num_labels)
    expected = counts.of_class[targets] * counts.of_label[rows] / max(counts.posts, 1)
    # A pair that stands in all posts has no information, and is no neighbour.
    information = np.log(counts.posts / counts.together)
    npmi = np.log(counts.together / expected) / np.maximum(information, np.finfo(float).tiny)
    good = (npmi >= MIN_NPMI) & (counts.together >= MIN_TOGETHER) & ~np.isin(counts.keys, counts.own_keys)
    order = np.lexsort((rows, -npmi, targets))
    order = order[good[order]]
    rank = np.arange(len(order)) - np.searchsorted(targets[order], targets[order])  # within its class
    kept = order[rank < count]
    return Neighbours(targets[kept], rows[kept], npmi[kept], (counts.together / counts.of_label[rows])[kept])


class _Counts:
    """Numbers of posts: in all, with a label, with a class, with a class and a label.

    Attributes:
        posts: how many there are.
        of_label: int64 (L,).
        of_class: int64 (C,).
        keys: int64 (K,): class * L + label of the pairs that occur, ascending.
        together: int64 (K,): posts with each.
        own_keys: the keys of classes and their own hashtags.
    """

    def __init__(self, num_labels: int, class_rows: Sequence[Iterable[int]]):
        pairs = np.array([(row, c) for c, rows in enumerate(class_rows) for row in rows], dtype=np.int64).reshape(-1, 2)
        rows, classes = pairs.T
        self._classes = SparseRows(rows, classes, np.ones(len(rows)), num_labels)
        self.own_keys = classes * num_labels + rows
        self.posts = 0
        self.of_label = np.zeros(num_labels, dtype=np.int64)
        self.of_class = np.zeros(len(class_rows), dtype=np.int64)
        self.keys = self.together = np.empty(0, dtype=np.int64)

    def add(self, offsets: np.ndarray, ids: np.ndarray) -> None:
        """Count more posts."""
        lengths, num_classes = np.diff(offsets), len(self.of_class)
        self.posts += len(lengths)
        self.of_label += np.bincount(ids, minlength=len(self.of_label))
        # 1. The classes of each post, once a post
        places, classes, _ = self._classes.take(ids)
        posts = np.repeat(np.arange(len(lengths)), lengths)[places]
        posts, classes = np.divmod(np.unique(posts * num_classes + classes), max(num_classes, 1))
        self.of_class += np.bincount(classes, minlength=num_classes)
        # 2. Each of them with each label of its post
        labels = ids[join_ranges(offsets[posts], lengths[posts])]
        self._merge(np.repeat(classes, lengths[posts]) * len(self.of_label) + labels)

    def _merge(self, keys: np.ndarray) -> None:
        keys, counts = np.unique(keys, return_counts=True)
        self.keys, place = np.unique(np.concatenate([self.keys, keys]), return_inverse=True)
        weights = np.concatenate([self.together, counts])
        self.together = np.bincount(place, weights, len(self.keys)).astype(np.int64)


def _without_lists(offsets: np.ndarray, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leave out the posts of more than `MOST_LABELS` labels."""
    lengths = np.diff(offsets)
    kept = lengths <= MOST_LABELS
    return np.concatenate([[0], np.cumsum(lengths[kept])]), ids[np.repeat(kept, lengths)]
