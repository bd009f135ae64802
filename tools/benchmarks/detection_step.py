"""Times training steps of Mask R-CNN, data loading included: igdet beside Detectron2's own loop on the same images.

  DETECTRON2_DATASETS=datasets python tools/benchmarks/detection_step.py --dataset coco_2017_val
  DETECTRON2_DATASETS=datasets python tools/benchmarks/detection_step.py --device cuda --network X_101_32x8d \
    --short-side 800 --batch 16 --ways igdet igdet-bf16 igdet-bf16-compiled Detectron2 Detectron2-fp16

Both have the recipe of Detectron2's 3x configs: FPN, frozen statistics, stem and res2 frozen, SGD. Detectron2's network
is built by its keys and trained by its `SimpleTrainer` or, in fp16, its `AMPTrainer`; igdet's step is its trainer's
own. Ways take turns; medians.
"""

import argparse
import statistics
import time

import torch
from detectron2.config import CfgNode
from detectron2.data import build_detection_train_loader
from detectron2.engine import AMPTrainer, SimpleTrainer
from detectron2.modeling import build_model
from detectron2.solver import build_optimizer
from detectron2.utils.events import EventStorage
from inference import config
from record import report, table

from igdet.engine import Trainer
from igdet.engine.step import build_step
from igdet.modeling import FAMILY

# Way -> what of igdet's config differs from float32.
OURS = {
    "igdet": (),
    "igdet-bf16": ("SOLVER.AMP.ENABLED", True),
    "igdet-bf16-compiled": ("SOLVER.AMP.ENABLED", True, "MODEL.COMPILE", True),
}
THEIRS = {"Detectron2": SimpleTrainer, "Detectron2-fp16": AMPTrainer}


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="coco_2017_val", help="in Detectron2's catalog, with masks")
    parser.add_argument("--network", choices=FAMILY, default="X_50_32x4d")
    parser.add_argument("--short-side", type=int, default=320, help="pixels; the longer side at most 5/3 of it")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--steps", type=int, default=2, help="a repeat")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--workers", type=int, default=1, help="loader processes of each way")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--ways", nargs="+", choices=[*OURS, *THEIRS], default=["igdet", "Detectron2"])
    return parser.parse_args()


def training_config(args: argparse.Namespace, way: str) -> CfgNode:
    """The same network and data by igdet's name or by Detectron2's keys."""
    cfg = config(args.network, args.device, way in THEIRS)
    cfg.MODEL.WEIGHTS = ""
    cfg.INPUT.MIN_SIZE_TRAIN, cfg.INPUT.MAX_SIZE_TRAIN = (args.short_side,), args.short_side * 5 // 3
    cfg.DATASETS.TRAIN, cfg.DATALOADER.NUM_WORKERS, cfg.SEED = (args.dataset,), args.workers, 0
    # A rate at which random weights stay finite.
    cfg.SOLVER.IMS_PER_BATCH, cfg.SOLVER.BASE_LR = args.batch, 1e-5
    cfg.merge_from_list([*OURS.get(way, ())])
    return cfg


def build(args: argparse.Namespace, way: str) -> SimpleTrainer:
    """A way's trainer, without hooks."""
    cfg = training_config(args, way)
    torch.manual_seed(0)
    if way in OURS:
        model = Trainer.build_model(cfg).train()
        return build_step(cfg, model, Trainer.build_train_loader(cfg), Trainer.build_optimizer(cfg, model))
    model = build_model(cfg).train()
    return THEIRS[way](model, build_detection_train_loader(cfg), build_optimizer(cfg, model))


def timed(args: argparse.Namespace, trainer: SimpleTrainer) -> tuple[float, float]:
    """Seconds of a step, and of its wait for data, over some."""
    started, waited = time.perf_counter(), 0.0
    with EventStorage(0) as storage:
        for _ in range(args.steps):
            trainer.iter = storage.iter
            trainer.run_step()
            waited += storage.history("data_time").latest()
            storage.step()
    if args.device == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - started) / args.steps, waited / args.steps


def main() -> None:
    """Let the ways take turns, print and record a table."""
    args = parse_args()
    trainers = {way: build(args, way) for way in args.ways}
    seconds: dict[str, list[tuple[float, float]]] = {way: [] for way in trainers}
    for repeat in range(args.repeats + 1):
        for way, trainer in trainers.items():
            step = timed(args, trainer)
            if repeat:  # the first warms up
                seconds[way].append(step)
    medians = {way: statistics.median(step for step, _ in steps) for way, steps in seconds.items()}
    first = args.ways[0]
    header = ["way", "s a step", "images/s", f"{first} is times as fast", "fastest", "slowest", "waits for data"]
    rows = []
    for way, steps in seconds.items():
        step, times = medians[way], [step for step, _ in steps]
        waits = statistics.median(wait for _, wait in steps) / step
        rows.append([way, step, args.batch / step, step / medians[first], min(times), max(times), waits])
    print(f"Mask R-CNN {args.network}-FPN, {args.batch} images of short side {args.short_side}, {args.device}\n")
    report("detection_step", speed=table(header, rows, ["", ".3f", ".1f", ".2f", ".3f", ".3f", ".1%"]))


if __name__ == "__main__":
    main()
