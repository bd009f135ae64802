"""What a label space gives each class, post by post."""

import numpy as np
import pytest

from igdet import sampling
from igdet.curation.vocabularies.candidates import Candidate
from igdet.curation.vocabularies.label_space import measure, overlaps


def flat(posts):
    ids = [label for post in posts for label in sorted(post)]
    return np.cumsum([0, *map(len, posts)]), np.array(ids, dtype=np.int32)


POSTS = flat([{0, 1}, {0}, {1, 2}, {3}, set()])
CANDIDATES = [
    Candidate(0, 0, "exact", 0, 1.0),
    Candidate(1, 0, "neighbour", 0, 0.25),
    Candidate(1, 1, "exact", 0, 1.0),
    Candidate(2, 1, "hypernym", 1, 0.5),
]


@pytest.mark.parametrize("chunk", [1, 1000])
def test_a_post_counts_once_a_class_by_its_best_label(monkeypatch, chunk):
    monkeypatch.setattr(sampling, "CHUNK", chunk)
    found = measure([0, 1, 2], CANDIDATES, 3, *POSTS, wanted=2)
    # Class 0: posts 0 and 1 by label 0, post 2 by label 1; class 1: posts 0 and 2 by label 1; class 2 has none.
    assert found.per_class.tolist() == [2.25, 2, 0]
    assert (found.labels, found.images) == (3, 3)
    assert found.coverage == pytest.approx((1 + 1 + 0) / 3)


def test_labels_outside_the_space_count_nowhere():
    found = measure([2, 3], CANDIDATES, 3, *POSTS, wanted=2)
    assert found.per_class.tolist() == [0, 0.5, 0]
    assert (found.labels, found.images) == (2, 2)


def test_an_empty_space_covers_nothing():
    found = measure([], CANDIDATES, 2, *POSTS, wanted=2)
    assert (found.labels, found.images, found.coverage) == (0, 0, 0)
    assert measure([], [], 0, *POSTS, wanted=2).coverage == 0


def test_overlaps_are_jaccard_indices():
    shared = overlaps({"a": [0, 1, 2], "b": [2, 3], "c": []})
    assert shared["a", "b"] == shared["b", "a"] == 1 / 4
    assert shared["a", "a"] == 1
    assert shared["a", "c"] == shared["c", "c"] == 0
