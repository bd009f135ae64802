"""Constraints on values: the edges of what they accept, and their words."""

import math

import pytest

from igdet.config import constraints


@pytest.mark.parametrize(
    ("constraint", "expected", "accepted", "refused"),
    [
        (constraints.at_least(1), "1 or more", [1, 2.5], [0, -1, math.nan, math.inf, "1", None]),
        (constraints.at_least(1, unit="pixel"), "1 pixel or more", [1], [0]),
        (constraints.above(0, note="or leave it out"), "more than 0; or leave it out", [0.1], [0, math.inf]),
        (constraints.zero_or_at_least(2), "0 for none, or 2 or more", [0, 2, 3], [1, -1]),
        (constraints.none_or_at_least(0), "a number of 0 or more, or None", [None, 0, 0.1], [-0.1, False]),
        (constraints.share(), "a share in 0..1", [0, 0.5, 1], [-0.1, 1.1]),
        (constraints.proper_share(), "a share between 0 and 1", [0.5], [0, 1]),
        (constraints.fraction_below_1(), "0 or more, below 1", [0, 0.9], [1.0, -0.1]),
        (constraints.one_of("a", "b", "c"), "a, b or c", ["a", "c"], ["", "ab", 1]),
        (constraints.some_of("a", "b"), "some of a, b", [[], ["b"], ["b", "a"]], [["c"], 1]),
        (constraints.norm(), "a norm of Detectron2's, such as FrozenBN, SyncBN or GN", ["", "GN"], ["GroupNorm"]),
        (constraints.not_empty("name"), "at least one name", [("a",)], [()]),
        (constraints.counts(), "whole numbers of 1 or more", [(), (1, 2)], [(0,), (1.5,)]),
        (constraints.some_counts("sizes"), "one or more sizes", [(1, 2)], [(), (0,)]),
        (constraints.some_above_0(), "one or more finite numbers above 0", [(1, 0.5)], [(), (0,), (math.inf,), ("1",)]),
        (constraints.range_of_factors(), "two factors, 0 < smallest <= largest", [(1, 1)], [(2, 1), (0, 1), (1,)]),
    ],
)
def test_a_constraint_accepts_what_it_says(constraint, expected, accepted, refused):
    assert constraint.expected == expected
    assert [value for value in accepted if not constraint.accepts(value)] == []
    assert [value for value in refused if constraint.accepts(value)] == []
