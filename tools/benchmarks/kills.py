"""Kills every long command at random moments, starts it again each time, and compares it with one left alone.

  python tools/benchmarks/kills.py runs/kills --kills 20            20 of each of five commands

A kill is SIGKILL to the command alone: what it has started must end with it, at once and by itself. Then the same
command is given again. The world and the posts are small ones, made in the folder.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import torch
import yaml
from record import report, table

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "configs/quick_schedules"
LONGEST = 30  # seconds that orphans are waited for
DATA = (".parquet", ".tar", ".txt", ".csv", ".jpg", ".json")
NOT_DATA = ("manifests", "logs", "plan.json")  # of when the source is, when and how long, and by which names


def tool(name: str, *arguments: object) -> list[str]:
    """Return the command line of a program in tools/."""
    return [sys.executable, str(ROOT / "tools" / name), *map(str, arguments)]


def files_of(folder: Path) -> list[tuple[str, str]]:
    """Return path and hash of each data file in a folder; random names count for nothing."""
    paths = [path for path in folder.rglob("*") if path.suffix in DATA and not set(path.parts) & set(NOT_DATA)]
    names = [str(path.relative_to(folder)) for path in paths]
    hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    return sorted(zip(names, hashes, strict=True))


def training_of(folder: Path) -> dict[str, object]:
    """Return a training's results, and a hash of its weights."""
    digest = hashlib.sha256()
    for name, tensor in torch.load(folder / "model_final.pth")["model"].items():
        digest.update(name.encode() + tensor.numpy().tobytes())
    return {"results": json.loads((folder / "results.json").read_text())["results"], "weights": digest.hexdigest()}


def cells_of(folder: Path) -> dict[str, object]:
    """Return the results of a benchmark's cells, by the cell's path."""
    found = sorted(folder.rglob("results.json"))
    return {str(path.relative_to(folder)): json.loads(path.read_text())["results"] for path in found}


def curation(out: Path) -> list[str]:
    """Write the config of a curation with shards, by two processes, and return the command."""
    config = {
        "OUTPUT_DIR": str(out),
        "SOURCE": {"PATHS": ["runs/world/loose/posts.csv"], "TAGS": "hashtags"},
        "SHARDS": {"IMAGES": "runs/world/loose", "PROCESSES": 2, "POSTS_PER_SHARD": 4},
    }
    out.with_suffix(".yaml").write_text(yaml.safe_dump(config))
    return tool("curate.py", "run", out.with_suffix(".yaml"))


def training(config: str, *options: object) -> Callable[[Path], list[str]]:
    """Return what makes the command of a training of a few steps with two loader processes."""
    common = ["SOLVER.WARMUP_IMAGES", 0, "SOLVER.CHECKPOINT_PERIOD", 5, "DATALOADER.NUM_WORKERS", 2, "SEED", 1]
    return lambda out: tool(
        "train_net.py", "--config-file", CONFIGS / config, "--resume", *common, *options, "OUTPUT_DIR", out
    )


def benchmark(out: Path) -> list[str]:
    """Write a suite of a pretraining and two transfers, and return the command."""
    short = {"SOLVER.IMAGES_SEEN": 160, "SOLVER.WARMUP_IMAGES": 0, "SOLVER.CHECKPOINT_PERIOD": 5}
    pretraining = {"TITLE": "Hashtags", "CONFIG": str(CONFIGS / "pretrain_world.yaml")}
    linear = {"TITLE": "Linear", "CONFIG": str(CONFIGS / "linear_world.yaml")}
    suite = {
        "TITLE": "Kills",
        "OUTPUT_DIR": str(out),
        "JOBS": 2,
        "BASELINES": ["scratch"],
        "INITIALIZATIONS": {"scratch": {"TITLE": "Scratch"}, "hashtag": pretraining | {"OPTS": short}},
        "TARGETS": {"linear": linear | {"METRICS": {"classification/top1": "Top-1"}, "OPTS": short}},
        "TRAIN_SCRIPT": str(ROOT / "tools/train_net.py"),
    }
    out.with_suffix(".yaml").write_text(yaml.safe_dump(suite))
    return tool("benchmark.py", "run", out.with_suffix(".yaml"))


