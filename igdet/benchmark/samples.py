"""Which pictures stand for a data set, and where a run keeps what it predicted for them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from igdet.benchmark.collect import Run

PICTURES = 4  # shown of a target

Item = TypeVar("Item")


def choose(items: Sequence[Item], key: Callable[[Item], object]) -> list[Item]:
    """Choose items evenly spaced in the order of their key: the same for every run, whatever it predicts."""
    ordered = sorted(items, key=key)
    step = max(1, len(ordered) // PICTURES)
    return ordered[::step][:PICTURES]


def inference_file(run: Run, name: str) -> Path:
    """Where a run's evaluation leaves a file about its first test set."""
    return run.cell.folder / "inference" / run.results["config"]["DATASETS"]["TEST"][0] / name
