"""Log lines without anything that a terminal would obey: names of files and classes are written by others."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

from igdet.utils.shown import printable

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # with which Detectron2 paints its tables and configs


@contextmanager
def printable_logs() -> Iterator[None]:
    """Have every record that is logged in the block, by whatever library, hold printable text only.

    The factory of records is the one place that all loggers and handlers share; filters do not reach child loggers.
    """
    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(_PrintableRecord)
    try:
        yield
    finally:
        logging.setLogRecordFactory(before)


class _PrintableRecord(logging.LogRecord):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.exc_info and self.exc_info[0]:  # what handlers would format later
            self.exc_text = printable(logging.Formatter().formatException(self.exc_info))

    def getMessage(self) -> str:
        return printable(_COLOUR.sub("", super().getMessage()))