class Work(NamedTuple):
    """A long command.

    Attributes:
        command: makes its command line, given where the result goes.
        result: what must be the same after kills.
    """

    command: Callable[[Path], list[str]]
    result: Callable[[Path], object]


WORKS: dict[str, Work] = {
    "make_world": Work(lambda out: tool("make_world.py", "--out", out, "--size", "tiny", "--workers", 2), files_of),
    "curate": Work(curation, files_of),
    "pretraining": Work(training("pretrain_world.yaml", "SOLVER.IMAGES_SEEN", 640), training_of),
    "detection": Work(training("mask_rcnn_world.yaml", "SOLVER.IMAGES_SEEN", 160), training_of),
    "benchmark": Work(benchmark, cells_of),
}


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="for the runs; what an earlier call left there is deleted")
    parser.add_argument("--kills", type=int, default=20, help="of each command")
    parser.add_argument("--only", nargs="+", choices=WORKS, default=list(WORKS))
    parser.add_argument("--seed", type=int, default=0, help="of the dice")
    return parser.parse_args()


def start(command: list[str], folder: Path) -> subprocess.Popen:
    """Start a command in the folder, with what it says in log.txt."""
    with (folder / "log.txt").open("a") as log:
        return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, start_new_session=True)


def descendants(process: int) -> Iterator[int]:
    """Yield the ids of all processes below one."""
    try:
        tasks = list(Path(f"/proc/{process}/task").iterdir())
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
        return
    for child in children:
        yield child
        yield from descendants(child)


def lives(process: int) -> bool:
    """Whether a process is there and at work: what has ended may wait for whoever takes note."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def kill(process: subprocess.Popen) -> tuple[int, float]:
    """Kill a command; return how many processes it had started, and the seconds that the last of them lived on."""
    below = list(descendants(process.pid))
    process.send_signal(signal.SIGKILL)
    process.wait()
    killed = time.monotonic()
    while any(map(lives, below)) and time.monotonic() - killed < LONGEST:
        time.sleep(0.01)
    lived = time.monotonic() - killed
    for orphan in filter(lives, below):
        os.kill(orphan, signal.SIGKILL)
    return len(below), lived


def try_work(name: str, folder: Path, kills: int, dice: random.Random) -> list:
    """Run a command whole, then with kills; return the row of the table."""
    work, (whole, killed) = WORKS[name], (folder / f"{name}-{part}" for part in ("whole", "killed"))
    started = time.monotonic()
    if start(work.command(whole), folder).wait():
        sys.exit(f"{name} does not run: see {folder}/log.txt")
    seconds, done, orphans, longest, ends = time.monotonic() - started, 0, 0, 0.0, 0
    while done < kills:
        process = start(work.command(killed), folder)
        try:
            process.wait(dice.uniform(0.2, seconds))
        except subprocess.TimeoutExpired:
            count, lived = kill(process)
            done, orphans, longest = done + 1, orphans + count, max(longest, lived)
        else:
            ends += 1  # there is nothing left to be killed: from the beginning
            shutil.rmtree(killed, ignore_errors=True)
    status = start(work.command(killed), folder).wait()
    same = status == 0 and work.result(whole) == work.result(killed)
    return [name, seconds, done, ends, orphans, longest, "yes" if same else "NO"]


def main() -> int:
    """Make the world, try every command, print and record a table; the exit status is 1 when a result differs."""
    args = parse_args()
    folder = args.folder.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "runs").mkdir(parents=True)
    if start(WORKS["make_world"].command(folder / "runs/world"), folder).wait():
        sys.exit(f"make_world does not run: see {folder}/log.txt")
    dice = random.Random(args.seed)
    rows = []
    for name in args.only:
        rows.append(try_work(name, folder, args.kills, dice))
        print(*rows[-1], flush=True)
    header = ["command", "s whole", "kills", "ends between", "processes", "longest orphan s", "same result"]
    report("kills", kills=table(header, rows, ["", ".2f", "", "", "", ".2f", ""]))
    return int(any(row[-1] == "NO" or row[-2] > 5 for row in rows))


if __name__ == "__main__":
    sys.exit(main())
