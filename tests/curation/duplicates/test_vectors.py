"""Feature vectors of sets."""

import numpy as np
import pytest

from igdet.curation.duplicates.image_sets import open_image_set
from igdet.curation.duplicates.vectors import Fitting, describe_images


class MeanColour:
    """Describes images by their mean colour."""

    dim = 3
    stride = 8

    def __call__(self, images):
        means = np.array([image.mean(axis=(0, 1)) for image in images])
        return means / np.linalg.norm(means, axis=1, keepdims=True)


def test_vectors_follow_the_images_and_bad_ones_leave_no_row(make_folder, make_scene, scan, silent, tmp_path):
    scenes = {f"{i}.jpg": make_scene(i) for i in range(3)}
    images = open_image_set(make_folder({**scenes, "1b.jpg": b"no picture"}))
    vectors = describe_images(images, MeanColour(), 32, scan, silent, tmp_path / "vectors.npy")
    assert vectors.ids.to_pylist() == list(scenes)
    assert vectors.values.dtype == np.float16
    assert vectors.values == pytest.approx(MeanColour()([np.asarray(image) for image in scenes.values()]), abs=0.01)
    assert [skip.id for skip in vectors.skipped] == ["1b.jpg"]
    assert np.load(tmp_path / "vectors.npy", mmap_mode="r").shape == (4, 3)


@pytest.mark.parametrize(
    ("height", "width", "fitted"),
    [
        (480, 640, (160, 224)),  # 168 would keep the shape: 5.25 strides of 32
        (64, 64, (224, 224)),
        (1000, 10, (224, 32)),
        (500, 333, (224, 160)),
    ],
)
def test_images_are_fitted_to_the_stride(height, width, fitted):
    assert Fitting(224, 32)(np.zeros((height, width, 3), np.uint8)).shape == (*fitted, 3)
