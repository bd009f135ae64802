"""Tests of detection with bad pictures."""

import numpy as np
import pytest
from detectron2.data import DatasetMapper
from detectron2.data import transforms as T
from PIL import Image

from igdet.data.bad_records import MAX_REPLACEMENTS, BadRecordsError
from igdet.data.detection import CheckedMapper, check_picture_files


def make_mapper(is_train):
    return CheckedMapper(DatasetMapper(is_train, augmentations=[T.ResizeShortestEdge(32)], image_format="BGR"))


@pytest.fixture
def record(tmp_path, save_picture):
    """A picture of 50 x 40 and what stands in the annotations about it."""
    path = save_picture(tmp_path / "good.jpg", 1)
    return {"file_name": str(path), "height": 40, "width": 50, "image_id": 1}


def broken(record, path, make):
    make(path)
    return {**record, "file_name": str(path)}


BAD = {
    "empty": (lambda path: path.write_bytes(b""), "is empty"),
    "no picture": (lambda path: path.write_bytes(b"text"), "no picture"),
    "missing": (lambda path: None, "No such file"),
    "16 bits": (lambda path: Image.fromarray(np.zeros((40, 50), np.uint16)).save(path, "PNG"), "more than 8 bits"),
    "other size": (lambda path: Image.new("RGB", (40, 50)).save(path, "PNG"), "Mismatched"),
}


@pytest.mark.parametrize(("make", "why"), BAD.values(), ids=BAD.keys())
def test_a_bad_picture_is_skipped_in_training_and_reported_with_the_next(record, tmp_path, make, why):
    bad = broken(record, tmp_path / "bad.png", make)
    mapper = make_mapper(is_train=True)
    assert mapper(bad) is None
    [(name, reason)] = mapper(record)["bad_records"]
    assert name.endswith("bad.png")
    assert why in reason
    assert mapper(record)["bad_records"] == []


def test_a_picture_cut_short_is_skipped(record, tmp_path):
    data = (tmp_path / "good.jpg").read_bytes()
    bad = broken(record, tmp_path / "bad.jpg", lambda path: path.write_bytes(data[: len(data) // 2]))
    assert make_mapper(is_train=True)(bad) is None


def test_a_bad_picture_is_grey_in_evaluation(record, tmp_path):
    bad = broken(record, tmp_path / "bad.png", lambda path: path.write_bytes(b""))
    sample = make_mapper(is_train=False)({**bad, "annotations": []})
    assert sample["image"].unique().tolist() == [128]
    assert (sample["height"], sample["width"], sample["image_id"]) == (40, 50, 1)
    assert len(sample["bad_records"]) == 1
    assert "annotations" not in sample


def test_a_good_picture_is_what_detectron2_makes_of_it(record):
    expected = DatasetMapper(False, augmentations=[T.ResizeShortestEdge(32)], image_format="BGR")(record)
    sample = make_mapper(is_train=False)(record)
    np.testing.assert_array_equal(sample["image"], expected["image"])


def test_nothing_but_bad_pictures_stops(record, tmp_path):
    mapper = make_mapper(is_train=True)
    for _ in range(MAX_REPLACEMENTS - 1):
        assert mapper({**record, "file_name": str(tmp_path / "no.jpg")}) is None
    with pytest.raises(BadRecordsError, match="10 records in a row are bad"):
        mapper({**record, "file_name": str(tmp_path / "no.jpg")})


def test_missing_files_stop_before_any_work(record, tmp_path):
    missing = {**record, "file_name": str(tmp_path / "no.jpg")}
    check_picture_files("toys", [record] * 5 + [missing] * 10, max_share=0.0)
    with pytest.raises(BadRecordsError, match=r"toys: 11 of 16 picture files are missing, the first .*no\.jpg"):
        check_picture_files("toys", [record] * 5 + [missing] * 11, max_share=0.5)
    with pytest.raises(BadRecordsError, match="2 of 2"):
        check_picture_files("toys", [missing] * 2, max_share=0.5)
