"""Co-occurrence against hand-worked values and a count over sets."""

import math

import numpy as np
import pytest

from igdet import sampling
from igdet.curation.vocabularies import candidates
from igdet.curation.vocabularies.candidates import find_neighbours


def flat(posts):
    ids = [label for post in posts for label in sorted(post)]
    return np.cumsum([0, *map(len, posts)]), np.array(ids, dtype=np.int32)


def test_a_hand_worked_score():
    # Ten posts: label 0 in six of them, five of those with label 1, which is nowhere else.
    found = find_neighbours(*flat([{0, 1}] * 5 + [{0}] + [{2}] * 4), 3, [[0]], 5)
    assert (found.targets.tolist(), found.rows.tolist()) == ([0], [1])
    assert found.npmi[0] == pytest.approx(math.log(0.5 / (0.6 * 0.5)) / -math.log(0.5))
    assert found.shares.tolist() == [1]


def test_a_post_with_two_hashtags_of_a_class_counts_once():
    found = find_neighbours(*flat([{0, 1, 2}] * 5 + [{2}] * 5 + [{3}] * 10), 4, [[0, 1]], 5)
    assert found.rows.tolist() == [2]
    assert found.shares.tolist() == [0.5]
    assert found.npmi[0] == pytest.approx(math.log(0.25 / (0.25 * 0.5)) / -math.log(0.25))


@pytest.mark.parametrize("posts", [[{0, 1}] * 4 + [{2}] * 9, [{0, 1}] * 9], ids=["too few", "in all posts"])
def test_what_says_nothing_is_left_out(posts):
    assert len(find_neighbours(*flat(posts), 3, [[0]], 5).rows) == 0


def test_lists_of_popular_hashtags_are_left_out():
    spam = set(range(candidates.MOST_LABELS + 1))
    found = find_neighbours(*flat([spam] * 20 + [{0, 1}] * 5 + [{99}] * 10), 100, [[0]], 50)
    assert found.rows.tolist() == [1]


def test_classes_without_hashtags_and_posts_without_labels():
    assert len(find_neighbours(*flat([{0, 1}] * 9 + [{2}] * 9), 3, [[], []], 5).rows) == 0
    assert len(find_neighbours(np.array([0]), np.array([], dtype=np.int32), 3, [[0]], 5).rows) == 0
    assert len(find_neighbours(np.array([0]), np.array([], dtype=np.int32), 3, [], 5).rows) == 0


@pytest.mark.parametrize("chunk", [7, 10_000])
def test_against_a_count_over_sets(monkeypatch, chunk):
    monkeypatch.setattr(sampling, "CHUNK", chunk)
    rng = np.random.default_rng(1)
    posts = [set(np.minimum(rng.zipf(1.4, rng.integers(0, 7)), 20) - 1) for _ in range(600)]
    classes = [[3, 4], [5], [2, 5, 9]]
    found = find_neighbours(*flat(posts), 20, classes, 4)
    expected = []
    for target, own in enumerate(classes):
        scores = {}
        for label in set(range(20)) - set(own):
            together = sum(label in post and not post.isdisjoint(own) for post in posts)
            of_class = sum(not post.isdisjoint(own) for post in posts)
            of_label = sum(label in post for post in posts)
            if together >= candidates.MIN_TOGETHER:
                pmi = math.log(together * len(posts) / (of_class * of_label))
                scores[label] = (pmi / -math.log(together / len(posts)), together / of_label)
        best = sorted((label for label in scores if scores[label][0] >= 0.1), key=lambda label: -scores[label][0])[:4]
        expected += [(target, label, *scores[label]) for label in best]
    assert len(expected) > 5
    assert [tuple(values) for values in zip(*found, strict=True)] == [pytest.approx(values) for values in expected]
