"""The pace of a step: rates, the median and the stragglers."""

import pytest

pytest.importorskip("daft", reason="the extra 'curation' is not installed")

from igdet.curation import pace
from igdet.curation.engine import Done
from igdet.curation.pace import Pace, Straggler


def test_rates_and_stragglers(monkeypatch):
    clock = iter([10.0, 14.0, 14.0])  # begun, asked for the rate, ended
    monkeypatch.setattr(pace.time, "monotonic", lambda: next(clock))
    made = Pace("shards", _started=pace.time.monotonic())
    for number, seconds in enumerate([1.0, 7.0, 2.0, 3.0, 1.0, 1.0]):
        made.add(f"posts-{number}", rows=100, size=1_000_000, done=Done(None, seconds, f"host-{number % 2}"))
    assert made.rate() == "600 posts, 150/s"
    step = made.step()
    assert (step.items, step.rows, step.bytes, step.seconds, step.median, step.hosts) == (
        6,
        600,
        6_000_000,
        4.0,
        1.5,
        2,
    )
    assert step.slowest[:2] == [Straggler("posts-1", 7.0, "host-1"), Straggler("posts-3", 3.0, "host-1")]
    assert len(step.slowest) == 5
    assert str(step) == ("shards: 150 rows/s, 1.5 MB/s, 6 items of 1.5 s; slowest posts-1: 7.0 s on host-1")


def test_a_step_that_had_nothing_to_do():
    step = Pace("shards").step()
    assert (step.items, step.rows_per_second, step.slowest) == (0, 0, [])
    assert str(step) == "shards: 0 rows/s, 0.0 MB/s, 0 items of 0.0 s"
