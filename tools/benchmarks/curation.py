"""Times normalising, canonicalising, counting and writing of generated posts, beside Polars and pandas.

python tools/benchmarks/curation.py runs/benchmarks/posts --posts 5_000_000 --distinct 200_000 --repeats 3
"""

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
from curation_ways import COUNTS, WAYS
from generated_posts import write_posts
from record import report, table


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where posts and results go; posts that are there are taken")
    parser.add_argument("--posts", type=int, default=5_000_000)
    parser.add_argument("--distinct", type=int, default=200_000, help="different hashtags")
    parser.add_argument("--repeats", type=int, default=3, help="of each way, in turn")
    parser.add_argument("--ways", nargs="*", choices=WAYS, default=list(WAYS))
    parser.add_argument("--one", choices=WAYS, help=argparse.SUPPRESS)  # a run, in a process of its own
    return parser.parse_args()


def run_one(way: str, posts: Path, output: Path) -> None:
    """Do the work once; print seconds and the most memory that the process had, bytes."""
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    started = time.perf_counter()
    WAYS[way](posts, output)
    seconds = time.perf_counter() - started
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


def measure(args: argparse.Namespace, way: str, posts: Path) -> tuple[float, float]:
    """Run a way in a new process; return its seconds and bytes."""
    command = [sys.executable, __file__, str(args.folder), "--one", way, "--posts", str(args.posts)]
    command += ["--distinct", str(args.distinct)]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    seconds, size = result.stdout.split()[-2:]
    return float(seconds), float(size)


def counts_of(folder: Path) -> dict[str, int]:
    """Read how many posts carry each label."""
    table = pq.read_table(folder / COUNTS)
    return dict(zip(table["label"].to_pylist(), table["posts"].to_pylist(), strict=True))


def main() -> None:
    """Generate, run the ways in turn, compare what they have counted, print and record the table."""
    args = parse_args()
    posts = args.folder / f"{args.posts}-{args.distinct}"
    if args.one:
        run_one(args.one, posts, args.folder / args.one)
        return
    if not posts.is_dir():
        write_posts(posts, args.posts, args.distinct)
    runs: dict[str, list[tuple[float, float]]] = {way: [] for way in args.ways}
    for _ in range(args.repeats):
        for way, measured in runs.items():
            measured.append(measure(args, way, posts))
    expected = counts_of(args.folder / args.ways[0])
    rows = []
    for way, measured in runs.items():
        seconds = statistics.median(seconds for seconds, _ in measured)
        counts = counts_of(args.folder / way)
        differing = sum(expected.get(label) != count for label, count in counts.items()) + len(expected.keys() - counts)
        rows.append([way, seconds, args.posts / seconds, max(size for _, size in measured) / 1e6, differing])
    rows = [[*row[:3], rows[0][1] and row[1] / rows[0][1], *row[3:]] for row in rows]
    header = ["way", "seconds (median)", "posts/s", "times as long", "most MB", "labels counted otherwise"]
    report("curation", speed=table(header, rows, ["", ".1f", ",.0f", ".2f", ",.0f", "d"]))


if __name__ == "__main__":
    main()
