"""Times whole training steps, data loading included: igdet beside torchvision's and timm's network in a plain loop.

  python tools/benchmarks/training_step.py datasets/coco/val2017 --network X_50_32x4d --batch 8 --steps 4
  python tools/benchmarks/training_step.py IMAGES --network X_101_32x8d --batch 128 --device cuda --dtype bf16 --compile

JPEGs are dealt into ten classes. Every way decodes, crops, flips and normalises with as many loader processes, and
trains with SGD and momentum in the same precision; igdet is its trainer's own step. Ways take turns; medians.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import timm
import torch
import torchvision
from detectron2.config import CfgNode, get_cfg
from detectron2.utils.events import EventStorage
from tabulate import tabulate
from torch import nn
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

from igdet.config import add_igdet_config
from igdet.data import build_classification_train_loader, register_own_datasets
from igdet.engine import Trainer
from igdet.engine.step import AMP_DTYPES, build_step

# By igdet's name: torchvision's and timm's.
NETWORKS = {
    "X_50_32x4d": ("resnext50_32x4d", "resnext50_32x4d"),
    "X_101_32x8d": ("resnext101_32x8d", "resnext101_32x8d"),
}
CLASSES = 10
LEARNING_RATE = 0.01
Step = Callable[[], None]


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path, help="folder of JPEGs")
    parser.add_argument("--network", choices=NETWORKS, default="X_50_32x4d")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=4, help="a repeat")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--workers", type=int, default=1, help="loader processes of each way")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", choices=["float32", *AMP_DTYPES], default="float32")
    parser.add_argument("--compile", action="store_true", help="of igdet's trunk")
    parser.add_argument("--checkpoint-activations", action="store_true", help="likewise")
    parser.add_argument("--ways", nargs="+", default=["igdet", "torchvision", "timm"])
    return parser.parse_args()


def deal(images: Path, folder: Path) -> None:
    """Link pictures into a folder a class, so that both loaders can read them."""
    for number, path in enumerate(sorted(images.rglob("*.jpg"))):
        target = folder / f"class_{number % CLASSES}" / path.name
        target.parent.mkdir(exist_ok=True)
        target.symlink_to(path.resolve())


def igdet_config(args: argparse.Namespace, folder: Path) -> CfgNode:
    """The config of igdet's way."""
    cfg = get_cfg()
    add_igdet_config(cfg)
    own = {"KIND": "image_folder", "ROOT": str(folder)}
    cfg.merge_from_other_cfg(CfgNode({"DATASETS": {"OWN": {"pictures": own}, "TRAIN": ["pictures"], "TEST": []}}))
    cfg.MODEL.merge_from_other_cfg(CfgNode({"META_ARCHITECTURE": "ImageClassifier", "DEVICE": args.device}))
    cfg.MODEL.BACKBONE.NAME = args.network
    cfg.MODEL.BACKBONE.FREEZE_AT = 0
    cfg.MODEL.BACKBONE.CHECKPOINT_ACTIVATIONS = args.checkpoint_activations
    cfg.MODEL.COMPILE = args.compile
    cfg.MODEL.CLASSIFIER.NUM_CLASSES = CLASSES
    cfg.MODEL.RESNETS.merge_from_other_cfg(CfgNode({"NORM": "BN", "OUT_FEATURES": ["res5"], "STRIDE_IN_1X1": False}))
    cfg.INPUT.FORMAT = "RGB"
    cfg.MODEL.PIXEL_STD = [58.395, 57.12, 57.375]
    cfg.SOLVER.IMS_PER_BATCH, cfg.SOLVER.BASE_LR = args.batch, LEARNING_RATE
    cfg.SOLVER.AMP.ENABLED = args.dtype != "float32"
    cfg.SOLVER.AMP.DTYPE = args.dtype if cfg.SOLVER.AMP.ENABLED else "bf16"
    cfg.DATALOADER.NUM_WORKERS = args.workers
    cfg.OUTPUT_DIR = str(folder.parent / "run")
    return cfg


def igdet_step(args: argparse.Namespace, folder: Path) -> Step:
    """igdet's own step, without hooks."""
    cfg = igdet_config(args, folder)
    register_own_datasets(cfg, training=True)
    model = Trainer.build_model(cfg).train()
    loader = build_classification_train_loader(cfg, seed=0)
    trained = build_step(cfg, model, loader, Trainer.build_optimizer(cfg, model))
    trained.iter, storage = 0, EventStorage(0)

    def step() -> None:
        with storage:
            trained.run_step()

    return step


def plain_step(args: argparse.Namespace, folder: Path, model: nn.Module) -> Step:
    """The loop that everybody writes: torchvision's transforms and loader, cross-entropy, autocast."""
    normalise = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    crop = [transforms.RandomResizedCrop(224), transforms.RandomHorizontalFlip(), transforms.ToTensor(), normalise]
    data = ImageFolder(folder, transforms.Compose(crop))
    loader = DataLoader(data, args.batch, shuffle=True, num_workers=args.workers, drop_last=True)
    model = model.to(args.device).train()
    optimizer = torch.optim.SGD(model.parameters(), LEARNING_RATE, momentum=0.9, weight_decay=1e-4)
    loss_of, dtype = nn.CrossEntropyLoss(), AMP_DTYPES.get(args.dtype)
    batches = endless(loader)

    def step() -> None:
        images, labels = next(batches)
        images, labels = images.to(args.device, non_blocking=True), labels.to(args.device, non_blocking=True)
        with torch.autocast(args.device, dtype, enabled=dtype is not None):
            loss = loss_of(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def endless(loader: DataLoader) -> Iterator:
    """Pass after pass."""
    while True:
        yield from loader


def main() -> None:
    """Build the ways, let them take turns, print the table."""
    args = parse_args()
    theirs, timms = NETWORKS[args.network]
    builders = {
        "igdet": lambda folder: igdet_step(args, folder),
        "torchvision": lambda folder: plain_step(
            args, folder, torchvision.models.get_model(theirs, num_classes=CLASSES)
        ),
        "timm": lambda folder: plain_step(args, folder, timm.create_model(timms, num_classes=CLASSES)),
    }
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "pictures")
        folder.mkdir()
        deal(args.images, folder)
        steps = {way: builders[way](folder) for way in args.ways}
        rates: dict[str, list[float]] = {way: [] for way in steps}
        for repeat in range(args.repeats + 1):
            for way, step in steps.items():
                start = time.perf_counter()
                for _ in range(args.steps):
                    step()
                if args.device == "cuda":
                    torch.cuda.synchronize()
                if repeat:  # the first warms up
                    rates[way].append(args.steps * args.batch / (time.perf_counter() - start))
        medians = {way: statistics.median(values) for way, values in rates.items()}
        rows = [[way, rate, medians["igdet"] / rate, min(rates[way]), max(rates[way])] for way, rate in medians.items()]
        header = ["way", "images/s (median)", "igdet is times as fast", "lowest", "highest"]
        print(f"{args.network}, batch {args.batch}, {args.dtype}, {torch.get_num_threads()} threads, {args.device}\n")
        print(tabulate(rows, header, floatfmt=("", ".2f", ".2f", ".2f", ".2f"), tablefmt="github"))


if __name__ == "__main__":
    main()
