"""Tests of lists of images, in the layout of Places365's own files."""

import pytest

from igdet.data.readers.image_lists import read_image_list
from igdet.formats.errors import DatasetError, RecordError


def test_places365(tmp_path, save_image):
    image = save_image(tmp_path / "data_256/a/airfield/00000001.jpg", 1)
    (tmp_path / "train.txt").write_text("/a/airfield/00000001.jpg 0\n/a/alley/with space.jpg 1\n\n")
    records = read_image_list(str(tmp_path / "data_256"), str(tmp_path / "train.txt"), 2)
    assert [record["image_id"] for record in records] == ["a/airfield/00000001.jpg", "a/alley/with space.jpg"]
    assert [record["gt_classes"].tolist() for record in records] == [[0], [1]]
    assert records.read(0) == image.read_bytes()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "lists no image"),
        ("a.jpg 0\nb.jpg\n", "line 2 is 'b.jpg'; expected 'path id'"),
        ("a.jpg 0\nb.jpg -1\n", "line 2"),
        ("a.jpg 2\n", "line 1, a.jpg, has the class 2, but the list of classes has 2, numbered from 0"),
        ("../a.jpg 0\n", "line 1 leads out of ROOT"),
    ],
)
def test_lines_that_are_wrong(tmp_path, content, message):
    (tmp_path / "list.txt").write_text(content)
    with pytest.raises(DatasetError, match=message):
        read_image_list(str(tmp_path), str(tmp_path / "list.txt"), 2)


def test_absolute_paths_below_root_are_its_files(tmp_path, save_image):
    image = save_image(tmp_path / "set/a/1.jpg", 1)
    (tmp_path / "list.txt").write_text(f"{image} 0\n/a/1.jpg 0\n")
    records = read_image_list(str(tmp_path / "set"), str(tmp_path / "list.txt"), 1)
    assert [records.image_id(i) for i in range(2)] == ["a/1.jpg", "a/1.jpg"]


def test_a_path_as_windows_writes_it_is_a_bad_record_with_a_hint(tmp_path, save_image):
    save_image(tmp_path / "set/a/1.jpg", 1)
    (tmp_path / "list.txt").write_text("a\\1.jpg 0\n")
    records = read_image_list(str(tmp_path / "set"), str(tmp_path / "list.txt"), 1)
    with pytest.raises(RecordError, match=r"a\\1\.jpg: does not exist under .*set; a/1\.jpg is there: write it so"):
        records.read(0)
