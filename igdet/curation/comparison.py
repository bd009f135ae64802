"""Comparing label spaces for a target task: images, coverage, what they share."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from igdet.curation.candidates import Candidate
from igdet.curation.sparse_rows import SparseRows
from igdet.sampling import chunks


class Comparison(NamedTuple):
    """A label space, measured on the posts.

    Attributes:
        labels: how many labels it has.
        images: posts that carry any of them.
        per_class: float64 (C,): images expected to show each target class; a post counts once a class, by the label
            of the highest score.
        coverage: mean over the classes of min(1, images / wanted), in [0, 1].
    """

    labels: int
    images: int
    per_class: np.ndarray
    coverage: float


def measure(
    rows: Iterable[int],
    candidates: Sequence[Candidate],
    num_targets: int,
    offsets: np.ndarray,
    ids: np.ndarray,
    wanted: int,
) -> Comparison:
    """Measure a label space.

    Args:
        rows: its labels, as rows of the table of labels.
        candidates: labels and the target classes they stand for.
        num_targets: C.
        offsets: int64 (N + 1,): where each post's labels begin in `ids`.
        ids: int (M,): rows of the table of labels, distinct within a post.
        wanted: images that are enough for a class, > 0.
    """
    chosen = np.array(sorted(set(rows)), dtype=np.int64)
    shown = _scores(candidates, chosen, int(max(ids.max(initial=-1), chosen.max(initial=-1))) + 1)
    images, per_class = 0, np.zeros(num_targets)
    for chunk_offsets, chunk_ids in chunks(offsets, ids):
        posts = np.repeat(np.arange(len(chunk_offsets) - 1), np.diff(chunk_offsets))
        images += len(np.unique(posts[np.isin(chunk_ids, chosen)]))
        places, targets, scores = shown.take(chunk_ids)
        per_class += _best_of_each_post(posts[places], targets, scores, num_targets)
    coverage = float(np.minimum(per_class / wanted, 1).mean()) if num_targets else 0.0
    return Comparison(len(chosen), images, per_class, coverage)


def overlaps(spaces: Mapping[str, Iterable[int]]) -> dict[tuple[str, str], float]:
    """Give the Jaccard index of each two label spaces: labels in both / labels in either, 0 for two empty ones."""
    sets = {name: set(rows) for name, rows in spaces.items()}
    return {
        (first, second): len(sets[first] & sets[second]) / max(len(sets[first] | sets[second]), 1)
        for first in sets
        for second in sets
    }


def _scores(candidates: Sequence[Candidate], chosen: np.ndarray, num_labels: int) -> SparseRows:
    rows = np.array([candidate.row for candidate in candidates], dtype=np.int64)
    targets = np.array([candidate.target for candidate in candidates], dtype=np.int64)
    scores = np.array([candidate.score for candidate in candidates], dtype=float)
    kept = np.isin(rows, chosen)
    return SparseRows(rows[kept], targets[kept], scores[kept], num_labels)


def _best_of_each_post(posts: np.ndarray, targets: np.ndarray, scores: np.ndarray, num_targets: int) -> np.ndarray:
    """Sum over the posts of the highest score of each class, float64 (C,)."""
    order = np.lexsort((-scores, targets, posts))
    posts, targets, scores = posts[order], targets[order], scores[order]
    first = np.ones(len(order), dtype=bool)
    first[1:] = (np.diff(posts) != 0) | (np.diff(targets) != 0)
    return np.bincount(targets[first], scores[first], num_targets)
