"""Times whole training steps, data loading included: igdet beside torchvision's and timm's network in a plain loop.

  python tools/benchmarks/training_step.py datasets/coco/val2017 --network X_50_32x4d --batch 8 --steps 4
  python tools/benchmarks/training_step.py IMAGES --network X_101_32x8d --batch 128 --device cuda --dtype bf16 \
    --ways igdet igdet-tuned torchvision timm timm-tuned

JPEGs are dealt into ten classes, again and again up to --images-at-least. Every way decodes, crops, flips and
normalises with as many loader processes, and trains with SGD and momentum in the same precision; igdet is its trainer's
own step. Those with -tuned are compiled, torchvision's and timm's have channels last too, as igdet always has, and an
optimizer of one kernel. Ways take turns; medians. With one of --ways alone, the peak of memory is its own;
--peak-tflops adds the share of the roofline.
"""

import argparse
import resource
import statistics
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import timm
import torch
import torchvision
from record import report, table
from torch.utils.flop_counter import FlopCounterMode
from training_step_ways import CLASSES, WAYS, Step, deal, igdet_step, plain_step

from igdet.engine.step import AMP_DTYPES
from igdet.modeling import FAMILY, build_resnext

Waits = defaultdict[str, list[float]]  # way -> seconds that each step waited for data

# By igdet's name: torchvision's and timm's.
NETWORKS = {
    "X_50_32x4d": ("resnext50_32x4d", "resnext50_32x4d"),
    "X_101_32x8d": ("resnext101_32x8d", "resnext101_32x8d"),
}


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path, help="folder of JPEGs")
    parser.add_argument("--network", choices=FAMILY, default="X_50_32x4d", help="peers have X_50_32x4d and X_101_32x8d")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=4, help="a repeat")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--workers", type=int, default=1, help="loader processes of each way")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", choices=["float32", *AMP_DTYPES], default="float32")
    parser.add_argument("--checkpoint-activations", action="store_true", help="of igdet's trunk")
    parser.add_argument("--images-at-least", type=int, default=0, help="so that a pass over them takes a while")
    parser.add_argument("--peak-tflops", type=float, help="of the device in this precision")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=["igdet", "torchvision", "timm"])
    return parser.parse_args()


def take_turns(args: argparse.Namespace, steps: dict[str, Step]) -> dict[str, list[float]]:
    """Time the ways in turn; seconds a step of each repeat, the first of which warms up and is left out."""
    seconds: dict[str, list[float]] = {way: [] for way in steps}
    for repeat in range(args.repeats + 1):
        for way, step in steps.items():
            start = time.perf_counter()
            for _ in range(args.steps):
                step()
            if args.device == "cuda":
                torch.cuda.synchronize()
            if repeat:
                seconds[way].append((time.perf_counter() - start) / args.steps)
    return seconds


def count_flops(network: str, batch: int) -> int:
    """Operations of a step's convolutions and products of matrices, forward and backward, by their definition."""
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        trunk = build_resnext(FAMILY[network])
        trunk(torch.empty(batch, 3, 224, 224))["res5"].sum().backward()
    return counter.get_total_flops()


def report_speed(args: argparse.Namespace, seconds: dict[str, list[float]], waits: Waits, flops: int) -> None:
    """Print and record images a second of each way, how the first compares, and how near each is to its limits."""
    medians = {way: statistics.median(values) for way, values in seconds.items()}
    first = args.ways[0]
    header = ["way", "images/s (median)", f"{first} is times as fast", "lowest", "highest", "waits for data", "TFLOP/s"]
    header += ["of the roofline"] * bool(args.peak_tflops)
    rows = []
    for way, step in medians.items():
        slowest, fastest = (args.batch / each(seconds[way]) for each in (max, min))
        waited = statistics.mean(waits[way][args.steps :]) / statistics.mean(seconds[way]) if waits[way] else None
        tflops = flops / step / 1e12
        row = [way, args.batch / step, step / medians[first], slowest, fastest]
        row += ["" if waited is None else f"{waited:.1%}", tflops]
        rows.append(row + [tflops / args.peak_tflops] * bool(args.peak_tflops))
    print(f"{args.network}, batch {args.batch}, {args.dtype}, {torch.get_num_threads()} threads, {args.device}")
    print(f"Peak memory: {peak_memory(args.device) / 2**20:,.0f} MiB")
    formats = ["", ".2f", ".2f", ".2f", ".2f", "", ".2f", ".1%"]
    report("training_step", speed=table(header, rows, formats[: len(header)]))


def peak_memory(device: str) -> int:
    """Bytes: of the GPU, or of this process."""
    on_gpu = device == "cuda"
    return torch.cuda.max_memory_allocated() if on_gpu else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Build the ways, let them take turns, print what came out."""
    args, waits = parse_args(), Waits(list)
    torch.backends.cudnn.benchmark = True  # as timm's script has it
    theirs, timms = NETWORKS.get(args.network, (None, None))
    models = {
        "torchvision": lambda: torchvision.models.get_model(theirs, num_classes=CLASSES),
        "timm": lambda: timm.create_model(timms, num_classes=CLASSES),
    }

    def build(way: str, folder: Path) -> Step:
        network, _, tuned = way.partition("-")
        if network in models:
            return plain_step(args, folder, models[network](), bool(tuned))
        return igdet_step(args, folder, waits[way], bool(tuned))

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "images")
        folder.mkdir()
        deal(args.images, folder, args.images_at_least)
        steps = {way: build(way, folder) for way in args.ways}
        seconds = take_turns(args, steps)
        report_speed(args, seconds, waits, count_flops(args.network, args.batch))


if __name__ == "__main__":
    main()
