"""Lists in messages are cut to their first entries."""

import pytest

from igdet.utils.messages import first_of


@pytest.mark.parametrize(
    ("count", "text"), [(0, ""), (2, "a, a"), (3, "a, a and 1 more"), (1236, "a, a and 1,234 more")]
)
def test_the_first_are_named_and_the_rest_counted(count, text):
    assert first_of(["a"] * count, 2) == text
