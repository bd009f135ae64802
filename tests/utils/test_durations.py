"""Durations in words."""

import pytest

from igdet.utils.messages import clock


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (725, "12:05"), (11525, "3:12:05")])
def test_clock(seconds, text):
    assert clock(seconds) == text
