"""A handful of bad records and a share of them are tolerated."""

import pytest

from igdet.utils.errors import too_many


@pytest.mark.parametrize(
    ("bad", "seen", "share", "expected"),
    [
        (10, 10, 0.01, False),
        (11, 11, 0.01, True),
        (11, 1100, 0.01, False),
        (12, 1100, 0.01, True),
        (11, 20, 1.0, False),
    ],
)
def test_too_many(bad, seen, share, expected):
    assert too_many(bad, seen, share) is expected
