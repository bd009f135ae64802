"""Choosing a target's settings on data that is not its test set: the grid, its settings, the checks."""

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path

from igdet.benchmark.overlaps import overlapping_sets
from igdet.benchmark.suite import Suite, Target

SELECT = "select"  # the folder of a target's trials, below the target's
PARTS = {"TRAIN", "TEST"}


def grid_settings(grid: Mapping[str, list[float]]) -> list[dict[str, float]]:
    """Every combination of a grid, KEY: VALUE."""
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values()) if values]


def setting_label(setting: Mapping[str, float]) -> str:
    """'BASE_LR=0.02,WEIGHT_DECAY=0.0001': a setting as a folder and a table name it."""
    return ",".join(f"{key.rpartition('.')[2]}={value:g}" for key, value in setting.items())


def ends_of_grid(setting: Mapping[str, float], grid: Mapping[str, list[float]]) -> list[str]:
    """'the smallest SOLVER.BASE_LR (0.002)': every value of a setting beyond which its grid tries nothing.

    Of three values or more: the better one of two is always at an end.
    """
    return [
        f"the {side} {key} ({setting[key]:g})"
        for key, values in grid.items()
        for side, end in (("smallest", min(values)), ("largest", max(values)))
        if len(values) > 2 and setting[key] == end
    ]


def selection_opts(target: Target) -> dict[str, str]:
    """The overrides that train and evaluate a trial on the SELECT_ON data sets."""
    return {f"DATASETS.{part}": f"('{name}',)" for part, name in target.select_on.items()}


def selection_problems(suite: Suite) -> Iterator[str]:
    """Grids that could not be chosen from, or would be chosen from on the test set."""
    for name, target in suite.targets.items():
        where = f"TARGETS.{name}"
        for key, values in target.grid.items():
            if not values or len(set(values)) < len(values):
                yield f"{where}.GRID.{key} must name one or more values, each once: {values}"
        if bool(target.grid) != bool(target.select_on):
            yield (
                f"{where}: GRID and SELECT_ON belong together: settings are chosen on data that is not the test set. "
                "SELECT_ON: {TRAIN: a part of the training set, TEST: the rest of it}"
            )
        elif target.grid and set(target.select_on) != PARTS:
            yield f"{where}.SELECT_ON must have the keys TRAIN and TEST, got {', '.join(target.select_on)}"
        elif target.grid and Path(target.config).is_file():
            yield from overlapping_sets(suite, name)
