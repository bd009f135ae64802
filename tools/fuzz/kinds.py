"""The kinds of untrusted files: sound ones to start from, and what reads them."""

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple
from unittest import mock

import numpy as np
from detectron2.config import CfgNode
from detectron2.data import DatasetCatalog

from fuzz import seeds
from igdet.benchmark.suite_file import read_suite
from igdet.curation import command, pipeline
from igdet.curation.images.cleaning import CleanSettings, clean_image
from igdet.curation.settings import read_curation
from igdet.data import register_own_datasets
from igdet.data.images.decoding import open_croppable
from igdet.data.images.jpeg import REDUCTIONS, Region, _from_binding
from igdet.data.readers.shards import ShardRecords, StreamedShards
from igdet.engine.setup import check_merged, merged_config
from igdet.formats.errors import RecordError

Entry = Callable[[Path], None]


class Kind(NamedTuple):
    """A kind of input.

    Attributes:
        write: writes sound files into an empty folder, and returns those that may be damaged.
        entries: what reads them, each from the file that was damaged.
    """

    write: Callable[[Path], list[Path]]
    entries: Sequence[Entry]


def _tool(name: str, *arguments: object) -> None:
    """Run a command in this process."""
    with mock.patch.object(sys, "argv", [name, *map(str, arguments)]):
        importlib.import_module(f"igdet.cli.{name}").main()


@cache
def _config() -> CfgNode:
    return merged_config("", [])


def _data_set(kind: str, folder: Path, **fields: object) -> Sequence[dict]:
    """Open a data set as a training does."""
    cfg = _config().clone()
    cfg.OUTPUT_DIR = str(folder / "log")
    cfg.DATASETS.OWN = CfgNode({"fuzzed": {"KIND": kind, **{key: str(value) for key, value in fields.items()}}})
    cfg.DATASETS.TRAIN, cfg.DATASETS.TEST = ("fuzzed",), ()
    register_own_datasets(cfg)
    return DatasetCatalog.get("fuzzed")


def _decode(path: Path) -> None:
    image = open_croppable(path.read_bytes(), "RGB", path.name)
    image.crop(0, 0, min(5, image.height), min(5, image.width))
    image.check()
    image.whole()


def _crop(path: Path) -> None:
    """Decode crops in both ways of igdet's binding; where both succeed, they must agree."""
    data, dice = path.read_bytes(), Random(0)
    image = open_croppable(data, "RGB", path.name)
    for reduction in REDUCTIONS:
        top, height = _span(-(-image.height // reduction), dice)
        left, width = _span(-(-image.width // reduction), dice)
        ways = [_decoded(data, (top, left, height, width), reduction, as_excerpt) for as_excerpt in (True, False)]
        if all(pixels is not None for pixels in ways):
            np.testing.assert_array_equal(*ways)
    image.whole()


def _span(side: int, dice: Random) -> tuple[int, int]:
    first = dice.randrange(side)
    return first, dice.randint(1, side - first)


def _decoded(data: bytes, region: Region, reduction: int, as_excerpt: bool) -> np.ndarray | None:
    try:
        return _from_binding(data, region, "RGB", reduction, as_excerpt)
    except ValueError:
        return None


def _clean(path: Path) -> None:
    clean_image(path.read_bytes(), CleanSettings(max_side=8))


def _clean_with_restarts(path: Path) -> None:
    clean_image(path.read_bytes(), CleanSettings(restart_markers=True))


def _indexed_shards(path: Path) -> None:
    os.environ["IGDET_CACHE"] = str(path.parent / "cache")
    records = ShardRecords(str(path.parent))
    for index in range(len(records)):
        records.labels(index)
        with suppress(RecordError):  # which is counted
            records.read(index)


def _streamed_shards(path: Path) -> None:
    shards = StreamedShards(str(path.parent))
    shards.label_factors("square_root", 1)
    for name, (posts, _) in shards.summary.shards.items():
        stream = shards.open(name)
        for post in stream.read(posts):
            shards.label_ids(post)
        stream.close()


def _posts_table(path: Path) -> None:
    columns = {"IMAGE_COLUMN": "image", "HASHTAG_COLUMN": "tags"}
    vocabulary = path.parent / "vocabulary.txt"
    records = _data_set(
        "hashtag_table", path.parent, ANNOTATIONS=path, ROOT=path.parent, VOCABULARY=vocabulary, **columns
    )
    for index in range(len(records)):
        records.labels(index)
        with suppress(RecordError):
            records.read(index)


def _curation(path: Path) -> None:
    config = seeds.write_curation_config(path.parent, path.name)
    pipeline.run(read_curation(config))


def _coco_training(path: Path) -> None:
    _data_set("coco", path.parent, ANNOTATIONS=path.parent / seeds.TRUTH, ROOT=path.parent)


def _coco_tool(name: str, task: str) -> Entry:
    return lambda path: _tool(name, path.parent / seeds.TRUTH, path.parent / seeds.DETECTIONS, "--task", task)


def _train_config(path: Path) -> None:
    cfg = merged_config(str(path), [])
    register_own_datasets(cfg)
    check_merged(cfg)


def _rating_pages(path: Path) -> None:
    here = path.parent
    _tool("rate_predictions", "export", here / "pages", "--predictions", path, "--images", here / "images")


def _manifests(path: Path) -> None:
    curation = read_curation(path.parents[2] / seeds.CURATION)
    command.status(curation)
    command.report(curation)


KINDS: dict[str, Kind] = {
    "images": Kind(seeds.write_images, (_decode, _clean)),
    "jpegs": Kind(seeds.write_jpegs, (_crop, _clean_with_restarts)),
    "shards": Kind(seeds.write_shards, (_indexed_shards, _streamed_shards)),
    "tables": Kind(seeds.write_tables, (_posts_table,)),
    "curation": Kind(seeds.write_tables, (_curation,)),
    "coco": Kind(
        seeds.write_coco,
        (
            _coco_training,
            *(_coco_tool("evaluate_coco", task) for task in ("bbox", "segm", "keypoints")),
            *(_coco_tool("analyze_detections", task) for task in ("bbox", "keypoints")),
        ),
    ),
    "checkpoints": Kind(seeds.write_checkpoints, (lambda path: _tool("weights", "inspect", path),)),
    "configs": Kind(seeds.write_configs, (_train_config,)),
    "curation settings": Kind(seeds.write_curation_settings, (read_curation,)),
    "suites": Kind(seeds.write_suites, (read_suite,)),
    "predictions": Kind(seeds.write_predictions, (_rating_pages, lambda path: _tool("rate_predictions", "real", path))),
    "ratings": Kind(
        seeds.write_ratings,
        (lambda path: _tool("rate_predictions", "merge", path.parent, path.parent / seeds.RATINGS),),
    ),
    "manifests": Kind(seeds.write_manifests, (_manifests,)),
}
