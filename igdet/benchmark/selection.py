"""Choosing a target's settings on data that is not its test set: grid, choice, and that no image is in both."""

import itertools
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, reduce
from pathlib import Path
from typing import TYPE_CHECKING

from igdet.benchmark.metrics import better_of
from igdet.benchmark.suite import Suite, TransferTask
from igdet.formats.coco.reading import path_of, read_coco_json
from igdet.formats.targets.table import SPLITS, datasets_folder, fields_of
from igdet.formats.targets.target import whole_of
from igdet.utils.files import expanded
from igdet.utils.yaml import ConfigError, read_with_bases

if TYPE_CHECKING:
    from igdet.benchmark.cells import Cell

SELECT = "select"  # the folder of a target's trials, below the target's
PARTS = {"TRAIN", "TEST"}
WITH_IMAGES = ("coco", "lvis")  # kinds
Own = Mapping[str, dict]  # DATASETS.OWN


def grid_settings(grid: Mapping[str, list[float]]) -> list[dict[str, float]]:
    """Every combination of a grid, KEY: VALUE."""
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values()) if values]


def setting_label(setting: Mapping[str, float]) -> str:
    """'BASE_LR=0.02,WEIGHT_DECAY=0.0001': a setting as a folder and a table name it."""
    return ",".join(f"{key.rpartition('.')[2]}={value:g}" for key, value in setting.items())


def choose_trial(trials: "Sequence[Cell]", deciding: str) -> "Cell | None":
    """Return the trial with the best result, of equals the first; None before all are over, or where none has a result.

    One that lost all foreground, and takes everything for background, has a result but is not chosen.

    Args:
        trials: of a grid.
        deciding: the metric.
    """
    if not all(trial.is_over for trial in trials):
        return None
    scores = {trial.name: trial.deciding_value for trial in trials if not trial.has_lost_foreground}
    known = [trial for trial in trials if scores.get(trial.name) is not None]
    return better_of(deciding)(known, key=lambda trial: scores[trial.name], default=None)


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


def selection_opts(target: TransferTask) -> dict[str, str]:
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


def overlapping_sets(suite: Suite, target: str) -> Iterator[str]:
    """Overlaps that the sets' names and fields tell; opens no annotations."""
    return _overlaps(suite, target, _overlap_by_name)


def check_images(suite: Suite) -> None:
    """Refuse selection sets that share an image with a test set; reads whole annotation files, all of COCO in seconds.

    Args:
        suite: a suite whose data sets are there.

    Raises:
        ConfigError: naming the sets and a shared image.
    """
    with_grid = [name for name, target in suite.targets.items() if target.grid]
    if found := [problem for name in with_grid for problem in _overlaps(suite, name, _shared_images)]:
        raise ConfigError("nothing is started:\n" + "\n".join(found))


def _overlaps(suite: Suite, name: str, how: Callable[[str, str, Own], str]) -> Iterator[str]:
    """The overlaps of any initialisation's data sets, each once."""
    target = suite.targets[name]
    opts = [suite.opts | target.opts | target.opts_for.get(start, {}) for start in suite.initializations]
    yield from dict.fromkeys(found for each in opts for found in _overlaps_with(each, name, target, how))


def _overlaps_with(
    opts: Mapping, name: str, target: TransferTask, how: Callable[[str, str, Own], str]
) -> Iterator[str]:
    datasets = _datasets(target.config, opts)
    fit, choose = target.select_on["TRAIN"], target.select_on["TEST"]
    pairs = [("TEST", choose, fit, "SELECT_ON.TRAIN")]
    pairs += [
        (key, part, test, "the test set")
        for test in _names(datasets.get("TEST", ()))
        for key, part in (("TEST", choose), ("TRAIN", fit))
    ]
    for key, part, other, role in pairs:
        if overlap := how(part, other, datasets["OWN"]):
            yield f"TARGETS.{name}.SELECT_ON.{key}: {part} {overlap} {role}, {other}; choose on other images"


def _names(value: object) -> list[str]:
    """The data sets that ["a", "b"] or "('a', 'b')" names."""
    return re.findall(r"[\w.-]+", str(value))


def _overlap_by_name(name: str, other: str, own: Own) -> str:
    """How a data set overlaps with another, as far as their names and fields tell; "" if not."""
    if _same(name, other, own):
        return "is"
    return "is a part of" if name not in own and _same(whole_of(name), other, own) else ""


def _shared_images(name: str, other: str, own: Own) -> str:
    """How many files, and which, are images of two COCO or LVIS sets; "" if none. Copies are other files."""
    shared = _images(*_files(name, own)) & _images(*_files(other, own))
    return f"shares {len(shared)} images, such as {min(shared)}, with" if shared else ""


def _same(name: str, other: str, own: Own) -> bool:
    return name == other or (name in own and own[name] == own.get(other))


def _datasets(config: str, opts: Mapping) -> dict:
    """The DATASETS section of a config with its bases, and with overrides such as DATASETS.OWN.mine.ROOT."""
    merged: dict = {"OWN": {}}
    for _, content in read_with_bases(config):
        section = content.get("DATASETS", {})
        merged |= {**section, "OWN": merged["OWN"] | section.get("OWN", {})}
    for key, value in opts.items():
        first, *path, last = key.split(".")
        if first == "DATASETS":
            reduce(lambda section, part: section.setdefault(part, {}), path, merged)[last] = value
    return merged


def _files(name: str, own: Own) -> tuple[Path, Path]:
    """The annotations and the folder of a COCO or LVIS set, one's own or a named one; of others what is no file."""
    datasets = expanded(datasets_folder())
    fields: Mapping = own.get(name) or (fields_of(name, str(datasets)) if name in SPLITS else {})
    if fields.get("KIND") not in WITH_IMAGES:
        return datasets, datasets
    return expanded(fields.get("ANNOTATIONS", "")), expanded(fields.get("ROOT", ""))


@cache
def _images(annotations: Path, root: Path) -> set[str]:
    """The paths of a set's images; none where the annotations are not there."""
    if not annotations.is_file():
        return set()
    images = read_coco_json(annotations, {"images": ("id",)})["images"]
    return {os.path.normpath(root.resolve() / path_of(image)) for image in images}
