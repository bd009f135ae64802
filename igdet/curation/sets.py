"""The sets of posts below some folders as a table; broken and unfinished ones too."""

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from igdet.curation.shards.part import FOLDER as RECORDS
from igdet.curation.shards.place import store_of
from igdet.formats.shards.format import INDEX_NAME, SHARD_PATTERN, SUMMARY_NAME, ShardError
from igdet.formats.shards.summary import Summary, check_sizes, read_summary
from igdet.formats.vocabulary import VOCABULARY_NAME
from igdet.reporting.tables import EMPTY, Entry, Table
from igdet.utils.errors import UserError, no_such_file
from igdet.utils.messages import brief

HEADER = ["name", "images", "labels", "labels per image", "path", "date"]
BROKEN, UNFINISHED = "broken", "unfinished"


class Found(NamedTuple):
    """A folder of shards.

    Attributes:
        folder: where it lies.
        summary: None where it has none, or one that does not fit its shards.
        state: BROKEN or UNFINISHED; "" for a sound one.
        why: what is wrong.
        store: the address of the shards where a store holds them; "" where they lie in the folder.
    """

    folder: Path
    summary: Summary | None
    state: str = ""
    why: str = ""
    store: str = ""

    @property
    def place(self) -> str:
        """Where the shards lie."""
        return self.store or str(self.folder)


def table_of_sets(folders: Sequence[Path]) -> Table:
    """Return a row a set, in the order of their folders; the note says what is wrong with which.

    Args:
        folders: they and all folders below are looked into.

    Raises:
        UserError: there is no such folder.
    """
    found = [look_into(path) for folder in folders for path in find_sets(folder)]
    faults = [f"- {_cell(one.place)} is {one.state}: {brief(one.why)}" for one in found if one.state]
    return Table("", HEADER, [_row(one) for one in found], "\n".join(faults) if found else "No shards there.")


def find_sets(folder: Path) -> Iterator[Path]:
    """Return the folders of shards at and below a folder, also those whose shards are being written.

    Raises:
        UserError: there is no such folder.
    """
    if not folder.is_dir():
        raise UserError(no_such_file(folder, "a folder with sets of posts"))
    for path, folders, files in os.walk(folder):
        folders.sort()
        if _is_set(folders, files):
            folders.clear()  # what is below belongs to it
            yield Path(path)


def _is_set(folders: Sequence[str], files: Sequence[str]) -> bool:
    has_begun = VOCABULARY_NAME in files and RECORDS in folders
    return has_begun or any(name in (INDEX_NAME, SUMMARY_NAME) or fnmatchcase(name, SHARD_PATTERN) for name in files)


def look_into(folder: Path) -> Found:
    """Say what a folder of shards holds: by its summary, the sizes of its shards and the rows of its index.

    Shards that a store holds are looked at there, by one listing.
    """
    store = store_of(folder)
    root = store.root if store else ""
    try:
        stored = store.sizes() if store else {}
    except UserError as error:
        return Found(folder, None, BROKEN, str(error), root)
    return _look_into(folder, root, stored)._replace(store=root)


def _look_into(folder: Path, root: str, stored: Mapping[str, int]) -> Found:
    # A curation that makes shards again removes the index first, while the summary of the earlier ones is still there.
    has_index, has_records = (folder / INDEX_NAME).is_file(), (folder / RECORDS).is_dir()
    has_index = has_index and (not root or SUMMARY_NAME in stored)  # a store gets it after the index
    if not has_index and (has_records or not (folder / SUMMARY_NAME).is_file()):
        why = f"{INDEX_NAME} and {SUMMARY_NAME}, which are written last, are missing; run again what was writing it"
        return Found(folder, None, UNFINISHED, why)
    try:
        summary = read_summary(folder, with_shards=not root)
        if root:
            check_sizes(summary, root, stored)
        _check_index(folder / INDEX_NAME, summary)
    except UserError as error:
        return Found(folder, None, BROKEN, str(error))
    return Found(folder, summary)


def _check_index(index: Path, summary: Summary) -> None:
    """Refuse an index of another number of posts; a folder that is only streamed has none."""
    try:
        rows = pq.read_metadata(index).num_rows if index.is_file() else summary.images
    except (OSError, pa.ArrowException) as error:
        raise ShardError(f"{index} cannot be read: {brief(error)}; copy it again") from error
    if rows != summary.images:
        raise ShardError(f"{index} lists {rows:,} posts, {SUMMARY_NAME} {summary.images:,}; copy both again")


def _row(found: Found) -> list[Entry]:
    summary, folder = found.summary, Entry(_cell(found.place))
    if summary is None:
        return [Entry(found.state), *[Entry(EMPTY)] * 3, folder, Entry(EMPTY)]
    written = datetime.fromtimestamp((found.folder / SUMMARY_NAME).stat().st_mtime, timezone.utc)
    counts = [f"{summary.images:,}", f"{summary.labels:,}", f"{summary.labels_per_image:.2f}"]
    return [Entry(summary.name), *map(Entry, counts), folder, Entry(f"{written:%Y-%m-%d}")]


def _cell(path: str) -> str:
    """Return a path that does not end a cell of a Markdown table."""
    return brief(path).replace("|", r"\|")
