"""Outlines: hand-worked points."""

import numpy as np

from igdet.world.anatomy import ellipse, limb, mirrored, polygon, rotation, smooth


def test_ellipse_passes_through_the_ends_of_its_axes():
    outline = ellipse(1, 2, 3, 0.5, points=4)
    np.testing.assert_allclose(outline, [[4, 2], [1, 2.5], [-2, 2], [1, 1.5]], atol=1e-12)


def test_turning_is_clockwise_on_a_image():
    np.testing.assert_allclose(rotation(90) @ [1, 0], [0, 1], atol=1e-12)  # right goes down
    np.testing.assert_allclose(ellipse(0, 0, 2, 1, degrees=90, points=4)[0], [0, 2], atol=1e-12)


def test_smoothing_cuts_each_corner_twice_and_stays_inside():
    outline = smooth((0, 0), (4, 0), (4, 4), (0, 4))
    assert outline.shape == (16, 2)
    np.testing.assert_allclose(outline[0], [0.75 * 1 + 0.25 * 3, 0])  # first cut: (1, 0) and (3, 0), then a quarter
    assert outline.min() >= 0 and outline.max() <= 4


def test_a_limb_reaches_its_radius_beyond_both_ends():
    outline = limb(np.array([0.0, 0.0]), np.array([10.0, 0.0]), 1, 2)
    np.testing.assert_allclose([outline[:, 0].min(), outline[:, 0].max()], [-1, 12])
    np.testing.assert_allclose(np.abs(outline[:, 1]).max(), 2)


def test_mirroring_keeps_heights():
    np.testing.assert_array_equal(mirrored(polygon((1, 2), (-3, 4))), [[-1, 2], [3, 4]])
