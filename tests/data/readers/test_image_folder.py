"""Tests of folder-per-class data."""

import pytest

from igdet.data.readers.image_folder import read_class_names, read_image_folder
from igdet.formats.errors import DatasetError


def test_classes_are_folders_sorted_by_name(folder_of_images):
    names = read_class_names(str(folder_of_images), "")
    records = read_image_folder(str(folder_of_images), names)
    assert names == ["cat", "dog"]
    assert [record["image_id"] for record in records] == [
        "cat/0.jpg", "cat/1.jpg", "cat/2.png", "cat/4.jpg", "cat/more/3.JPEG", "dog/0.jpg", "dog/1.jpg", "dog/2.jpg",
    ]  # fmt: skip
    assert records.label_ids.tolist() == [0] * 5 + [1] * 3
    assert records.label_offsets.tolist() == list(range(9))
    assert records.read(5) == (folder_of_images / "dog/0.jpg").read_bytes()


def test_a_list_chooses_and_orders_the_classes(folder_of_images, tmp_path):
    (tmp_path / "keep.txt").write_text("dog\n")
    names = read_class_names(str(folder_of_images), str(tmp_path / "keep.txt"))
    assert names == ["dog"]
    assert len(read_image_folder(str(folder_of_images), names)) == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [("dog\nfish\n", r"1 classes without a folder .*\['fish'\]"), ("dog\ndog\n", "once"), ("", "at least one")],
)
def test_a_list_that_does_not_fit_is_refused(folder_of_images, tmp_path, content, message):
    (tmp_path / "keep.txt").write_text(content)
    with pytest.raises(DatasetError, match=message):
        read_class_names(str(folder_of_images), str(tmp_path / "keep.txt"))


def test_linked_class_folders_are_followed(folder_of_images, tmp_path):
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked/hound").symlink_to(folder_of_images / "dog")
    names = read_class_names(str(tmp_path / "linked"), "")
    assert len(read_image_folder(str(tmp_path / "linked"), names)) == 3


def test_an_empty_class_is_named(folder_of_images):
    (folder_of_images / "empty").mkdir()
    with pytest.raises(DatasetError, match=r"1 class folders in .* have no images .*: \['empty'\]; fill"):
        read_image_folder(str(folder_of_images), read_class_names(str(folder_of_images), ""))


def test_a_folder_without_classes_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="holds no class folders"):
        read_class_names(str(tmp_path), "")


def test_what_is_hidden_is_passed_over(folder_of_images, save_image):
    """Notebooks, file managers and version control leave such things behind."""
    for hidden in (".ipynb_checkpoints/0.jpg", "cat/.ipynb_checkpoints/0.jpg", "cat/._0.jpg"):
        save_image(folder_of_images / hidden, 0)
    names = read_class_names(str(folder_of_images), "")
    assert names == ["cat", "dog"]
    assert len(read_image_folder(str(folder_of_images), names)) == 8


def test_what_is_passed_over_is_counted_for_the_log(folder_of_images):
    (folder_of_images / "cat/5.heic").write_bytes(b"\0\0\0\x18ftypheic")
    (folder_of_images / "cat/6").write_bytes((folder_of_images / "cat/0.jpg").read_bytes())
    records = read_image_folder(str(folder_of_images), ["cat", "dog"])
    assert len(records) == 9
    assert records.passed_over == {".heic": 1, ".txt": 1}
    assert records.note == "Passed over: 1 .heic, 1 .txt."
