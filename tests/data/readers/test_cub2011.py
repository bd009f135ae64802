"""Tests of CUB2011's own files."""

import pytest

from igdet.data.readers.image_lists import read_cub2011
from igdet.formats.errors import DatasetError

FILES = {
    "classes.txt": "1 001.Black_Albatross\n2 002.Laysan_Albatross\n",
    "images.txt": "1 001.Black_Albatross/B_1.jpg\n2 002.Laysan_Albatross/L_1.jpg\n3 002.Laysan_Albatross/L_2.jpg\n",
    "image_class_labels.txt": "1 1\n2 2\n3 2\n",
    "train_test_split.txt": "1 0\n2 1\n3 0\n",
    "bounding_boxes.txt": "1 60.0 27.0 325.0 304.0\n",
}


@pytest.fixture
def write(tmp_path):
    def write_files(**changed):
        for name, content in {**FILES, **{f"{key}.txt": value for key, value in changed.items()}}.items():
            (tmp_path / name).write_text(content)
        return str(tmp_path)

    return write_files


def test_the_official_parts(write, tmp_path, save_image):
    image = save_image(tmp_path / "images/002.Laysan_Albatross/L_1.jpg", 0)
    names, train = read_cub2011(write(), "train")
    _, test = read_cub2011(write(), "test")
    assert names == ["001.Black_Albatross", "002.Laysan_Albatross"]
    assert [(record["image_id"], record["gt_classes"].tolist()) for record in train] == [
        ("002.Laysan_Albatross/L_1.jpg", [1])
    ]
    assert [record["gt_classes"].tolist() for record in test] == [[0], [1]]
    assert train.read(0) == image.read_bytes()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"images": "1 a.jpg\n1 b.jpg\n"}, "images.txt: line 2 is '1 b.jpg'"),
        ({"images": "1\n"}, "images.txt: line 1 is '1'; expected 'number value'"),
        ({"train_test_split": "1 0\n2 1\n"}, "train_test_split.txt and images.txt .*: 1 differ, such as number 3"),
        ({"image_class_labels": "x 1\n2 2\n3 2\n"}, "image_class_labels.txt and images.txt .*: 2 differ"),
        ({"train_test_split": "1 0\n2 2\n3 1\n"}, r"train_test_split.txt: expected 1 \(train\) or 0 .*; found 0, 1, 2"),
        ({"train_test_split": "1 0\n2 0\n3 0\n"}, r"train_test_split.txt: .* some of both; found 0"),
        ({"image_class_labels": "1 1\n2 7\n3 2\n"}, "image 2 has the class 7, which is not in"),
    ],
)
def test_files_that_do_not_fit(write, changed, message):
    with pytest.raises(DatasetError, match=message):
        read_cub2011(write(**changed), "train")


def test_a_missing_file_and_an_unknown_part(write, tmp_path):
    with pytest.raises(DatasetError, match="SPLIT is 'val': expected train or test"):
        read_cub2011(write(), "val")
    (tmp_path / "images.txt").unlink()
    with pytest.raises(DatasetError, match=r"images.txt does not exist; ROOT must be the folder CUB_200_2011"):
        read_cub2011(str(tmp_path), "train")
