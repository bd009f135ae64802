"""Images per label under each resampling."""

import numpy as np
import pyarrow as pa
import pytest

from igdet.curation.vocabularies.resampling import sampling_plans, sampling_table
from igdet.sampling import PHI

# Posts {0}, {0, 2}, {2}, {}, {0, 1}.
OFFSETS, IDS = np.array([0, 1, 3, 4, 4, 6]), np.array([0, 0, 2, 2, 0, 1], dtype=np.int32)


@pytest.fixture
def plans():
    return {plan.resampling: plan for plan in sampling_plans(OFFSETS, IDS, 4, 6)}


def test_uniform_images_per_label(plans):
    # Factors of the posts: 1, 1.25, 1.25, -, 2.5 (t = 0.625); label 0 in the posts 1 + 1.25 + 2.5, and so on.
    uniform = plans["uniform"]
    assert uniform.threshold == pytest.approx(0.625)
    assert uniform.epoch == pytest.approx(6)
    np.testing.assert_allclose(uniform.images, [4.75, 2.5, 2.5, 0])


def test_natural_images_are_those_of_as_many_draws(plans):
    natural = plans["natural"]
    assert natural.threshold is None
    assert natural.epoch == 4
    np.testing.assert_allclose(natural.images, [3 * 6 / 4, 1 * 6 / 4, 2 * 6 / 4, 0])


def test_square_root_stands_between(plans):
    images = [plans[name].images[1] for name in ("natural", "square_root", "uniform")]
    assert images == sorted(images)
    assert plans["square_root"].epoch == pytest.approx(6)


def test_images_agree_with_drawing_from_the_list(plans):
    posts, factors = [{0}, {0, 2}, {2}, set(), {0, 1}], plans["square_root"].factors
    replicas = [max((factors[label] for label in post), default=0) for post in posts]
    expected = [sum(r for r, post in zip(replicas, posts, strict=True) if label in post) for label in range(4)]
    np.testing.assert_allclose(plans["square_root"].images, expected)


def test_the_table_names_every_plan(plans):
    labels = pa.table({"label": list("abcd"), "name": list("abcd"), "posts": [3, 1, 2, 0], "tags": [["a"]] * 4})
    table = sampling_table(labels, list(plans.values()), num_posts=4)
    assert table.column_names[:4] == ["label", "name", "posts", "frequency"]
    assert table["frequency"].to_pylist() == [0.75, 0.25, 0.5, 0]
    assert table["images_uniform"].to_pylist() == pytest.approx([4.75, 2.5, 2.5, 0])


def test_no_posts_give_no_images():
    empty = sampling_plans(np.array([0]), np.array([], dtype=np.int32), 2, 10)
    assert [plan.images.tolist() for plan in empty] == [[0, 0]] * len(PHI)
