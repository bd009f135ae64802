"""Held-out parts and k-shot draws: by class, seeded, apart and nested."""

import numpy as np
import pytest

from igdet.evaluation.probing.splits import draw_shots, hold_out

LABELS = np.repeat([0, 1, 2, 7], [20, 10, 3, 1])


def counts(rows):
    return np.bincount(LABELS[rows], minlength=8)[[0, 1, 2, 7]].tolist()


def test_each_class_gives_its_share_and_a_class_of_one_nothing():
    fit_on, held = hold_out(LABELS, 0.2, seed=0)
    assert counts(held) == [4, 2, 1, 0]
    assert sorted([*fit_on, *held]) == list(range(len(LABELS)))


def test_the_seed_decides_on_the_split():
    first, again, other = (hold_out(LABELS, 0.2, seed)[1].tolist() for seed in (0, 0, 1))
    assert first == again != other


def test_classes_of_one_image_cannot_be_held_out():
    with pytest.raises(ValueError, match="every class has only one"):
        hold_out(np.arange(5), 0.5, seed=0)


def test_shots_are_nested_and_apart_from_those_that_choose():
    labels = LABELS[:30]
    draws = {k: draw_shots(labels, k, seed=3) for k in (1, 2, 5)}
    assert [len(fit_on) for fit_on, _ in draws.values()] == [2, 4, 10]
    assert [len(choose_by) for _, choose_by in draws.values()] == [2, 4, 8]
    assert set(draws[1][0]) < set(draws[2][0]) < set(draws[5][0])
    assert all(not set(fit_on) & set(choose_by) for fit_on, choose_by in draws.values())


def test_a_class_with_too_few_images_is_named():
    with pytest.raises(ValueError, match="2 shots: class 2 has 3 images, expected at least 2 to fit on and 2 to"):
        draw_shots(LABELS[:33], 2, seed=0)
