"""Progress of reading images."""

from itertools import count

import pytest

from igdet.curation.duplicates import scanning
from igdet.curation.duplicates.scanning import Progress, Scanned, Skipped

PARTS = [Scanned([0, 1], [None] * 2, []), Scanned([2], [None], [Skipped("x", "empty", "")]), Scanned([4], [None], [])]


@pytest.mark.parametrize(
    ("seconds", "lines"),
    [
        (1, ["PDQ: 5 of 5 images, 1 skipped, 2 a second"]),
        (
            10,
            [f"PDQ: {done} of 5 images, {skipped} skipped, 0 a second" for done, skipped in ((2, 0), (4, 1), (5, 1))],
        ),
    ],
)
def test_a_line_comes_now_and_then_and_at_the_end(monkeypatch, seconds, lines):
    clock = count(step=seconds)
    monkeypatch.setattr(scanning.time, "monotonic", lambda: next(clock))
    said = []
    assert list(Progress(said.append).of(PARTS, "PDQ", 5)) == PARTS
    assert said == lines
