"""Progress of reading pictures: a line now and then, with the rate."""

import time
from collections.abc import Callable, Iterable, Iterator

from igdet.curation.duplicates.scanning import Scanned

_SECONDS = 10  # between two lines


class Progress:
    """Tells how many pictures are done.

    Args:
        say: is given each line.
    """

    def __init__(self, say: Callable[[str], None] = print):
        self._say = say

    def of(self, parts: Iterable[Scanned], name: str, total: int) -> Iterator[Scanned]:
        """Pass on what is read and say now and then, and at the end, how far it is.

        Args:
            parts: the pictures, some at a time.
            name: what is done to them.
            total: their number.
        """
        started = last = time.monotonic()
        done = skipped = 0
        for part in parts:
            yield part
            done += len(part.rows) + len(part.skipped)
            skipped += len(part.skipped)
            now = time.monotonic()
            if now - last >= _SECONDS or done == total:
                last = now
                rate = done / max(now - started, 1e-9)
                self._say(f"{name}: {done:,} of {total:,} pictures, {skipped:,} skipped, {rate:,.0f} a second")
