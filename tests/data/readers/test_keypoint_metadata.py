"""Keypoints of categories, as Detectron2 wants to know them."""

import pytest

from igdet.data.readers.coco import keypoint_metadata
from igdet.formats.coco.reading import CocoJsonError
from igdet.formats.errors import DatasetError

PERSON = {"id": 7, "keypoints": ["nose", "left_hand", "right_hand", "left_over"], "skeleton": [[1, 2], [1, 3]]}


def test_pairs_and_edges_by_name():
    metadata = keypoint_metadata([{"id": 3}, PERSON], "toys.json")
    assert metadata["keypoint_names"] == PERSON["keypoints"]
    assert metadata["keypoint_flip_map"] == [("left_hand", "right_hand")]
    edges = [rule[:2] for rule in metadata["keypoint_connection_rules"]]
    assert edges == [("nose", "left_hand"), ("nose", "right_hand")]


@pytest.mark.parametrize("categories", [[], [{"id": 3}], [{"id": 3, "keypoints": None}]])
def test_without_keypoints_there_is_no_metadata_of_them(categories):
    assert keypoint_metadata(categories, "toys.json") == {}


def test_a_skeleton_may_be_null():
    assert keypoint_metadata([PERSON | {"skeleton": None}], "toys.json")["keypoint_connection_rules"] == []


@pytest.mark.parametrize("skeleton", [[[0, 3]], [[1, 5]], [[1]], [1, 2], 3])
def test_a_skeleton_between_other_keypoints_is_named(skeleton):
    with pytest.raises(
        DatasetError, match=r"toys\.json: the skeleton .* is no list of pairs of keypoints, counted from 1"
    ):
        keypoint_metadata([PERSON | {"skeleton": skeleton}], "toys.json")


def test_two_kinds_of_keypoints_are_named():
    with pytest.raises(CocoJsonError, match=r"toys\.json: its categories have different keypoints"):
        keypoint_metadata([PERSON, {"id": 8, "keypoints": ["nose"]}], "toys.json")


@pytest.mark.parametrize("names", [3, "nose", [1, 2]])
def test_what_are_no_names_is_named(names):
    with pytest.raises(CocoJsonError, match=r"toys\.json: category 7 has the keypoints .*; expected a list of names"):
        keypoint_metadata([{"id": 7, "keypoints": names}], "toys.json")
