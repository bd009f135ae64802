"""Measures, on a GPU, memory and speed of a pretraining step of the ResNeXt-101s, with and without checkpointing.

  python tools/benchmarks/gpu_memory.py --batch 64

igdet's own step in bf16 on batches that lie in memory: 224 x 224 noise, two hashtags an image of 1,500, SGD with
momentum. Each row is one network built anew; the highest allocated memory of three steps after two, and their time.
"""

import argparse
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from detectron2.config import CfgNode, get_cfg
from detectron2.utils.events import EventStorage
from record import report, table
from torch import nn

from igdet.config import add_igdet_config, merge_config_file
from igdet.engine import Trainer
from igdet.engine.step import build_step
from igdet.modeling.costs import seconds

ROOT = Path(__file__).resolve().parents[2]
HASHTAGS = 1500
Step = Callable[[], None]
NETWORKS = [f"X_101_32x{width}d" for width in (8, 16, 32, 48)]


def config(network: str, checkpointed: bool, batch: int, settings: Sequence) -> CfgNode:
    """Hashtag pretraining in bf16; `settings` are other keys and their values."""
    cfg = get_cfg()
    add_igdet_config(cfg)
    merge_config_file(cfg, ROOT / "configs/Base-Pretrain.yaml")
    cfg.MODEL.BACKBONE.NAME, cfg.MODEL.CLASSIFIER.NUM_CLASSES = network, HASHTAGS
    cfg.MODEL.BACKBONE.CHECKPOINT_ACTIVATIONS = checkpointed
    cfg.SOLVER.IMS_PER_BATCH, cfg.SOLVER.AMP.ENABLED, cfg.SOLVER.AMP.DTYPE = batch, True, "bf16"
    cfg.merge_from_list([*settings])
    return cfg


def build(network: str, checkpointed: bool, batch: int, settings: Sequence = ()) -> tuple[nn.Module, Step]:
    """A model and its trainer's own step, which always sees the same images."""
    cfg = config(network, checkpointed, batch, settings)
    model = Trainer.build_model(cfg).train()
    labels = torch.arange(2 * batch).view(batch, 2) % HASHTAGS
    images = torch.randint(0, 256, (batch, 3, 224, 224), dtype=torch.uint8)
    samples = [{"image": image, "gt_classes": ids} for image, ids in zip(images, labels, strict=True)]
    trained = build_step(cfg, model, itertools.repeat(samples), Trainer.build_optimizer(cfg, model))
    trained.iter = 0

    def step() -> None:
        with EventStorage(0):
            trained.run_step()

    return model, step


def measure(network: str, checkpointed: bool, batch: int) -> list:
    """Millions of parameters, highest memory in GB, images a second."""
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    model, step = build(network, checkpointed, batch)
    for _ in range(2):
        step()
    rate = batch / seconds(step, 3, "cuda")
    parameters = sum(weight.numel() for weight in model.parameters()) / 1e6
    return [parameters, torch.cuda.max_memory_allocated() / 1e9, rate]


def main() -> None:
    """Measure all networks at two batches, so that an image's share is seen; print and record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    args = parser.parse_args()
    torch.backends.cudnn.benchmark = True  # as in gpu_step.py
    rows = []
    for network, checkpointed in itertools.product(args.networks, (False, True)):
        _, half, _ = measure(network, checkpointed, args.batch // 2)
        parameters, memory, speed = measure(network, checkpointed, args.batch)
        more = (memory - half) / (args.batch - args.batch // 2) * 1000
        rows.append([network, "computed again" if checkpointed else "kept", parameters, memory, more, speed])
        print(rows[-1], flush=True)
    header = ["network", "activations", "parameters, M", "memory, GB", "an image more, MB", "images/s"]
    report("gpu_memory", memory=table(header, rows, ["", "", ".1f", ".1f", ".0f", ",.0f"]))


if __name__ == "__main__":
    main()
