"""Distances of a pretraining's images from targets, and what few images make of the distance of a set from itself.

Run as:  OMP_NUM_THREADS=1 python tools/benchmarks/distance.py --targets datasets/scene15 --config-file \
           configs/quick_schedules/pretrain_tiny_imagenet_500.yaml MODEL.WEIGHTS FILE OUTPUT_DIR runs/distance
"""

import argparse

import numpy as np
from detectron2.config import CfgNode
from record import Table, report, table

from igdet.benchmark.distance_tables import table_of
from igdet.benchmark.distances import numbers_of
from igdet.cli.actions.measure_distance import measure, request_of
from igdet.engine import merged_config
from igdet.engine.distances import IMAGES, TrainingImages, training_images
from igdet.engine.features import features_of
from igdet.engine.frozen_trunk import trunk_of
from igdet.engine.setup import fit_to_device
from igdet.evaluation.distances import distances
from igdet.modeling.classifier import ImageClassifier

HALVES = (250, 500, 1000, 2000, 4000)


def halves_of_one_set(cfg: CfgNode, trunk: ImageClassifier, images: TrainingImages) -> Table:
    """Measure the distances of two random halves of one set, by their size."""
    features = np.random.default_rng(0).permutation(features_of(cfg, trunk, images.name).features)
    rows = [[f"{count:,}", *distances(features[:count], features[-count:])] for count in HALVES]
    header = ["images of each half", "Fréchet", "Fréchet, N → ∞", "kernel", "standard error"]
    return table(header, rows, ["", ".2f", ".2f", ".4f", ".4f"])


def targets_of(cfg: CfgNode, pairs: list[dict], images: int) -> Table:
    """Measure what the command measures; the pretraining, the same in all rows, is left out."""
    measured = measure(cfg, pairs, images)
    shown = table_of(("", pair["target"], numbers_of(pair)) for pair in measured)
    return Table(shown.header[1:], [[entry.text for entry in row[1:]] for row in shown.rows])


def main() -> None:
    """Measure, print and record both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--targets", nargs="+", required=True, help="as of measure_distance")
    parser.add_argument("--config-file", required=True, help="of the trunk")
    parser.add_argument("opts", nargs=argparse.REMAINDER)
    args = parser.parse_args(namespace=argparse.Namespace(pretraining=None))
    cfg = merged_config(args.config_file, args.opts)
    fit_to_device(cfg)
    cfg.freeze()
    whole = training_images(merged_config(args.config_file, args.opts), 2 * max(HALVES))
    halves = halves_of_one_set(cfg, trunk_of(cfg), whole)
    report("distances", targets=targets_of(cfg, request_of(args)["pairs"], IMAGES), halves=halves)


if __name__ == "__main__":
    main()
