"""The ways that tools/benchmarks/training_step.py compares: igdet's own step, and the loop that everybody writes."""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from detectron2.config import CfgNode, get_cfg
from detectron2.utils.events import EventStorage
from torch import nn
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

from igdet.config import add_igdet_config
from igdet.data import build_classification_train_loader, register_own_datasets
from igdet.engine import Trainer
from igdet.engine.step import AMP_DTYPES, build_step

CLASSES = 10
LEARNING_RATE = 0.01
WAYS = [f"{network}{tuned}" for network in ("igdet", "torchvision", "timm") for tuned in ("", "-tuned")]
Step = Callable[[], None]


def deal(images: Path, folder: Path, at_least: int) -> None:
    """Link images into a folder a class, so that both loaders can read them; a few images again and again."""
    paths = sorted(images.rglob("*.jpg"))
    for number in range(max(len(paths), at_least)):
        path = paths[number % len(paths)]
        target = folder / f"class_{number % CLASSES}" / f"{number}{path.suffix}"
        target.parent.mkdir(exist_ok=True)
        target.symlink_to(path.resolve())


def igdet_config(args: argparse.Namespace, folder: Path, compiled: bool) -> CfgNode:
    """The config of igdet's way."""
    cfg = get_cfg()
    add_igdet_config(cfg)
    own = {"KIND": "image_folder", "ROOT": str(folder)}
    cfg.merge_from_other_cfg(CfgNode({"DATASETS": {"OWN": {"images": own}, "TRAIN": ["images"], "TEST": []}}))
    cfg.MODEL.merge_from_other_cfg(CfgNode({"META_ARCHITECTURE": "ImageClassifier", "DEVICE": args.device}))
    cfg.MODEL.BACKBONE.NAME = args.network
    cfg.MODEL.BACKBONE.FREEZE_AT = 0
    cfg.MODEL.BACKBONE.CHECKPOINT_ACTIVATIONS = args.checkpoint_activations
    cfg.MODEL.COMPILE = compiled
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


def igdet_step(args: argparse.Namespace, folder: Path, waits: list[float], compiled: bool = False) -> Step:
    """igdet's own step, without hooks; the seconds that it waits for data are noted."""
    cfg = igdet_config(args, folder, compiled)
    register_own_datasets(cfg, training=True)
    model = Trainer.build_model(cfg).train()
    loader = build_classification_train_loader(cfg, seed=0)
    trained = build_step(cfg, model, loader, Trainer.build_optimizer(cfg, model))
    trained.iter, storage = 0, EventStorage(0)

    def step() -> None:
        with storage:
            trained.run_step()
            waits.append(storage.history("data_time").latest())

    return step


def plain_step(args: argparse.Namespace, folder: Path, model: nn.Module, tuned: bool = False) -> Step:
    """The loop that everybody writes: torchvision's transforms and loader, cross-entropy, autocast.

    Tuned as timm's own training script can be: channels last, compiled, one kernel for the optimizer.
    """
    normalise = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    crop = [transforms.RandomResizedCrop(224), transforms.RandomHorizontalFlip(), transforms.ToTensor(), normalise]
    data = ImageFolder(folder, transforms.Compose(crop))
    pinned = args.device == "cuda"
    loader = DataLoader(data, args.batch, shuffle=True, num_workers=args.workers, drop_last=True, pin_memory=pinned)
    model = model.to(args.device, memory_format=torch.channels_last if tuned else torch.preserve_format).train()
    if tuned:
        model.compile()
    optimizer = torch.optim.SGD(model.parameters(), LEARNING_RATE, momentum=0.9, weight_decay=1e-4, fused=tuned or None)
    loss_of, dtype = nn.CrossEntropyLoss(), AMP_DTYPES.get(args.dtype)
    batches = endless(loader)

    def step() -> None:
        images, labels = next(batches)
        images, labels = images.to(args.device, non_blocking=True), labels.to(args.device, non_blocking=True)
        if tuned:
            images = images.contiguous(memory_format=torch.channels_last)
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
