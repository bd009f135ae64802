"""Label maps come back as they were written, and what would change ids in silence is refused."""

import numpy as np
import pytest
from PIL import Image

from igdet.formats.errors import RecordError
from igdet.formats.label_maps import (
    check_class_ids,
    encode_class_ids,
    encode_segment_ids,
    read_class_ids,
    read_segment_ids,
)

IDS = np.array([[0, 1, 2], [2, 255, 0]], np.uint8)


def test_class_ids_come_back(tmp_path):
    (tmp_path / "a.png").write_bytes(encode_class_ids(IDS))
    found = read_class_ids(tmp_path / "a.png")
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, IDS)


def test_of_a_palette_the_indices_count_not_the_colours(tmp_path):
    """As PASCAL VOC has them; the grey value of the colour (200, 0, 0) would be 60."""
    image = Image.fromarray(np.array([[0, 1]], np.uint8), mode="P")
    image.putpalette([0, 0, 0, 200, 0, 0])
    image.save(tmp_path / "a.png")
    assert read_class_ids(tmp_path / "a.png").tolist() == [[0, 1]]


def test_ids_of_one_bit_and_of_sixteen(tmp_path):
    Image.fromarray(np.array([[False, True]])).save(tmp_path / "bit.png")
    Image.fromarray(np.array([[3, 200]], np.uint16)).save(tmp_path / "wide.png")
    assert read_class_ids(tmp_path / "bit.png").tolist() == [[0, 1]]
    assert read_class_ids(tmp_path / "wide.png").tolist() == [[3, 200]]


BAD = {
    "missing": (lambda path: None, "a.png is not there"),
    "cut short": (lambda path: path.write_bytes(encode_class_ids(np.tile(IDS, (40, 40)))[:60]), "cannot be read"),
    "colours": (lambda path: Image.new("RGB", (3, 2)).save(path), "has the channels RGB: expected one"),
    "a JPEG": (lambda path: Image.new("L", (3, 2)).save(path, "JPEG"), "is a JPEG, whose compression may change ids"),
    "large ids": (
        lambda path: Image.fromarray(np.array([[0, 256]], np.uint16)).save(path),
        "has ids from 0 to 256: expected 0 to 255",
    ),
}


@pytest.mark.parametrize(("make", "why"), BAD.values(), ids=BAD.keys())
def test_what_may_hold_other_ids_is_refused(tmp_path, make, why):
    make(tmp_path / "a.png")
    with pytest.raises(RecordError, match=why):
        read_class_ids(tmp_path / "a.png")


def test_ids_that_are_no_class_are_named():
    check_class_ids("a.png", IDS, num_classes=3, ignore_value=255)
    with pytest.raises(RecordError, match=r"a\.png has the id 2 in 33\.3% of its pixels: expected a class, 0 to 1, or"):
        check_class_ids("a.png", IDS, num_classes=2, ignore_value=255)
    with pytest.raises(RecordError, match=r"has the id 255 in 16\.7%"):
        check_class_ids("a.png", IDS, num_classes=3, ignore_value=0)


def test_segments_are_written_as_coco_writes_them(tmp_path):
    """256^2 + 2 * 256 + 3 has blue 1, green 2, red 3."""
    ids = np.array([[0, 66051], [7, 256**3 - 1]])
    (tmp_path / "a.png").write_bytes(encode_segment_ids(ids))
    assert np.asarray(Image.open(tmp_path / "a.png"))[0, 1].tolist() == [3, 2, 1]
    np.testing.assert_array_equal(read_segment_ids(tmp_path / "a.png"), ids)


def test_segments_need_three_channels(tmp_path):
    (tmp_path / "a.png").write_bytes(encode_class_ids(IDS))
    with pytest.raises(RecordError, match="has the channels L: expected RGB"):
        read_segment_ids(tmp_path / "a.png")
