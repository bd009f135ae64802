"""The greedy choice under a budget, by hand and against one that is not lazy."""

import numpy as np
import pytest

from igdet.curation.vocabularies.candidates import Candidate
from igdet.curation.vocabularies.greedy_choice import Choice, Goal, LabelSpaceError, choose


def flat(posts):
    ids = [label for post in posts for label in sorted(post)]
    return np.cumsum([0, *map(len, posts)]), np.array(ids, dtype=np.int32)


def exact(row, target, score=1.0):
    return Candidate(row, target, "exact", 0, score)


def test_the_best_gain_an_image_comes_first():
    # Label 0: 4 images, all of class 0, which wants 4. Label 1: 2 images, half of them of class 1.
    posts = flat([{0}] * 4 + [{1}] * 2)
    choices = choose([exact(0, 0), exact(1, 1, 0.5)], 2, *posts, Goal(wanted=4))
    assert choices == [Choice(0, "chosen", 0.5, 4), Choice(1, "chosen", 0.125, 2)]


def test_a_class_that_has_what_it_wants_asks_for_no_more():
    posts = flat([{0}] * 4 + [{1}] * 4)
    choices = choose([exact(0, 0), exact(1, 0, 0.5)], 1, *posts, Goal(wanted=4))
    assert [(choice.row, choice.reason, choice.gain) for choice in choices] == [(0, "chosen", 1.0), (1, "no gain", 0.0)]


def test_shared_images_are_counted_once():
    posts = flat([{0, 1}] * 3 + [{1}])
    choices = choose([exact(0, 0), exact(1, 1, 0.5)], 2, *posts, Goal(wanted=10))
    assert [choice.images for choice in choices] == [3, 1]


def test_what_does_not_fit_the_budget_is_passed_over():
    posts = flat([{0}] * 3 + [{1}] * 3 + [{2}])
    candidates = [exact(0, 0), exact(1, 1, 0.9), exact(2, 2, 0.5)]
    choices = choose(candidates, 3, *posts, Goal(budget=4, wanted=10))
    assert [(choice.row, choice.reason) for choice in choices] == [
        (0, "chosen"),
        (1, "over the budget"),
        (2, "chosen"),
    ]


def test_a_label_may_serve_several_classes():
    choices = choose([exact(0, 0), exact(0, 1), exact(1, 0)], 2, *flat([{0}] * 2 + [{1}]), Goal(wanted=2))
    assert choices == [Choice(0, "chosen", 1.0, 2), Choice(1, "no gain", 0.0, 1)]


def test_labels_without_posts_are_no_candidates():
    assert choose([exact(5, 0)], 1, *flat([{0}]), Goal()) == []
    assert choose([], 3, *flat([{0}]), Goal()) == []


@pytest.mark.parametrize("goal", [{"budget": -1}, {"wanted": 0}])
def test_goals_that_cannot_be_set(goal):
    with pytest.raises(LabelSpaceError, match="budget >= 0 and wanted images > 0"):
        Goal(**goal)


def plain_greedy(candidates, num_targets, posts, goal):
    """Every gain computed again at each step."""
    counts = {row: sum(row in post for post in posts) for row, *_ in candidates}
    shown, covered, left, order = np.zeros(num_targets), set(), {row for row in counts if counts[row]}, []

    def gain(row):
        added = shown.copy()
        for candidate in candidates:
            if candidate.row == row:
                added[candidate.target] += candidate.score * counts[row]
        return (np.minimum(added / goal.wanted, 1) - np.minimum(shown / goal.wanted, 1)).mean(), added

    while left:
        best = max(left, key=lambda row: (gain(row)[0] / counts[row], -row))
        left.remove(best)
        now = covered | {number for number, post in enumerate(posts) if best in post}
        if gain(best)[0] > 1e-12 and len(now) <= goal.budget:
            shown, covered = gain(best)[1], now
            order.append(best)
    return order


@pytest.mark.parametrize("seed", range(5))
def test_lazy_and_plain_choose_alike(seed):
    rng = np.random.default_rng(seed)
    posts = [set(np.minimum(rng.zipf(1.5, rng.integers(1, 4)), 15) - 1) for _ in range(150)]
    candidates = [exact(row, target, rng.random()) for row in range(15) for target in rng.choice(6, 3, replace=False)]
    goal = Goal(budget=90, wanted=25)
    choices = choose(candidates, 6, *flat(posts), goal)
    chosen = [choice for choice in choices if choice.reason == "chosen"]
    assert [choice.row for choice in chosen] == plain_greedy(candidates, 6, posts, goal)
    assert sum(choice.images for choice in chosen) == sum(
        not post.isdisjoint(choice.row for choice in chosen) for post in posts
    )
