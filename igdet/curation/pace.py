"""How fast a step of a stage goes, and which of its items are stragglers."""

import statistics
import time
from dataclasses import dataclass, field

from igdet.curation.engine import Done

_SLOWEST = 5  # items that are named


@dataclass(frozen=True)
class Straggler:
    """An item that took longer than most.

    Attributes:
        item: its name.
        seconds: that it took.
        host: name of the machine that worked on it.
    """

    item: str
    seconds: float
    host: str


@dataclass(frozen=True)
class Step:
    """What a step came to; items that an earlier run has finished do not count.

    Attributes:
        name: of the step.
        items: slices, buckets or shards.
        rows: posts that came of them.
        bytes: of the files that came of them.
        seconds: from the beginning to the end.
        median: seconds of an item.
        hosts: number of machines at work.
        slowest: the items that took longest.
    """

    name: str
    items: int
    rows: int
    bytes: int
    seconds: float
    median: float
    hosts: int
    slowest: list[Straggler]

    def __str__(self) -> str:
        rates = f"{self.rows_per_second:,.0f} rows/s, {self.bytes_per_second / 1e6:,.1f} MB/s"
        items = f"{self.items:,} items of {self.median:.1f} s"
        slowest = "".join(f"; slowest {one.item}: {one.seconds:.1f} s on {one.host}" for one in self.slowest[:1])
        return f"{self.name}: {rates}, {items}{slowest}"

    @property
    def rows_per_second(self) -> float:
        """Posts a second, all machines together."""
        return self.rows / max(self.seconds, 1e-9)

    @property
    def bytes_per_second(self) -> float:
        """Bytes written a second, all machines together."""
        return self.bytes / max(self.seconds, 1e-9)


@dataclass
class Pace:
    """Counts the items of a step as they are finished.

    Attributes:
        name: of the step.
    """

    name: str
    _rows: int = 0
    _bytes: int = 0
    _done: list[Straggler] = field(default_factory=list)
    _started: float = field(default_factory=time.monotonic)

    def add(self, item: str, rows: int, size: int, done: Done) -> None:
        """Count an item.

        Args:
            item: its name.
            rows: posts that came of it.
            size: bytes of the files that came of it.
            done: how it was worked on.
        """
        self._rows += rows
        self._bytes += size
        self._done.append(Straggler(item, done.seconds, done.host))

    def rate(self) -> str:
        """Say how many posts have come of the items so far."""
        seconds = max(time.monotonic() - self._started, 1e-9)
        return f"{self._rows:,} posts, {self._rows / seconds:,.0f}/s"

    def step(self) -> Step:
        """Return what the step has come to by now."""
        return Step(
            self.name,
            len(self._done),
            self._rows,
            self._bytes,
            time.monotonic() - self._started,
            statistics.median(done.seconds for done in self._done) if self._done else 0.0,
            len({done.host for done in self._done}),
            sorted(self._done, key=lambda done: -done.seconds)[:_SLOWEST],
        )
