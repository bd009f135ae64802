"""Measures how fast, and in how much memory, draws from millions of posts are planned and looked up, beside Detectron2.

    python tools/benchmarks/sampling.py FOLDER                      1, 10 and 100 million posts, three times each
    python tools/benchmarks/sampling.py FOLDER --millions 1 --repeats 1

Posts carry two hashtags each, Zipfian over 17,000 labels; they are written into the folder (16 bytes a post, and an
index of a million posts), which is left there. Each plan is made by a fresh process from mapped arrays. Detectron2
works the repeat factors of 200,000 posts out of its list of dicts, in turn with the plans.
"""

import argparse
import statistics
from pathlib import Path

import numpy as np
from generated_hashtags import draw_hashtags
from record import Table, report, table
from sampling_ways import (
    MILLION,
    in_fresh_process,
    measure_detectron2,
    measure_draws,
    measure_index,
    measure_nothing,
    measure_plan,
    measure_shard_list,
    write_index,
    write_posts,
)

from igdet.data.draws.epoch import BLOCK

PAPER = 3_500_000_000
PAPER_SHARDS = PAPER // 10_000
IMAGE, BUFFER = 50_000, 4096  # bytes; posts, the default of DATALOADER.STREAM_BUFFER
DICTS = 200_000


def measure(folder: Path, millions: list[int], repeats: int) -> None:
    """Write what is needed, measure in turn, print and record."""
    for count in millions:
        write_posts(folder, count)
    write_index(folder)
    some = draw_hashtags(DICTS, np.random.default_rng(0))
    plans, theirs, indexing = {count: [] for count in millions}, [], []
    for _ in range(repeats):
        theirs.append(measure_detectron2(some))
        for count, plan in plans.items():
            plan.append(in_fresh_process(measure_plan, folder, count))
        indexing.append(in_fresh_process(measure_index, folder))
    _, imported = in_fresh_process(measure_nothing)
    rate = DICTS / statistics.median(theirs)
    rows = [(count, *in_fresh_process(measure_draws, folder, count)) for count in millions]
    draws = table(
        ["million posts", "draws/s", "private memory of the look-ups, MB"],
        [[count, f"{per_second:,.0f}", f"{1000 * gigabytes:.0f}"] for count, per_second, gigabytes in rows],
    )
    seconds_per_post = statistics.median(seconds for seconds, _ in plans[millions[-1]]) / millions[-1] / MILLION
    indexed_per_second = statistics.median(speed for speed, _ in indexing)
    paper = paper_table(seconds_per_post, indexed_per_second, rate, *measure_shard_list(folder, PAPER_SHARDS))
    print(f"\nDetectron2, {DICTS:,} dicts: {rate / MILLION:.2f} million posts a second (median)")
    report("sampling", plans=plans_table(plans, rate, imported), draws=draws, paper=paper)


def plans_table(plans: dict[int, list[tuple[float, float]]], rate: float, imported: float) -> Table:
    """Return the plans beside Detectron2's rate, posts a second."""
    rows = []
    for count, plan in plans.items():
        seconds, gigabytes = (statistics.median(column) for column in zip(*plan, strict=True))
        ours = count / seconds
        rows.append([count, f"{seconds:.2f}", f"{ours:.1f}", f"{ours * MILLION / rate:.0f}x", f"{gigabytes:.2f}"])
    header = [
        "million posts",
        "plan, s",
        "million posts/s",
        "against Detectron2",
        f"peak memory, GB ({imported:.2f} idle)",
    ]
    return table(header, rows)


def paper_table(
    seconds_per_post: float, indexed_per_second: float, rate: float, list_seconds: float, list_bytes: int
) -> Table:
    """Return what the paper's 3.5 billion posts, drawn 7 billion times an epoch, would need."""
    columns = 8 + 4 + 8 + 2 * 4 + 8 + 32  # offset, size, end of hashtags, two hashtags, end of key, key
    plan = PAPER * (2 + 8 / BLOCK)  # the rarest hashtag of each post, the sum of each block
    mapped, planned = PAPER / indexed_per_second / 60, PAPER * seconds_per_post / 60
    images = f"{BUFFER * IMAGE / 1e6:.0f} MB of images"
    rows = [
        ["disk, index mapped", f"{PAPER * columns / 1e9:.0f} GB", f"{list_bytes / 1e6:.0f} MB", "none"],
        ["disk, plan", f"{plan / 1e9:.1f} GB", "none", "none"],
        [
            "memory of a training process",
            "shared pages of these",
            "the list",
            f"{2 * PAPER * 8 / 1e9:.0f} GB, the order",
        ],
        ["memory of a loader process", "shared pages of these", images, "-"],
        ["first start", f"{mapped:.0f} + {planned:.1f} min, once a machine", f"{list_seconds:.1f} s", "-"],
        ["later starts", f"{list_seconds:.1f} s", f"{list_seconds:.1f} s", f"{PAPER / rate / 3600:.1f} h, the factors"],
    ]
    return table(["3.5 billion posts in 350,000 shards", "through the index", "streamed", "Detectron2's way"], rows)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="on a local disk, with 2 GB to spare")
    parser.add_argument("--millions", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--repeats", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    args = parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    measure(args.folder, args.millions, args.repeats)
