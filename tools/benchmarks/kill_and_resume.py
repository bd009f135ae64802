"""Kills a training at random moments, continues it each time, and compares it with one that was left alone.

  python tools/make_world.py --out runs/world --size demo --seed 0
  python tools/benchmarks/kill_and_resume.py runs/kills --kills 20
  python tools/benchmarks/kill_and_resume.py runs/kills --kills 20 --stream s3://bucket/posts/train

A kill is SIGKILL to the whole process group, so many seconds after the start as the dice say, or after so many
iterations: while Python starts, while a model is built, in a step, while a checkpoint is written, while the result is
evaluated. Every start has another number of loader processes. With --stream the posts are read from there, by two
readers whoever holds them; a kill also loses what was fetched.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import torch
from record import Table, report, table

ROOT = Path(__file__).resolve().parents[2]
WATCHED = ROOT / "tests/engine/watched_run.py"  # notes every batch that the training takes
_LOOK = 0.05  # seconds between two looks at what a training has noted
CONFIG = ROOT / "configs/quick_schedules/pretrain_world.yaml"


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="for the runs; what an earlier call left there is deleted")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--images", type=int, default=12_800, help="length of the training")
    parser.add_argument("--longest", type=float, default=30, help="seconds after which a kill comes at the latest")
    parser.add_argument("--most", type=int, default=10**9, help="iterations after which it comes at the latest")
    parser.add_argument("--seed", type=int, default=0, help="of the dice")
    parser.add_argument("--stream", default="", help="folder or address of the shards of runs/world/posts/train")
    parser.add_argument("opts", nargs="*", metavar="KEY VALUE", help="further overrides of the config")
    return parser.parse_intermixed_args()


def start(args: argparse.Namespace, name: str, workers: int) -> subprocess.Popen:
    """Start the training, or continue it."""
    folder, posts = args.folder.resolve(), "DATASETS.OWN.world_posts_train"
    overrides = ["SOLVER.IMAGES_SEEN", args.images, "SOLVER.CHECKPOINT_PERIOD", 20, "SEED", 1]
    overrides += ["OUTPUT_DIR", folder / name]
    if args.stream:
        overrides += [f"{posts}.KIND", "hashtag_stream", f"{posts}.ROOT", args.stream]
        overrides += ["DATALOADER.STREAM_RANKS", 1, "DATALOADER.STREAM_WORKERS", 2]
    overrides += args.opts
    command = [sys.executable, WATCHED, folder / f"{name}.jsonl", "{}", ROOT / "tools/train_net.py", "--config-file"]
    command += [CONFIG, "--resume", *overrides, "DATALOADER.NUM_WORKERS", workers]
    with (folder / f"{name}.txt").open("a") as log:
        return subprocess.Popen(
            list(map(str, command)), cwd=ROOT, stdout=log, stderr=log, env=environment(folder), start_new_session=True
        )


def environment(folder: Path) -> dict[str, str]:
    """What a training is started with: it fetches what it streams into the folder."""
    return {**os.environ, "IGDET_CACHE": str(folder / "cache")}


def kill_after(process: subprocess.Popen, seconds: float, notes: Path, count: int) -> bool:
    """Kill a training and its loaders after a time, or when it notes that many batches; False: it ended before."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and _count(notes) < count:
        try:
            process.wait(_LOOK)
            return False
        except subprocess.TimeoutExpired:
            continue
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return True


def _count(notes: Path) -> int:
    return notes.read_bytes().count(b"\n") if notes.is_file() else 0


def batches(notes: Path) -> list[list]:
    """What was noted of each batch that was taken, in order: iteration, image ids, labels, a hash of the pixels."""
    return [json.loads(line) for line in notes.read_text().splitlines()] if notes.is_file() else []


def break_run(args: argparse.Namespace) -> list[list]:
    """Kill and continue; return a row for each kill."""
    dice, rows = random.Random(args.seed), []
    while len(rows) < args.kills:
        workers, seconds, most = dice.randrange(3), dice.uniform(0.5, args.longest), dice.randint(1, args.most)
        notes = args.folder / "killed.jsonl"
        before, started = _count(notes), time.monotonic()
        if not kill_after(start(args, "killed", workers), seconds, notes, before + most):
            break
        seconds = time.monotonic() - started
        shutil.rmtree(args.folder / "cache", ignore_errors=True)
        taken = batches(notes)[before:]
        half = any((args.folder / "killed").glob(".model_*"))
        span = f"{taken[0][0]} to {taken[-1][0]}" if taken else "none"
        rows.append([len(rows) + 1, seconds, workers, span, "yes" if half else ""])
    return rows


def lives(rows: list[list], taken: int, needed: int) -> Table:
    """Say when the kills came, of the rows of `break_run`, and how many batches were taken more than once."""
    idle = sum(span == "none" for *_, span, _ in rows)
    columns = ["kills", "before the first batch", "later", "batches", "taken", "again"]
    return table(columns, [[len(rows), idle, len(rows) - idle, needed, taken, taken - needed]])


def same(folder: Path) -> dict[str, bool]:
    """Compare the two runs."""
    notes = [batches(folder / f"{name}.jsonl") for name in ("whole", "killed")]
    whole, killed = ({iteration: batch for iteration, *batch in note} for note in notes)
    models = [torch.load(folder / name / "model_final.pth")["model"] for name in ("whole", "killed")]
    results = [json.loads((folder / name / "results.json").read_text())["results"] for name in ("whole", "killed")]
    return {
        "same samples in the same order": whole == killed,
        "same weights, bit for bit": all(torch.equal(models[0][name], models[1][name]) for name in models[0]),
        "same results": results[0] == results[1],
    }


def main() -> None:
    """Train whole, train with kills, print and record what happened."""
    args = parse_args()
    shutil.rmtree(args.folder, ignore_errors=True)
    args.folder.mkdir(parents=True)
    started = time.perf_counter()
    if start(args, "whole", workers=1).wait():
        sys.exit(f"the training does not run: see {args.folder}/whole.txt")
    whole_seconds = time.perf_counter() - started
    rows = break_run(args)
    if start(args, "killed", workers=1).wait():
        sys.exit(f"the killed training cannot be continued: see {args.folder}/killed.txt")
    header = ["kill", "after s", "loader processes", "iterations done", "half a checkpoint left"]
    report(
        "kill_and_resume_stream" if args.stream else "kill_and_resume",
        kills=table(header, rows, ["", ".1f", "", "", ""]),
        lives=lives(rows, len(batches(args.folder / "killed.jsonl")), len(batches(args.folder / "whole.jsonl"))),
    )
    print(f"\n{args.images:,} images, {whole_seconds:.0f} s without kills. After {len(rows)} kills:")
    for what, holds in same(args.folder).items():
        print(f"  {what}: {'yes' if holds else 'NO'}")


if __name__ == "__main__":
    main()
