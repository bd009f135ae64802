"""Tests of the list of the largest classes, in the layout of an ImageNet release: a folder a synset."""

import pytest

from igdet.data.readers.image_folder import largest_classes
from igdet.formats.errors import DatasetError


@pytest.fixture
def release(tmp_path):
    for name, count in (("n1", 1), ("n2", 4), ("n3", 2), ("n4", 2), ("n5", 3)):
        (tmp_path / name).mkdir()
        for i in range(count):
            (tmp_path / name / f"{name}_{i}.JPEG").touch()
    (tmp_path / "n3/notes.txt").touch()
    for name in ("n0", ".cache"):  # without images, and none of the set's
        (tmp_path / name).mkdir()
    (tmp_path / ".cache/1.JPEG").touch()
    return str(tmp_path)


@pytest.mark.parametrize(
    ("count", "first", "chosen"),
    [
        (2, [], ["n2", "n5"]),
        (3, [], ["n2", "n3", "n5"]),  # n3 and n4 have as many: the name decides
        (3, ["n1", "n9"], ["n1", "n2", "n5"]),  # n9 has no folder
        (1, ["n1"], ["n1"]),
        (1, ["n0"], ["n2"]),
        (5, ["n1"], ["n1", "n2", "n3", "n4", "n5"]),
    ],
)
def test_the_wanted_ones_then_the_largest(release, count, first, chosen):
    assert largest_classes(release, count, first) == chosen


@pytest.mark.parametrize(("count", "first"), [(6, []), (1, ["n1", "n2"]), (0, [])])
def test_more_or_fewer_than_there_are(release, count, first):
    with pytest.raises(DatasetError, match=f"{count} classes are wanted of the [56]"):
        largest_classes(release, count, first)


def test_classes_wanted_in_any_case_are_said_to_count(release):
    message = "expected 2 to 5; .*; those of --first are wanted in any case: --first '' drops them"
    with pytest.raises(DatasetError, match=message):
        largest_classes(release, 1, ["n1", "n2"])
    with pytest.raises(DatasetError, match=r"folders without images do not count$"):
        largest_classes(release, 6)


def test_a_count_that_cannot_be_is_refused_before_images_are_counted(release, monkeypatch):
    monkeypatch.setattr("igdet.data.readers.image_folder.list_images", lambda *_: pytest.fail("counted"))
    with pytest.raises(DatasetError, match="7 classes are wanted of the 6"):
        largest_classes(release, 7)
