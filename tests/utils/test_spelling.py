"""Hints at what was meant: the closest name, or nothing."""

from igdet.utils.messages import did_you_mean


def test_the_closest_name_is_proposed():
    assert did_you_mean("BASE_RL", ["BASE_LR", "MAX_ITER"]) == "; did you mean 'BASE_LR'?"


def test_nothing_is_proposed_where_nothing_is_close():
    assert did_you_mean("x", ["BASE_LR"]) == did_you_mean("x", []) == ""
