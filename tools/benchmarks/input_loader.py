"""Times whole training loaders on real JPEGs, from files to normalised batches: igdet's and torchvision's.

python tools/benchmarks/input_loader.py datasets/coco/val2017 --workers 2 --repeats 5
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import torch
from detectron2.config import CfgNode, get_cfg
from input_pipeline_ways import MEAN, SIZE, STD
from record import report, table
from torch import Tensor
from torch.utils.data import DataLoader
from torchvision import transforms as v1
from torchvision.datasets import ImageFolder

from igdet.config import add_igdet_config
from igdet.data import build_classification_train_loader, register_own_datasets


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="JPEGs, also in folders below")
    parser.add_argument("--batch", type=int, default=32, help="images")
    parser.add_argument("--batches", type=int, default=30, help="timed, after as many as there are workers")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5, help="of each loader, in turn")
    return parser.parse_args()


def link_images(source: Path, root: Path, count: int) -> None:
    """Make a folder of one class with `count` links to the images, each as often as the others."""
    files = sorted(path for path in source.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
    (root / "images").mkdir()
    for number in range(count):
        (root / "images" / f"{number:06d}.jpg").symlink_to(files[number % len(files)].resolve())


def torchvision_batches(root: Path, args: argparse.Namespace):
    """Yield normalised batches as torchvision's examples make them."""
    steps = [v1.RandomResizedCrop(SIZE), v1.RandomHorizontalFlip(), v1.ToTensor(), v1.Normalize(MEAN, STD)]
    data = ImageFolder(str(root), v1.Compose(steps))
    for images, _ in DataLoader(data, args.batch, shuffle=True, num_workers=args.workers):
        yield images


def igdet_batches(root: Path, args: argparse.Namespace, resize: str):
    """Yield igdet's batches, normalised after the way between processes as the classifier does it."""
    cfg = get_cfg()
    add_igdet_config(cfg)
    cfg.INPUT.FORMAT, cfg.INPUT.CLASSIFICATION.TRAIN_RESIZE = "RGB", resize
    cfg.SEED, cfg.SOLVER.IMS_PER_BATCH, cfg.DATALOADER.NUM_WORKERS = 0, args.batch, args.workers
    cfg.DATASETS.OWN = CfgNode({"linked": {"KIND": "image_folder", "ROOT": str(root)}})
    cfg.DATASETS.TRAIN, cfg.OUTPUT_DIR = ("linked",), str(root)
    register_own_datasets(cfg)
    mean, std = (255 * torch.tensor(values).view(3, 1, 1) for values in (MEAN, STD))
    for batch in build_classification_train_loader(cfg, seed=0):
        images = torch.stack([sample["image"] for sample in batch])
        yield images.float().sub_(mean).div_(std)


def images_per_second(batches: Callable, args: argparse.Namespace) -> float:
    """Time a new loader, once its workers run."""
    found = iter(batches())
    for _ in range(max(1, args.workers)):
        next(found)
    started = time.perf_counter()
    count = sum(len(images) for images in islice(found, args.batches) if isinstance(images, Tensor))
    return count / (time.perf_counter() - started)


def main() -> None:
    """Run the loaders in turn, print and record their rates."""
    args = parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        link_images(args.folder, root, args.batch * (args.batches + 2 * args.workers + 2))
        loaders = {
            "torchvision's `ImageFolder`": lambda: torchvision_batches(root, args),
            "igdet": lambda: igdet_batches(root, args, "antialias"),
            "igdet, `TRAIN_RESIZE: fast`": lambda: igdet_batches(root, args, "fast"),
        }
        rates: dict[str, list[float]] = {name: [] for name in loaders}
        for _ in range(args.repeats):
            for name, batches in loaders.items():
                rates[name].append(images_per_second(batches, args))
    medians = {name: statistics.median(values) for name, values in rates.items()}
    base, *_ = medians.values()
    rows = [[name, rate, rate / base] for name, rate in medians.items()]
    columns = ["loader", "images/s (median)", "times torchvision v1"]
    report("input_loader", loaders=table(columns, rows, ["", ".1f", ".2f"]))


if __name__ == "__main__":
    main()
