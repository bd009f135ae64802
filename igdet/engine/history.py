"""The written history of a run that is continued: what comes again is forgotten first."""

import json
from collections.abc import Callable
from pathlib import Path

from detectron2.utils.events import EventWriter

from igdet.utils.files import atomic_write, read_json_lines


def forget_metrics(path: Path, first_iter: int) -> None:
    """Leave out of a metrics.json what belongs to iterations that come again, and a line that a kill has cut short.

    Args:
        path: a file of one JSON object a line, with its "iteration"; it may be missing.
        first_iter: the iteration at which the run goes on.
    """
    if not path.is_file():
        return
    kept = [line for line in read_json_lines(path) if line["iteration"] < first_iter]
    with atomic_write(path, "w") as file:
        file.writelines(json.dumps(line, sort_keys=True) + "\n" for line in kept)


class StartedLate(EventWriter):
    """A writer that opens its files when it first writes: by then it is known where the run goes on.

    Args:
        make: makes the writer.
    """

    def __init__(self, make: Callable[[], EventWriter]):
        self._make = make
        self._writer: EventWriter | None = None

    def write(self) -> None:
        self._writer = self._writer or self._make()
        self._writer.write()

    def close(self) -> None:
        if self._writer:
            self._writer.close()
