"""Choosing a target's settings on data that is not its test set: the grid, its cells' results, the checks."""

import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from igdet.benchmark.suite import Suite, Target
from igdet.utils.strict_yaml import read_with_bases
from igdet.utils.tuning_parts import whole_of

SELECT = "select"  # the folder of a target's trials, below the target's
PARTS = {"TRAIN", "TEST"}


def grid_settings(grid: Mapping[str, list[float]]) -> list[dict[str, float]]:
    """Every combination of a grid, KEY: VALUE; the values of one key written as the config has them."""
    return [dict(zip(grid, map(_plain, values), strict=True)) for values in itertools.product(*grid.values()) if values]


def setting_label(setting: Mapping[str, float]) -> str:
    """'BASE_LR=0.02,WEIGHT_DECAY=0.0001': a setting as a folder and a table name it."""
    return ",".join(f"{key.rpartition('.')[2]}={value:g}" for key, value in setting.items())


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
            yield from _overlaps(where, target)


def _overlaps(where: str, target: Target) -> Iterator[str]:
    datasets = _datasets(target.config)
    own, tests = datasets.get("OWN", {}), datasets.get("TEST", [])
    fit, choose = target.select_on["TRAIN"], target.select_on["TEST"]
    pairs = [("TEST", choose, fit, "SELECT_ON.TRAIN")]
    pairs += [(key, name, test, "the test set") for test in tests for key, name in (("TEST", choose), ("TRAIN", fit))]
    for key, name, other, role in pairs:
        if how := _overlap(name, other, own):
            yield f"{where}.SELECT_ON.{key}: {name} {how} {role}, {other}; choose on other pictures"


def _overlap(name: str, other: str, own: Mapping[str, dict]) -> str:
    """How a data set overlaps with another, as far as their names and fields tell; "" if not."""
    if _same(name, other, own):
        return "is"
    if name not in own and _same(whole_of(name), other, own):
        return "is a part of"
    shared = _pictures(own.get(name, {})) & _pictures(own.get(other, {}))
    return f"shares {len(shared)} pictures, such as {min(shared)}, with" if shared else ""


def _same(name: str, other: str, own: Mapping[str, dict]) -> bool:
    return name == other or (name in own and own[name] == own.get(other))


def _datasets(config: str) -> dict:
    """The DATASETS section of a config with its bases."""
    merged: dict = {"OWN": {}}
    for _, content in read_with_bases(config):
        section = content.get("DATASETS", {})
        merged |= {**section, "OWN": merged["OWN"] | section.get("OWN", {})}
    return merged


def _pictures(own: Mapping[str, str]) -> set[str]:
    """The file names of a COCO set's pictures; none of other kinds, or where the file is not there."""
    annotations = Path(own.get("ANNOTATIONS", ""))
    if own.get("KIND") != "coco" or not annotations.is_file():
        return set()
    return {image["file_name"] for image in json.loads(annotations.read_text(encoding="utf-8"))["images"]}


def _plain(value: float) -> float | int:
    """20000.0 -> 20000: the config's whole numbers take no others."""
    return int(value) if float(value).is_integer() else value
