"""Tests of the names of parts."""

import pytest

from igdet.utils.tuning_parts import whole_of


@pytest.mark.parametrize(
    ("name", "whole"),
    [("cub2011_train_fit", "cub2011_train"), ("a_choice", "a"), ("fit", ""), ("outfit", ""), ("cub2011_train", "")],
)
def test_the_whole_of_a_part(name, whole):
    assert whole_of(name) == whole
