"""The search for near-duplicates."""

import csv

import numpy as np
import pytest
from PIL import ImageEnhance, ImageOps

from igdet.curation.duplicates.finding import find
from igdet.curation.duplicates.image_sets import DuplicatesError
from igdet.curation.duplicates.result import Request, read_found

COPIES = {
    "mirrored": ImageOps.mirror,
    "smaller": lambda image: ImageOps.scale(image, 0.5),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.2),
}


class Thumbnails:
    """Describes images by a few of their pixels."""

    stride = 8
    dim = 36  # 3 x 4 pixels of a scene fitted to 32

    def __call__(self, images):
        pixels = np.array([image[4::8, 4::8].ravel() for image in images], dtype=np.float32) - 128
        return pixels / np.linalg.norm(pixels, axis=1, keepdims=True)


@pytest.fixture
def folders(make_folder, make_scene):
    """Evaluation images 0 to 2; training images 0 to 9 and copies of 0 and 1."""
    training = {f"t{i}.jpg": make_scene(i) for i in range(3, 10)}
    training |= {f"{name} {i}.jpg": edit(make_scene(i)) for name, edit in COPIES.items() for i in range(2)}
    evaluation = make_folder({f"e{i}.jpg": make_scene(i) for i in range(3)}, "evaluation")
    return str(make_folder(training, "training")), str(evaluation)


def named(pairs):
    return set(zip(pairs["query"].to_pylist(), pairs["match"].to_pylist(), strict=True))


def test_copies_of_evaluation_images_are_found_and_nothing_else(folders, tmp_path):
    training, evaluation = folders
    found = find(Request(training, evaluation), tmp_path / "out", say=lambda line: None)
    assert named(found.pairs) == {(f"e{i}.jpg", f"{name} {i}.jpg") for name in COPIES for i in range(2)}


def test_copies_within_the_training_images_are_found_once(folders, tmp_path):
    found = find(Request(folders[0]), tmp_path / "out", say=lambda line: None)
    expected = [(f"{a} {i}.jpg", f"{b} {i}.jpg") for a in COPIES for b in COPIES if a < b for i in range(2)]
    assert sorted(map(sorted, named(found.pairs))) == sorted(map(list, expected))
    assert len(found.pairs) == 6


def test_a_search_by_features_needs_a_network(folders, tmp_path):
    with pytest.raises(DuplicatesError, match="name its weights"):
        find(Request(*folders, method="rmac"), tmp_path / "out", say=lambda line: None)


def test_neighbours_by_features_are_listed_for_every_image(folders, tmp_path):
    training, evaluation = folders
    request = Request(training, evaluation, method="rmac", neighbours=2, side=32)
    found = find(request, tmp_path / "out", Thumbnails(), say=lambda line: None)
    assert len(found.pairs) == 3 * 2
    assert {(f"e{i}.jpg", f"{name} {i}.jpg") for name in ("smaller", "brighter") for i in range(2)} <= named(
        found.pairs
    )
    within = find(
        Request(training, method="rmac", neighbours=1, side=32, min_score=0.7), tmp_path / "out", Thumbnails(), print
    )
    assert sorted(map(sorted, named(within.pairs))) == [[f"brighter {i}.jpg", f"smaller {i}.jpg"] for i in range(2)]


def test_everything_is_written_and_features_are_not_left(folders, make_folder, tmp_path):
    make_folder({"broken.jpg": b"", "odd.jpg": b"x"}, "training")
    request, out = Request(*folders, method="rmac", side=32, neighbours=1), tmp_path / "out"
    found = find(request, out, Thumbnails(), say=lambda line: None)
    assert sorted(path.name for path in out.iterdir()) == ["find.json", "pairs.parquet", "skipped.csv"]
    assert read_found(out) == (request, found.pairs)
    with (out / "skipped.csv").open(newline="") as file:
        assert [(row["id"], row["reason"]) for row in csv.DictReader(file)] == [
            ("broken.jpg", "empty"),
            ("odd.jpg", "not_an_image"),
        ]


def test_a_search_that_fails_leaves_no_list_that_seems_finished(folders, tmp_path):
    find(Request(folders[0]), tmp_path, say=lambda line: None)
    with pytest.raises(ZeroDivisionError):
        find(Request(folders[0]), tmp_path, say=lambda line: 1 / 0)
    with pytest.raises(DuplicatesError, match="finished search"):
        read_found(tmp_path)
