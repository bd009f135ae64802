"""How long cells take: measured where one of their kind is finished, else as the suite expects."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from statistics import median

from igdet.benchmark.cells import Cell


class Timing:
    """Durations of a matrix's cells, in seconds.

    Args:
        cells: the whole matrix.
    """

    def __init__(self, cells: Sequence[Cell]) -> None:
        self._dependants = defaultdict(list)
        self._measured = defaultdict(list)
        for cell in cells:
            for need in cell.needs:
                self._dependants[need.name].append(cell)
            if cell.state == "finished" and "seconds" in cell.record:
                self.learn(cell, cell.record["seconds"])

    def learn(self, cell: Cell, seconds: float) -> None:
        """Take note of a finished cell's duration."""
        self._measured[cell.kind].append((seconds, cell.minutes * 60))

    def seconds(self, cell: Cell) -> float:
        """The expected duration: the median of its kind, else the suite's guess at this machine's speed."""
        if cell.kind in self._measured:
            return median(measured for measured, _ in self._measured[cell.kind])
        return cell.minutes * 60 * self._slowness()

    def chain(self, cell: Cell) -> float:
        """The cell's duration with the longest chain that waits for it: the longest of all is started first."""
        return self.seconds(cell) + max(map(self.chain, self._dependants[cell.name]), default=0.0)

    def remaining(self, waiting: Collection[Cell], running: Collection[tuple[Cell, float]], jobs: int) -> float:
        """Expected seconds until all is done.

        Args:
            waiting: cells not yet started.
            running: running cells with the seconds they have taken.
            jobs: processes at a time.
        """
        left = [max(0.0, self.seconds(cell) - taken) for cell, taken in running]
        work = sum(left) + sum(map(self.seconds, waiting))
        longest = max([*left, *map(self.chain, waiting)], default=0.0)
        return max(work / jobs, longest)

    def _slowness(self) -> float:
        """Measured over expected duration on this machine."""
        return median([seconds / guess for pairs in self._measured.values() for seconds, guess in pairs] or [1.0])
