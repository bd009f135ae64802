"""Tests of the sets that evaluate ImageNet classifiers."""

import pytest

from igdet.data.readers.image_folder import read_evaluation_folder, read_real
from igdet.formats.errors import DatasetError


@pytest.fixture
def classes(tmp_path):
    path = tmp_path / "classes.txt"
    path.write_text("".join(f"n{i}\n" for i in range(12)))
    return str(path)


def test_folders_of_some_classes(tmp_path, save_image, classes):
    for name in ("n7", "n2"):
        save_image(tmp_path / "a" / name / "x.jpg", 0)
    names, answers, records = read_evaluation_folder(str(tmp_path / "a"), classes)
    assert (len(names), answers) == (12, [2, 7])
    assert [(record["image_id"], record["gt_classes"].tolist()) for record in records] == [
        ("n2/x.jpg", [2]),
        ("n7/x.jpg", [7]),
    ]


def test_folders_named_by_id(tmp_path, save_image, classes):
    """Sorted as text, as ImageNet-V2's are when a plain folder reader takes them, 10 would come before 2."""
    for name in ("10", "2", "0"):
        save_image(tmp_path / "v2" / name / f"{name}.jpg", 0)
    _, answers, records = read_evaluation_folder(str(tmp_path / "v2"), classes)
    assert answers == [0, 2, 10]
    assert [record["gt_classes"].tolist() for record in records] == [[0], [2], [10]]


def test_other_folders_are_named(tmp_path, save_image, classes):
    save_image(tmp_path / "a/n99/x.jpg", 0)
    with pytest.raises(DatasetError, match=r"1 folders that are no class of .*: \['n99'\]"):
        read_evaluation_folder(str(tmp_path / "a"), classes)


@pytest.mark.parametrize("folder", ["", "n01440764/"])
def test_real_labels(tmp_path, save_image, folder):
    for number in (1, 2, 3):
        save_image(tmp_path / f"{folder}ILSVRC2012_val_{number:08d}.jpeg", number)
    records = read_real(str(tmp_path), [[5], [], [970, 795]])
    assert [record["gt_classes"].tolist() for record in records] == [[5], [970, 795]]
    assert records.image_id(1) == f"{folder}ILSVRC2012_val_00000003.jpeg"
    assert records.note == "1 images without a ReaL label are left out."


def test_no_image_with_a_real_label(tmp_path, save_image):
    with pytest.raises(DatasetError, match="holds none of ImageNet's validation images"):
        read_real(str(tmp_path), [[5]])
    save_image(tmp_path / "cat.jpg", 0)
    with pytest.raises(ValueError, match=r"cat.jpg: ReaL labels are for ImageNet's"):
        read_real(str(tmp_path), [[5]])
