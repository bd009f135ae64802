"""Tables as CSV."""

import csv
from collections.abc import Iterable
from os import PathLike

from igdet.utils.files import atomic_write


def write_csv(path: str | PathLike, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a table with a line of column names, atomically."""
    with atomic_write(path, "w") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
