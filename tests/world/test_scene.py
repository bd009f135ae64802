"""Images: annotations agree with each other, chance comes from the generator alone."""

import numpy as np
import pytest

from igdet.world.dancer import BONES, KEYPOINT_NAMES, draw_pose
from igdet.world.scene import Style, draw_image
from igdet.world.taxonomy import DANCER, NAMES

STYLE = Style(side=96, sizes=(0.4, 0.7), clutter=8)


def draw(class_ids, seed=0, style=STYLE):
    return draw_image(class_ids, style, np.random.default_rng(seed))


@pytest.mark.parametrize("class_id", range(len(NAMES)), ids=NAMES)
def test_every_class_is_drawn_and_annotated(class_id):
    image = draw([class_id])
    assert image.image.shape == (96, 96, 3) and image.image.dtype == np.uint8
    [thing] = image.things
    x0, y0, x1, y1 = thing.box
    assert thing.class_id == class_id and 0 <= x0 < x1 <= 96 and 0 <= y0 < y1 <= 96
    assert 0.1 * (x1 - x0) * (y1 - y0) < thing.area < (x1 - x0) * (y1 - y0)
    assert len(thing.keypoints) == (len(KEYPOINT_NAMES) if class_id == DANCER else 0)
    corners = np.concatenate(thing.polygons)
    assert (corners >= (x0, y0)).all() and (corners <= (x1, y1)).all()


def test_the_same_generator_gives_the_same_image():
    once, twice, other = draw([1, DANCER]), draw([1, DANCER]), draw([1, DANCER], seed=1)
    np.testing.assert_array_equal(once.image, twice.image)
    assert [thing.box for thing in once.things] == [thing.box for thing in twice.things]
    assert not np.array_equal(once.image, other.image)


def test_no_things_make_a_background():
    image = draw([])
    assert image.things == [] and image.image.std() > 1


def test_a_hidden_thing_is_not_annotated_and_a_half_hidden_one_is_cut():
    full = Style(side=64, sizes=(1.9, 2.0), clutter=0)  # every thing fills the image: nearer ones hide the first
    nearest_last = draw([NAMES.index("cactus")] + [NAMES.index("ladybug")] * 6, style=full)
    assert NAMES.index("cactus") not in [thing.class_id for thing in nearest_last.things]
    areas = sum(thing.area for thing in draw([0, 3, 5, 7, 9]).things)
    assert areas <= 96 * 96  # visible parts do not overlap


def test_keypoints_lie_in_the_box_and_say_what_is_hidden():
    alone = draw([DANCER]).things[0]
    x, y, visibility = alone.keypoints.T
    x0, y0, x1, y1 = alone.box
    assert set(visibility) == {2}
    assert ((x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)).all()
    crowd = [thing for seed in range(30) for thing in draw([DANCER, 3, 7, 9], seed).things if thing.class_id == DANCER]
    assert {v for thing in crowd for v in thing.keypoints[:, 2]} >= {1, 2}


def test_keypoints_outside_the_image_are_zero():
    huge = Style(side=64, sizes=(1.9, 2.0), clutter=0)
    keypoints = np.concatenate([thing.keypoints for seed in range(5) for thing in draw([DANCER], seed, huge).things])
    outside = keypoints[:, 2] == 0
    assert outside.any() and (keypoints[outside] == 0).all()
    assert ((keypoints[~outside, :2] >= 0) & (keypoints[~outside, :2] <= 64)).all()


def test_poses_keep_their_bones_lengths_and_sides():
    poses = [draw_pose(np.random.default_rng(seed)) for seed in range(20)]
    for a, b in BONES:
        lengths = [np.linalg.norm(pose[a] - pose[b]) for pose in poses]
        assert max(lengths) - min(lengths) < 1e-9
    assert all(pose["left_shoulder"][0] > pose["right_shoulder"][0] for pose in poses)  # seen from the front
