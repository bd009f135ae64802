"""The checkpoints in a run's folder: the last ones are kept, so that one that is broken has one before it."""

import re
from collections.abc import Iterator
from pathlib import Path

LAST_CHECKPOINT = "last_checkpoint"  # fvcore's name of the file that names the last checkpoint
_NUMBERED = re.compile(r"model_(\d{7,})\.pth")  # Detectron2's name of the checkpoint after an iteration


def numbered_checkpoints(folder: str | Path) -> list[Path]:
    """Give a folder's numbered checkpoints, the one of the last iteration first."""
    return sorted((path for path in Path(folder).glob("model_*.pth") if _iteration(path) >= 0), key=_iteration)[::-1]


def drop_old(newest: Path, kept: int) -> Iterator[Path]:
    """Delete the checkpoints that came long before a new one; that of an unnumbered name replaces none.

    Args:
        newest: just written.
        kept: how many stay, `newest` among them, >= 1.

    Yields:
        each file that is gone.
    """
    earlier = [path for path in numbered_checkpoints(newest.parent) if _iteration(path) <= _iteration(newest)]
    for path in earlier[kept:]:
        path.unlink()
        yield path


def drop_halves(folder: str | Path) -> Iterator[Path]:
    """Delete what a run left of a checkpoint when it was killed as it wrote it; yields each file that is gone."""
    for path in Path(folder).glob(".model_*.pth.*"):
        path.unlink()
        yield path


def iterations_done(folder: str | Path, length: int) -> int | None:
    """Return how many iterations a run had done at its last checkpoint, by the files' names alone.

    Args:
        folder: the run's.
        length: iterations of the whole run, which model_final.pth has.

    Returns:
        None where there is no checkpoint.
    """
    tag, numbered = Path(folder, LAST_CHECKPOINT), numbered_checkpoints(folder)
    last = Path(tag.read_text(encoding="utf-8").strip()) if tag.is_file() else next(iter(numbered), None)
    return None if last is None else _iteration(last) + 1 or length


def _iteration(path: Path) -> int:
    match = _NUMBERED.fullmatch(path.name)
    return int(match[1]) if match else -1
