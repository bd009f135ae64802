"""Choosing hashtags for a target task, greedily under an image budget.

Shapes: N posts, M labels of posts in all, L labels, C target classes.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from igdet.curation.vocabularies.candidates import Candidate, SparseRows
from igdet.sampling import count_labels
from igdet.utils.errors import UserError


class LabelSpaceError(UserError):
    """A goal that cannot be set, or posts from which no label space can be chosen."""


@dataclass(frozen=True)
class Goal:
    """What a label space is to reach.

    Attributes:
        budget: most images, those with any chosen label; 0 for no limit.
        wanted: images that are enough for a class, > 0.

    Raises:
        LabelSpaceError: a number is too small.
    """

    budget: int = 0
    wanted: int = 1000

    def __post_init__(self) -> None:
        if self.budget < 0 or self.wanted < 1:
            raise LabelSpaceError(f"expected a budget >= 0 and wanted images > 0, got {self.budget} and {self.wanted}")


class Choice(NamedTuple):
    """What was decided about a label.

    Attributes:
        row: the label's row in the table.
        reason: "chosen", "over the budget" or "no gain": its classes have what they want.
        gain: what it adds, or would add, to the coverage, in [0, 1].
        images: the images that it adds, or would add, to those of the labels chosen before.
    """

    row: int
    reason: str
    gain: float
    images: int


def choose(
    candidates: Sequence[Candidate], num_targets: int, offsets: np.ndarray, ids: np.ndarray, goal: Goal
) -> list[Choice]:
    """Choose labels, the one with the largest gain an image first.

    The objective is the coverage 1/C sum over c of min(1, x(c) / wanted), where x(c) is the sum over the chosen labels
    of score(label, c) * posts(label). It is monotone and submodular, so that a label's gain can only fall: a gain
    that was computed earlier is a bound, and only the best of the bounds must be computed again (lazy greedy,
    Minoux, 1978). A label that does not fit the budget is passed over; it cannot fit later either.

    Args:
        candidates: labels and the classes they stand for.
        num_targets: C.
        offsets: int64 (N + 1,): where each post's labels begin in `ids`.
        ids: int (M,): rows of the table of labels, distinct within a post.
        goal: budget and images wanted.

    Returns:
        One choice a label that is a candidate and has posts, in the order in which they were decided.
    """
    gains = _Gains(candidates, num_targets, goal.wanted, ids)
    images = _Images(offsets, ids, gains.rows)
    choices = []
    # The heap holds upper bounds of the gain an image, negated. The best bound is computed again: if it still beats the
    # next one it is the true maximum, and the other bounds need not be looked at.
    heap = [(-gains.of(row) / gains.posts[row], row) for row in gains.rows]
    heapq.heapify(heap)
    while heap:
        _, row = heapq.heappop(heap)
        gain = gains.of(row)
        rank = -gain / gains.posts[row]
        if heap and (rank, row) > heap[0]:  # the bound was loose: another one may be better
            heapq.heappush(heap, (rank, row))
            continue
        new = images.new(row)
        fits = not goal.budget or images.taken + new <= goal.budget
        reason = "no gain" if not gain else "chosen" if fits else "over the budget"
        if reason == "chosen":
            gains.take(row)
            images.take(row)
        choices.append(Choice(row, reason, gain, new))
    return choices


class _Gains:
    """The coverage, and what a label would add to it.

    Attributes:
        rows: the labels that are candidates and have posts.
        posts: int64 (L,).
    """

    def __init__(self, candidates: Sequence[Candidate], num_targets: int, wanted: int, ids: np.ndarray):
        rows = np.array([candidate.row for candidate in candidates], dtype=np.int64)
        self.posts = count_labels(ids, int(rows.max(initial=-1)) + 1)
        self.rows = np.unique(rows[self.posts[rows] > 0]).tolist()
        targets = np.array([candidate.target for candidate in candidates], dtype=np.int64)
        images = np.array([candidate.score for candidate in candidates]) * self.posts[rows]
        self._shown = SparseRows(rows, targets, images / wanted, len(self.posts))
        self._lacking = np.ones(num_targets)  # 1 - x(c) / wanted, at least 0

    def of(self, row: int) -> float:
        targets, shares = self._shown.row(row)
        return float(np.minimum(shares, self._lacking[targets]).sum()) / len(self._lacking)

    def take(self, row: int) -> None:
        targets, shares = self._shown.row(row)
        self._lacking[targets] = np.maximum(self._lacking[targets] - shares, 0)


class _Images:
    """The posts that carry any of the labels taken.

    Attributes:
        taken: how many they are.
    """

    def __init__(self, offsets: np.ndarray, ids: np.ndarray, rows: Sequence[int]):
        # The posts of each candidate, in one array: a label's place in `ids` is turned into its post
        # by a search in the offsets.
        places = np.flatnonzero(np.isin(ids, rows))
        places = places[np.argsort(ids[places], kind="stable")]
        labels = ids[places]
        self._posts = np.searchsorted(offsets, places, side="right") - 1
        self._starts = dict(zip(rows, np.searchsorted(labels, rows), strict=True))
        self._ends = dict(zip(rows, np.searchsorted(labels, rows, side="right"), strict=True))
        self._is_taken = np.zeros(len(offsets) - 1, dtype=bool)
        self.taken = 0

    def new(self, row: int) -> int:
        return int(np.count_nonzero(~self._is_taken[self._posts_of(row)]))

    def take(self, row: int) -> None:
        self.taken += self.new(row)
        self._is_taken[self._posts_of(row)] = True

    def _posts_of(self, row: int) -> np.ndarray:
        return self._posts[self._starts[row] : self._ends[row]]
