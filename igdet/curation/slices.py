"""Work on much input a slice at a time: a killed run goes on with its slice; counts that travel with rows."""

import json
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from tqdm import tqdm

from igdet.curation import engine
from igdet.curation.pace import Pace, Step
from igdet.utils.errors import UserError
from igdet.utils.files import atomic_folder, atomic_write, link_or_copy

PLAN_NAME = "plan.json"  # of what, and in which slices, the parts of a folder are being made
_PART = "part-{:05d}"
_UNKNOWN_BYTES = 64 * 2**20  # taken for the size of a file when nobody says it


def counts_type(**keys: pa.DataType) -> pa.ListType:
    """Return the type of a column of counts: list<struct<*keys, posts: int64>>."""
    return pa.list_(pa.struct([*keys.items(), ("posts", pa.int64())]))


def in_first_row(counts: pa.Table, rows: int, kind: pa.ListType) -> pa.ListArray:
    """Put a batch's counts into its first row.

    Args:
        counts: with the fields of the type as columns.
        rows: of the batch; without any, the counts are lost, as there is nothing to count.
        kind: see `counts_type`.

    Returns:
        `kind` (rows,): the counts, then null.
    """
    fields = [counts[field.name].combine_chunks().cast(field.type) for field in kind.value_type]
    structs = pa.StructArray.from_arrays(fields, fields=list(kind.value_type))
    offsets = np.full(rows + 1, len(structs) if rows else 0, np.int32)
    offsets[0] = 0
    return pa.ListArray.from_arrays(pa.array(offsets), structs, mask=pa.array(np.arange(rows) > 0))


def slices(sizes: dict[str, int], slice_bytes: int) -> list[list[str]]:
    """Cut a list of files into slices.

    Args:
        sizes: path -> bytes, 0 for unknown, in the order of work.
        slice_bytes: a slice is full when it has so many.

    Returns:
        The paths of each slice, at least one.
    """
    found: list[list[str]] = []
    room = 0
    for path, size in sizes.items():
        if room <= 0:
            found.append([])
            room = slice_bytes
        found[-1].append(path)
        room -= size or _UNKNOWN_BYTES
    return found


class Parts(NamedTuple):
    """Finished parts: their folders, in order, and how fast the missing ones were made."""

    folders: list[Path]
    step: Step

    @property
    def files(self) -> list[Path]:
        """Their Parquet files, in order."""
        return parquet_files(self.folders)


def make_parts(
    folder: Path,
    fingerprint: str,
    wanted: Sequence[Sequence[str]],
    make: Callable[[Sequence[str], Path], None],
    name: str,
    carried: Sequence[Path] = (),
    processes: int = 1,
) -> Parts:
    """Make a part of each slice, as work of the engine; parts that an earlier run has finished are kept.

    Args:
        folder: of the parts; what was made there of something else is removed.
        fingerprint: a hash of all that the parts depend on.
        wanted: the slices; an unfinished run's own are taken instead.
        make: writes the Parquet files of a slice into an empty folder; can be pickled.
        name: of the work, for the progress bar.
        carried: parts of an earlier curation, which stand for the first slices.
        processes: of this machine; see `engine.map_in_order`.

    Raises:
        OSError: the disk is full or not writable; finished parts are kept.
    """
    plan = _resume(folder, fingerprint, wanted, carried)
    parts = [(folder / _PART.format(number), inputs) for number, inputs in enumerate(plan)]
    missing = [(part, inputs) for part, inputs in parts if not part.exists()]
    pace = Pace(name)
    with tqdm(total=len(plan), initial=len(plan) - len(missing), desc=name, unit="slice") as bar:
        made = engine.map_in_order(partial(_make_part, make), missing, processes)
        for (part, _), done in zip(missing, made, strict=True):
            files = list(part.rglob("*.parquet"))
            pace.add(part.name, engine.count_rows(files), sum(file.stat().st_size for file in files), done)
            bar.update()
            bar.set_postfix_str(pace.rate())
    return Parts([part for part, _ in parts], pace.step())


def carry_parts(source: Path, folder: Path, fingerprint: str) -> None:
    """Let all parts of an earlier curation be in a folder too.

    Args:
        source: their folder.
        folder: what was made there of something else is removed.
        fingerprint: as for `make_parts`.

    Raises:
        OSError: the disk is full or not writable; the next run begins anew.
    """
    _resume(folder, fingerprint, planned(source), part_folders(source))


def planned(folder: Path) -> list[list[str]]:
    """Return the slices that the parts of a folder are made of.

    Raises:
        UserError: nothing says so, or some are missing.
    """
    found = _read_plan(folder / PLAN_NAME).get("slices", [])
    if len(found) != len(part_folders(folder)):
        raise UserError(
            f"{folder} has {len(part_folders(folder))} parts, but {PLAN_NAME} in it speaks of {len(found)}: run the "
            "curation there to its end"
        )
    return found


def part_folders(folder: Path) -> list[Path]:
    """Return the folders of finished parts, in order."""
    return sorted(folder.glob("part-*"))


def parquet_files(folders: Sequence[Path]) -> list[Path]:
    """Return the Parquet files in folders, those of a folder by their paths."""
    return [file for folder in folders for file in sorted(folder.rglob("*.parquet"))]


def parts_of(folder: Path) -> list[Path]:
    """Find the Parquet files of finished parts, in order."""
    return parquet_files(part_folders(folder))


def files_by_part(folder: Path) -> list[list[str]]:
    """Return the files of each finished part, as slices for the next stage."""
    return [
        [str(file) for file in files]
        for _, files in groupby(parts_of(folder), lambda file: file.relative_to(folder).parts[0])
    ]


def remove_parts(folder: Path) -> None:
    """Remove all parts; the plan goes first, so that what a killed removal leaves is not taken for finished."""
    (folder / PLAN_NAME).unlink(missing_ok=True)
    if folder.exists():
        shutil.rmtree(folder)


def _resume(
    folder: Path, fingerprint: str, wanted: Sequence[Sequence[str]], carried: Sequence[Path]
) -> list[list[str]]:
    path = folder / PLAN_NAME
    plan = _read_plan(path)
    if plan.get("fingerprint") != fingerprint:
        remove_parts(folder)
        plan = {"fingerprint": fingerprint, "slices": [list(inputs) for inputs in wanted]}
        with atomic_write(path, "w") as file:
            json.dump(plan, file)
    for number, part in enumerate(carried):
        if not (target := folder / _PART.format(number)).exists():
            _carry(part, target)
    return plan["slices"]


def _read_plan(path: Path) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # the latter: a broken disk; then the parts are of nobody knows what
        return {}


def _carry(part: Path, target: Path) -> None:
    with atomic_folder(target) as unfinished:
        for file in part.rglob("*"):
            if file.is_file():
                link_or_copy(file, unfinished / file.relative_to(part))


def _make_part(make: Callable[[Sequence[str], Path], None], part: Path, inputs: Sequence[str]) -> None:
    with atomic_folder(part) as unfinished:
        make(inputs, unfinished)
