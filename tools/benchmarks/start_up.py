"""Time until a command answers, against the same by Detectron2's own training script, each in a fresh process.

Example: python tools/benchmarks/start_up.py --repeats 9
"""

import argparse
import statistics
import subprocess
import sys
import time

from record import report, table
from tqdm import tqdm

WORLD = "configs/quick_schedules/pretrain_world.yaml"
# What Detectron2's tools/train_net.py does before it looks at a config, and up to where it refuses a key.
PEER_HELP = "from detectron2.engine import default_argument_parser as parser; parser().parse_args(['--help'])"
PEER_KEY = "from detectron2.engine import DefaultTrainer; from detectron2.config import get_cfg; "
PEER_KEY += "get_cfg().merge_from_list(['SOLVER.BASE_LRR', '1'])"
REGISTERED = "import detectron2.checkpoint, detectron2.data, detectron2.modeling"
# What it is -> igdet's way (arguments of Python), what it is compared with, and that one's way.
CASES = {
    "`train_net --help`": (["tools/train_net.py", "--help"], "Detectron2's", ["-c", PEER_HELP]),
    "a wrong key": (
        ["tools/train_net.py", "--config-file", WORLD, "SOLVER.BASE_LRR", "1"],
        "Detectron2's",
        ["-c", PEER_KEY],
    ),
    "a wrong path": (["tools/train_net.py", "--config-file", "no.yaml"], "Detectron2's", ["-c", PEER_KEY]),
    "`weights list`": (["tools/weights.py", "list"], "`import torch`", ["-c", "import torch"]),
    "`benchmark status`": (
        ["tools/benchmark.py", "status", "configs/benchmark/demo.yaml"],
        "`import torch`",
        ["-c", "import torch"],
    ),
    "`curate status`": (
        ["tools/curate.py", "status", "configs/curation/harrison.yaml"],
        "`import daft`",
        ["-c", "import daft"],
    ),
    "`import igdet`, registered": (
        ["-c", f"{REGISTERED}; import igdet"],
        "what it registers with alone",
        ["-c", REGISTERED],
    ),
}


def seconds(arguments: list[str]) -> float:
    """Return how long one process takes."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Measure in turn, print and record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9, help="of each (default: %(default)s)")
    args = parser.parse_args()
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in CASES}
    for _ in tqdm(range(args.repeats + 1), "rounds"):  # the first one fills the cache of files
        for name, (ours, _, theirs) in CASES.items():
            found[name].append((seconds(ours), seconds(theirs)))
    rows = []
    for name, pairs in found.items():
        ours, theirs = (statistics.median(times) for times in zip(*pairs[1:], strict=True))
        rows.append([name, ours, CASES[name][1], theirs, theirs / ours])
    columns = ["what", "igdet, s", "compared with", "s", "times as fast"]
    report("start_up", times=table(columns, rows, ["", ".2f", "", ".2f", ".1f"]))


if __name__ == "__main__":
    main()
