"""Times whole training steps, data loading included: igdet beside torchvision's and timm's network in a plain loop.

  python tools/benchmarks/training_step.py datasets/coco/val2017 --network X_50_32x4d --batch 8 --steps 4
  python tools/benchmarks/training_step.py IMAGES --network X_101_32x8d --batch 128 --device cuda --dtype bf16 --compile

JPEGs are dealt into ten classes. Every way decodes, crops, flips and normalises with as many loader processes, and
trains with SGD and momentum in the same precision; igdet is its trainer's own step. Ways take turns; medians. With one
of --ways alone, the peak of memory printed below the table is its own; --peak-tflops adds its share of the roofline.
"""

import argparse
import resource
import statistics
import tempfile
import time
from pathlib import Path

import timm
import torch
import torchvision
from record import report, table
from torch.utils.flop_counter import FlopCounterMode
from training_step_ways import CLASSES, Step, deal, igdet_step, plain_step

from igdet.engine.step import AMP_DTYPES
from igdet.modeling import FAMILY

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
    parser.add_argument("--compile", action="store_true", help="of igdet's trunk")
    parser.add_argument("--checkpoint-activations", action="store_true", help="likewise")
    parser.add_argument("--peak-tflops", type=float, help="of the device in this precision")
    parser.add_argument("--ways", nargs="+", default=["igdet", "torchvision", "timm"])
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


def report_speed(args: argparse.Namespace, seconds: dict[str, list[float]]) -> None:
    """Print and record images a second of each way, and how the first compares."""
    rates = {way: [args.batch / each for each in values] for way, values in seconds.items()}
    medians = {way: statistics.median(values) for way, values in rates.items()}
    first = args.ways[0]
    rows = [[way, rate, medians[first] / rate, min(rates[way]), max(rates[way])] for way, rate in medians.items()]
    header = ["way", "images/s (median)", f"{first} is times as fast", "lowest", "highest"]
    print(f"{args.network}, batch {args.batch}, {args.dtype}, {torch.get_num_threads()} threads, {args.device}\n")
    report("training_step", speed=table(header, rows, ["", ".2f", ".2f", ".2f", ".2f"]))


def print_limits(args: argparse.Namespace, step: Step, waits: list[float], seconds: float) -> None:
    """What a step of the first way waits for, holds and could do at most."""
    on_gpu = args.device == "cuda"
    peak = torch.cuda.max_memory_allocated() if on_gpu else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"\nPeak memory of {'the GPU' if on_gpu else 'this process'}: {peak / 2**20:,.0f} MiB")
    if waits:
        print(f"igdet waits for data {statistics.median(waits[args.steps :]) / seconds:.1%} of a step")
    if args.peak_tflops:
        with FlopCounterMode(display=False) as counter:
            step()
        achieved = counter.get_total_flops() / seconds / 1e12
        print(f"{args.ways[0]}: {achieved:.2f} TFLOP/s, {achieved / args.peak_tflops:.1%} of the roofline")


def main() -> None:
    """Build the ways, let them take turns, print what came out."""
    args, waits = parse_args(), []
    theirs, timms = NETWORKS.get(args.network, (None, None))
    models = {
        "torchvision": lambda: torchvision.models.get_model(theirs, num_classes=CLASSES),
        "timm": lambda: timm.create_model(timms, num_classes=CLASSES),
    }
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "images")
        folder.mkdir()
        deal(args.images, folder)
        steps = {
            way: plain_step(args, folder, models[way]()) if way in models else igdet_step(args, folder, waits)
            for way in args.ways
        }
        seconds = take_turns(args, steps)
        report_speed(args, seconds)
        first = args.ways[0]
        print_limits(args, steps[first], waits, statistics.median(seconds[first]))


if __name__ == "__main__":
    main()
