"""Tests of folder-per-class data."""

import pytest

from igdet.data.readers.image_folder import read_class_names, read_image_folder
from igdet.formats.errors import DatasetError


def test_classes_are_folders_sorted_by_name(picture_folder):
    names = read_class_names(str(picture_folder), "")
    records = read_image_folder(str(picture_folder), names)
    assert names == ["cat", "dog"]
    assert [record["image_id"] for record in records] == [
        "cat/0.jpg", "cat/1.jpg", "cat/2.png", "cat/4.jpg", "cat/more/3.JPEG", "dog/0.jpg", "dog/1.jpg", "dog/2.jpg",
    ]  # fmt: skip
    assert records.hashtag_ids.tolist() == [0] * 5 + [1] * 3
    assert records.hashtag_offsets.tolist() == list(range(9))
    assert records.read(5) == (picture_folder / "dog/0.jpg").read_bytes()


def test_a_list_chooses_and_orders_the_classes(picture_folder, tmp_path):
    (tmp_path / "keep.txt").write_text("dog\n")
    names = read_class_names(str(picture_folder), str(tmp_path / "keep.txt"))
    assert names == ["dog"]
    assert len(read_image_folder(str(picture_folder), names)) == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [("dog\nfish\n", r"1 classes without a folder .*\['fish'\]"), ("dog\ndog\n", "once"), ("", "at least one")],
)
def test_a_list_that_does_not_fit_is_refused(picture_folder, tmp_path, content, message):
    (tmp_path / "keep.txt").write_text(content)
    with pytest.raises(DatasetError, match=message):
        read_class_names(str(picture_folder), str(tmp_path / "keep.txt"))


def test_linked_class_folders_are_followed(picture_folder, tmp_path):
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked/hound").symlink_to(picture_folder / "dog")
    names = read_class_names(str(tmp_path / "linked"), "")
    assert len(read_image_folder(str(tmp_path / "linked"), names)) == 3


def test_an_empty_class_is_named(picture_folder):
    (picture_folder / "empty").mkdir()
    with pytest.raises(DatasetError, match=r"1 class folders in .* have no pictures .*: \['empty'\]; fill"):
        read_image_folder(str(picture_folder), read_class_names(str(picture_folder), ""))


def test_a_folder_without_classes_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="holds no class folders"):
        read_class_names(str(tmp_path), "")


def test_what_is_hidden_is_passed_over(picture_folder, save_picture):
    """Notebooks, file managers and version control leave such things behind."""
    for hidden in (".ipynb_checkpoints/0.jpg", "cat/.ipynb_checkpoints/0.jpg", "cat/._0.jpg"):
        save_picture(picture_folder / hidden, 0)
    names = read_class_names(str(picture_folder), "")
    assert names == ["cat", "dog"]
    assert len(read_image_folder(str(picture_folder), names)) == 8


def test_what_is_passed_over_is_counted_for_the_log(picture_folder):
    (picture_folder / "cat/5.heic").write_bytes(b"\0\0\0\x18ftypheic")
    (picture_folder / "cat/6").write_bytes((picture_folder / "cat/0.jpg").read_bytes())
    records = read_image_folder(str(picture_folder), ["cat", "dog"])
    assert len(records) == 9
    assert records.passed_over == {".heic": 1, ".txt": 1}
    assert records.note == "Passed over: 1 .heic, 1 .txt."
