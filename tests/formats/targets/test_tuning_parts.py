"""Tests of the names of parts."""

import pytest

from igdet.formats.targets.target import is_part, whole_of


@pytest.mark.parametrize(
    ("name", "whole"),
    [("cub2011_train_fit", "cub2011_train"), ("a_choice", "a"), ("fit", ""), ("outfit", ""), ("cub2011_train", "")],
)
def test_the_whole_of_a_part(name, whole):
    assert whole_of(name) == whole


def test_a_part_is_one_of_its_whole_alone():
    assert is_part("birds_fit", "birds") and is_part("birds", "birds_choice")
    assert not is_part("birds_fit", "birds_choice") and not is_part("birds", "birds")
