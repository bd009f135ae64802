"""Left and right by name, in the ways that data sets name them."""

import pytest

from igdet.formats.coco.keypoint_names import COCO_NAMES, canonical, flip_pairs, has_side, mirrored

HABITS = {
    "COCO": lambda side, part: f"{side}_{part}",
    "capitals": lambda side, part: f"{side}_{part}".upper(),
    "words": lambda side, part: f"{side} {part}".title(),
    "words backwards": lambda side, part: f"{part} ({side})",
    "side last": lambda side, part: f"{part}_{side}",
    "hyphens": lambda side, part: f"{part}-{side}",
    "joined": lambda side, part: f"{side}{part}",
    "joined, side last": lambda side, part: f"{part}{side}",
    "camel": lambda side, part: f"{side}{part.title()}",
    "capital camel": lambda side, part: f"{side.title()}{part.title()}",
    "AP-10K": lambda side, part: f"{side[0].upper()}_{part.title()}",
    "MPII": lambda side, part: f"{side[0]}_{part}",
    "letter last": lambda side, part: f"{part}_{side[0]}",
    "dotted": lambda side, part: f"{part}.{side[0].upper()}",
    "camel letter": lambda side, part: f"{side[0]}{part.title()}",
    "OpenPose": lambda side, part: f"{side[0].upper()}{part.title()}",
    "camel, letter last": lambda side, part: f"{part.title()}{side[0].upper()}",
    "joined letter": lambda side, part: f"{side[0]}{part}",
    "joined letter last": lambda side, part: f"{part}{side[0]}",
    "numbered": lambda side, part: f"{side}_{part}_2",
}


@pytest.mark.parametrize("habit", HABITS.values(), ids=HABITS)
def test_sides_are_found_however_they_are_written(habit):
    names = [habit(*name.split("_")) if "_" in name else name for name in COCO_NAMES]
    assert flip_pairs(names) == list(zip(names[1::2], names[2::2], strict=True))
    assert mirrored(names, flip_pairs(names)) == [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]


@pytest.mark.parametrize(
    "names",
    [
        ["lip", "rump", "nose_root", "tail", "ear", "neck"],
        ["lump", "rump", "lip", "chin"],  # one pair of letters may be chance
        ["bright", "cleft", "upright"],
        ["left_over", "right_now"],
        ["left_eye", "nose"],
        [],
    ],
)
def test_letters_that_are_no_sides(names):
    assert flip_pairs(names) == []
    assert mirrored(names, []) == list(range(len(names)))


def test_a_letter_is_no_side_beside_a_word():
    names = ["left_l_corner", "right_l_corner", "left_r_corner", "right_r_corner"]
    assert flip_pairs(names) == [("left_l_corner", "right_l_corner"), ("left_r_corner", "right_r_corner")]


def test_names_that_say_a_side():
    assert [name for name in ("left_over", "R_toe", "nose", "rump", "EyeL") if has_side(name)] == [
        "left_over", "R_toe", "EyeL",
    ]  # fmt: skip


def test_one_keypoint_by_many_names():
    assert len({canonical(name) for name in ("left_eye", "L_Eye", "EyeLeft", "eye (l)")}) == 1
    assert canonical("right_eye") != canonical("left_eye")
