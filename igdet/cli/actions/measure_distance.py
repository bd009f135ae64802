"""What the command measure_distance does: measure pairs of data sets, print and keep the numbers."""

import argparse
import functools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from detectron2.config import CfgNode
from detectron2.utils.logger import setup_logger

from igdet.benchmark.distance_tables import table_of
from igdet.benchmark.distances import FILE, numbers_of
from igdet.curation.lexicon import Lexicon
from igdet.curation.vocabularies.label_coverage import Coverage, label_coverage
from igdet.curation.vocabularies.target_classes import coco_classes, named_classes
from igdet.data.checking import sets_of
from igdet.engine.distances import TrainingImages, check_trunk, image_distances, training_images
from igdet.engine.frozen_trunk import trunk_of
from igdet.engine.results import surroundings, utc_now
from igdet.engine.setup import fit_to_device, merged_config
from igdet.formats.targets import datasets_folder
from igdet.utils.command_lines import command_line
from igdet.utils.errors import UserError
from igdet.utils.files import atomic_write, read_json


def request_of(args: argparse.Namespace) -> dict:
    """Return what a command line asks for in the form in which a benchmark asks."""
    trunk = {"config_file": args.config_file, "opts": args.opts}
    pretraining = source_of(args.pretraining, trunk) if args.pretraining else trunk
    names = {"initialisation": args.pretraining or args.config_file}
    pairs = [
        {**names, "target": target, "pretraining": pretraining, "transfer": source_of(target, trunk)}
        for target in args.targets
    ]
    return {"fingerprint": "", "trunk": trunk, "pairs": pairs}


def source_of(what: str, trunk: Mapping) -> dict:
    """Return the config whose DATASETS.TRAIN is what somebody means.

    Args:
        what: a config, a folder of class folders or with such a `train`, or a data set that the trunk's config, igdet
            or Detectron2 has a name for.
        trunk: "config_file" and "opts" of the trunk.

    Returns:
        "config_file" and "opts"; "own" for a folder: the data set that it is, as DATASETS.OWN has it.

    Raises:
        UserError: the folder cannot be used.
    """
    if what.endswith((".yaml", ".yml")):
        return {"config_file": what, "opts": []}
    if not Path(what).is_dir():
        return {**trunk, "opts": [*trunk["opts"], "DATASETS.TRAIN", str((what,))]}
    train, *_ = sets_of(what, datasets_folder())
    return {"config_file": "", "opts": [], "own": {train.name: train.fields}}


def measure(cfg: CfgNode, pairs: list[dict], images: int) -> Iterator[dict]:
    """Yield each pair's names with what was measured, or with "why" it could not be.

    Args:
        cfg: the frozen config of the trunk.
        pairs: of a request.
        images: of each set, at most.
    """
    trunk, lexicon = trunk_of(cfg), Lexicon.wordnet()
    # What pairs share is opened, and measured, once.
    opened = functools.cache(lambda source: training_images(_training_config(cfg, **json.loads(source)), images))
    distances = functools.cache(lambda *sets: image_distances(cfg, trunk, *sets))
    coverage = functools.cache(lambda pretraining, target: _coverage(pretraining, target, lexicon))
    for pair in pairs:
        names = {key: pair[key] for key in ("initialisation", "target")}
        try:
            sets = [opened(json.dumps(pair[of])) for of in ("pretraining", "transfer")]
            numbers = {key: None if math.isnan(value) else value for key, value in distances(*sets)._asdict().items()}
        except UserError as error:
            yield {**names, "why": str(error)}
            continue
        covered = coverage(*sets)
        yield {**names, "images": [of.count for of in sets], **numbers, **(covered._asdict() if covered else {})}


def _training_config(trunk: CfgNode, config_file: str, opts: Sequence[str], own: Mapping = {}) -> CfgNode:
    """The config of a data set, or of one that no config has; what is noted of it goes to the trunk's OUTPUT_DIR."""
    cfg = merged_config(config_file, [*opts, "OUTPUT_DIR", trunk.OUTPUT_DIR])
    if own:
        cfg.DATASETS.OWN, cfg.DATASETS.TRAIN = CfgNode(own), tuple(own)
    return cfg


def _coverage(pretraining: TrainingImages, target: TrainingImages, lexicon: Lexicon) -> Coverage | None:
    labels, classes = ((coco_classes if of.is_detection else named_classes)(of.classes) for of in (pretraining, target))
    return label_coverage(classes, labels, lexicon)


def show(pairs: list[dict], weights: str) -> None:
    """Print the table and what to do next.

    Raises:
        UserError: a pair could not be measured.
    """
    if sound := [pair for pair in pairs if "why" not in pair]:
        print(table_of((pair["initialisation"], pair["target"], numbers_of(pair)) for pair in sound).plain())
    if lost := [f"{pair['target']}: {pair['why']}" for pair in pairs if "why" in pair]:
        raise UserError("\n".join(lost))
    print(f"next, what it is worth: {command_line('train_net')} --config-file TARGET.yaml MODEL.WEIGHTS {weights}")


def run(args: argparse.Namespace) -> None:
    """Check the trunk's config, say what will be done, do it."""
    expected = f"a request as a benchmark writes it; `{command_line('benchmark')} run` does"
    request = read_json(args.request, expected) if args.request else request_of(args)
    cfg = merged_config(request["trunk"]["config_file"], request["trunk"]["opts"])
    check_trunk(cfg)
    setup_logger(cfg.OUTPUT_DIR, name="igdet")
    fit_to_device(cfg)
    cfg.freeze()
    path = Path(cfg.OUTPUT_DIR, FILE)
    print(f"Features by {cfg.MODEL.WEIGHTS or 'a random trunk'} are kept in {cfg.OUTPUT_DIR}/features; then {path}")
    pairs = list(measure(cfg, request["pairs"], args.images))
    record = {**request, "images": args.images, "finished": utc_now(), **surroundings(cfg), "pairs": pairs}
    with atomic_write(path, "w") as file:
        json.dump(record, file, indent=1)
    if not args.request:
        show(pairs, cfg.MODEL.WEIGHTS)
