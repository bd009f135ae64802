"""Times decoding, cropping, flipping, resizing and normalising of real JPEGs on one core, beside torchvision.

taskset -c 0 python tools/benchmarks/input_pipeline.py datasets/coco/val2017 --repeats 7
"""

import argparse
import io
import statistics
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from input_pipeline_ways import EVALUATION, RESTARTED, TRAINING, Draw, Way, igdet_training, levels_apart
from PIL import Image
from record import Table, report, table

from igdet.formats.images import open_image

HEADER = ["way", "ms an image (median)", "times torchvision v1", "times torchvision v2", "difference: median", "95%"]
FORMATS = ["", ".2f", ".2f", ".2f", ".3f", ".3f"]
_SIZES = [".1f", ".1f", "+.1%"]


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="JPEGs, also in folders below")
    parser.add_argument("--count", type=int, default=500, help="images at most")
    parser.add_argument("--repeats", type=int, default=7, help="of each way, in turn")
    parser.add_argument("--side", type=int, help="make the images' longer side this long first (ImageNet: 500)")
    parser.add_argument("--quality", type=int, default=93, help="of JPEG after --side")
    parser.add_argument("--max-side", type=int, nargs="*", default=[256, 320, 384], help="of curated shards, pixels")
    return parser.parse_args()


def read_images(args: argparse.Namespace) -> list[Draw]:
    """Read the files, and draw a crop and a flip for each."""
    files = sorted(path for path in args.folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))[: args.count]
    images = [path.read_bytes() for path in files]
    if args.side:
        images = [made_smaller(data, args.side, args.quality) for data in images]
    return [Draw.of(data, number) for number, data in enumerate(images)]


def made_smaller(data: bytes, side: int, quality: int) -> bytes:
    """Encode an image again with its longer side at `side` pixels."""
    image = open_image(io.BytesIO(data)).convert("RGB")
    image.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=None)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def describe(draws: list[Draw]) -> str:
    """Say how large the images are."""
    pixels = statistics.mean(np.prod(open_image(io.BytesIO(draw.data)).size) for draw in draws)
    size = statistics.mean(len(draw.data) for draw in draws)
    return f"{len(draws)} JPEGs, on the average {pixels / 1e6:.2f} megapixels and {size / 1e3:.0f} kB"


def milliseconds(way: Way, draws: list[Draw]) -> float:
    """Time one pass over the images; give ms of processor time an image, which other processes hardly disturb."""
    started = time.process_time()
    for draw in draws:
        way(draw)
    return (time.process_time() - started) / len(draws) * 1000


def measure(tasks: dict[str, tuple[Way, list[Draw]]], repeats: int) -> list[list]:
    """Run the tasks in turn, the peers first in the dictionary; return a row of the table for each."""
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(repeats + 1):  # the first round warms up
        for name, (way, draws) in tasks.items():
            times[name].append(milliseconds(way, draws))
    medians = {name: statistics.median(values[1:]) for name, values in times.items()}
    (reference, originals), *_ = tasks.values()
    expected = [reference(draw) for draw in originals]
    base, other, *_ = medians.values()
    rows = []
    for name, (way, draws) in tasks.items():
        apart = [levels_apart(way(draw), wanted) for draw, wanted in zip(draws, expected, strict=True)]
        ratios = base / medians[name], other / medians[name]
        rows.append([name, medians[name], *ratios, np.median(apart), np.percentile(apart, 95)])
    return rows


def main() -> None:
    """Measure training and evaluation, print and record the tables."""
    args = parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    draws = read_images(args)
    print(describe(draws))
    restarted = [draw.restarted() for draw in draws]
    tasks = {
        name: {way: (call, draws) for way, call in ways.items()}
        | {f"{way}, shards with `RESTART_MARKERS`": (call, restarted) for way, call in RESTARTED[name].items()}
        for name, ways in (("training", TRAINING), ("evaluation", EVALUATION))
    }
    for side in args.max_side:
        smaller = [draw.curated(side) for draw in draws]
        print(f"curated, MAX_SIDE {side}: {describe(smaller)}")
        tasks["training"][f"igdet, shards of `MAX_SIDE` {side}"] = (igdet_training(), smaller)
    tables = {name: table(HEADER, measure(ways, args.repeats), FORMATS) for name, ways in tasks.items()}
    report("input_pipeline" + (f"_{args.side}" if args.side else ""), **tables, bytes=sizes(draws, restarted))


def sizes(draws: list[Draw], restarted: list[Draw]) -> Table:
    """Say by how much restart markers make files larger."""
    before, after = (statistics.mean(len(draw.data) for draw in kind) / 1000 for kind in (draws, restarted))
    return table(["kB on average", "with `RESTART_MARKERS`", "growth"], [[before, after, after / before - 1]], _SIZES)


if __name__ == "__main__":
    main()
