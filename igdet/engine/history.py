"""The written history of a run that is continued: what comes again is forgotten first."""

import json
import os
from collections.abc import Callable
from pathlib import Path

from detectron2.utils.events import EventWriter, TensorboardXWriter


def forget_metrics(path: Path, first_iter: int) -> None:
    """Cut a metrics.json off where the first iteration stands that comes again; lines of a broken write go with it.

    Args:
        path: a file of one JSON object a line, in order of their "iteration"; it may be missing.
        first_iter: the iteration at which the run goes on.
    """
    if not path.is_file():
        return
    kept = 0
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n") or json.loads(line)["iteration"] >= first_iter:
                break
            kept += len(line)
    os.truncate(path, kept)


class ContinuedTensorboard(EventWriter):
    """Detectron2's TensorBoard writer, which tells TensorBoard to forget what an earlier process wrote too much.

    Args:
        folder: of the event files.
        first_iter: gives the iteration at which the run goes on, once that is known.
    """

    def __init__(self, folder: str, first_iter: Callable[[], int]):
        self._folder = folder
        self._first_iter = first_iter
        self._writer: TensorboardXWriter | None = None

    def write(self) -> None:
        self._writer = self._writer or TensorboardXWriter(self._folder, purge_step=self._first_iter() or None)
        self._writer.write()

    def close(self) -> None:
        if self._writer:
            self._writer.close()
