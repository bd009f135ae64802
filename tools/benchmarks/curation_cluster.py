"""Curates generated posts with pictures on one machine, and on a cluster that loses a machine and a process meanwhile.

  python tools/benchmarks/curation_cluster.py runs/benchmarks/cluster --posts 1_000_000

The cluster's machines are Ray nodes of one CPU each on this one, so that times compare what the cluster costs, not what
it gains. Both results must have the same files with the same bytes, but for the logs and the report, which hold times.
"""

import argparse
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import yaml
from generated_posts import write_posts
from PIL import Image
from ray.cluster_utils import Cluster
from record import Table, report, table

from igdet.curation.shards.labelled_posts import LabelledPosts
from igdet.curation.stages.numbered_posts import increments

ROOT = Path(__file__).resolve().parents[2]
PICTURES, SIDE = 5_000, 64  # different files, each the image of many posts; pixels
EVALUATION = 20  # pictures whose posts are near-duplicates of an evaluation image
POSTS_PER_SHARD, POSTS_PER_FILE = 10_000, 25_000
HASHTAGS = 200_000
STAGES = ("posts", "labels", "vocabulary", "duplicates", "shards")
SHARD = "posts-*.tar"
ALL_POSTS, MACHINES = 3.5e9, (1, 32, 256)  # on paper
PHOTOGRAPH, STORAGE = 100_000, (10.0, 100.0)  # bytes; GB/s
STORE = {"object_store_memory": 200 * 2**20}  # bytes a node
# Ray's limits on memory and disk are for machines of its own, and its workers would give way to all else.
RAY = {"RAY_memory_monitor_refresh_ms": "0", "RAY_local_fs_capacity_threshold": "1", "RAY_worker_niceness": "0"}


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where posts and results go; posts that are there are taken")
    parser.add_argument("--posts", type=int, default=1_000_000)
    parser.add_argument("--nodes", type=int, default=4, help="machines of the cluster")
    return parser.parse_args()


def make_source(folder: Path, posts: int) -> None:
    """Write posts, their pictures, and evaluation images that resemble some of them."""
    write_posts(folder / "generated", posts, HASHTAGS)
    (folder / "posts").mkdir(exist_ok=True)
    for batch in ds.dataset(folder / "generated").to_batches(batch_size=POSTS_PER_FILE):
        names = batch["id"].to_pylist()
        images = pa.array([f"{int(name) % PICTURES}.jpg" for name in names])
        content = pa.Table.from_batches([batch]).set_column(1, "image", images)
        pq.write_table(content, folder / f"posts/{names[0]:>09}.parquet")
    for name, pictures, quality in (("images", PICTURES, 90), ("evaluation", EVALUATION, 80)):
        (folder / name).mkdir()
        for seed in range(pictures):
            (folder / name / f"{seed}.jpg").write_bytes(picture(seed, quality))


def picture(seed: int, quality: int) -> bytes:
    """Return a JPEG file of coarse noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).resize((SIDE, SIDE)).save(file, "JPEG", quality=quality)
    return file.getvalue()


def write_config(folder: Path) -> Path:
    """Write the config of both runs; their results go to the same folder, one after the other."""
    config = {
        "OUTPUT_DIR": str(folder / "out"),
        "ENGINE": {"SLICE_MB": 8},  # of a million posts four slices
        "SOURCE": {"PATHS": [str(folder / "posts")], "ID": "id", "TAGS": "tags"},
        "DUPLICATES": {"EVALUATION": str(folder / "evaluation")},
        "SHARDS": {"IMAGES": str(folder / "images"), "POSTS_PER_SHARD": POSTS_PER_SHARD},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder / "config.yaml"


def curate(config: Path, *overrides: str) -> float:
    """Run the command; return its seconds."""
    started = time.perf_counter()
    command = [sys.executable, str(ROOT / "tools/curate.py"), "run", str(config), *overrides]
    subprocess.run(command, check=True, env={**os.environ, **RAY})
    return time.perf_counter() - started


def taken_away(output: Path) -> tuple[dict[str, str], dict[str, dict]]:
    """Return name -> SHA-256 of the files of a result, and stage -> its log; remove the result."""
    others = {output / "report.html", *(output / "logs").iterdir()}
    files = sorted(path for path in output.rglob("*") if path.is_file() and path not in others)
    hashes = {str(path.relative_to(output)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    logs = {stage: json.loads((output / f"logs/{stage}.json").read_text()) for stage in STAGES}
    shutil.rmtree(output)
    return hashes, logs


@contextmanager
def cluster_of(nodes: int) -> Iterator[Cluster]:
    """Start a cluster on this machine: a head that does no work, and nodes of one CPU."""
    os.environ.update(RAY)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, **STORE})
    try:
        for _ in range(nodes):
            cluster.add_node(num_cpus=1, **STORE)
        yield cluster
    finally:
        cluster.shutdown()


def lose(cluster: Cluster, output: Path, shards: int) -> None:
    """Kill a process when a quarter of the shards is there, and a node when half of them is."""
    wait_for(lambda: count_shards(output) >= shards / 4)
    *_, spared, lost = sorted(cluster.worker_nodes, key=lambda node: node.unique_id)
    os.kill(wait_for(lambda: worker_of(spared)), signal.SIGKILL)
    print("killed: a process", flush=True)
    wait_for(lambda: count_shards(output) >= shards / 2)
    worker = wait_for(lambda: worker_of(lost))
    cluster.remove_node(lost, allow_graceful=False)
    os.kill(worker, signal.SIGKILL)  # where there is no Ray any more, a machine is no more
    print("killed: a node", flush=True)


def wait_for(condition: Callable[[], int]) -> int:
    """Return what a condition comes to when it holds."""
    while not (found := condition()):
        time.sleep(0.1)
    return found


def count_shards(output: Path) -> int:
    """Count finished shards."""
    return len(list((output / "shards").glob(SHARD)))


def worker_of(node: object) -> int:
    """Return the id of a process of a node that is writing a shard, 0 for none."""
    raylet = node.all_processes["raylet"][0].process.pid
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == raylet and any(".tar." in str(file.readlink()) for file in (path / "fd").iterdir()):
                return int(path.name)
        except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            continue
    return 0


def steps_of(alone: dict[str, dict], shared: dict[str, dict]) -> Table:
    """Put the steps of both runs beside each other."""
    rows = []
    for stage in STAGES:
        for one, other in zip(alone[stage]["steps"], shared[stage]["steps"], strict=True):
            rates = [step["rows"] / step["seconds"] for step in (one, other)]
            slowest = other["slowest"][0]["seconds"]
            rows.append([one["name"], one["items"], *rates, other["median"], slowest])
    header = ["step", "items", "one machine, posts/s", "cluster, posts/s", "an item, median s", "slowest, s"]
    return table(header, rows, ["", ",d", ",.0f", ",.0f", ".2f", ".2f"])


def stages_of(alone: dict[str, dict], shared: dict[str, dict]) -> Table:
    """Put the seconds of the stages of both runs beside each other, with all that is done by the command's machine."""
    rows = [[stage, alone[stage]["seconds"], shared[stage]["seconds"]] for stage in STAGES]
    return table(["stage", "one machine, s", "cluster, s"], rows, ["", ".0f", ".0f"])


def rate_of_command(output: Path) -> float:
    """Measure the part of making shards that only the command's machine does: read posts, write the index; posts/s."""
    started, rows = time.perf_counter(), 0
    for posts in LabelledPosts(increments(output), sys.maxsize).tables(POSTS_PER_SHARD):
        rows += len(posts)
    index = pq.read_table(output / "shards/index.parquet")
    pq.write_table(index, io.BytesIO())
    return rows / (time.perf_counter() - started)


def on_paper(alone: dict[str, dict], rate: float) -> Table:
    """Compute from the rates of one machine what all posts would take on several: shared work is divided by them."""
    seconds = {stage: sum(step["seconds"] / step["rows"] for step in alone[stage]["steps"]) for stage in STAGES}
    shared = {
        "posts, labels, ids, order of the posts": sum(seconds[stage] for stage in STAGES[:3]),
        "images hashed for near-duplicates": seconds["duplicates"],
        f"shards, {SIDE}-pixel images": seconds["shards"],
    }
    hours = {name: [ALL_POSTS * each / n / 3600 for n in MACHINES] for name, each in shared.items()}
    hours["posts read for the shards, and their index, by the command's machine"] = [ALL_POSTS / rate / 3600] * 3
    hours["together"] = [sum(column) for column in zip(*hours.values(), strict=True)]
    moved = 3 * ALL_POSTS * PHOTOGRAPH  # read to be hashed, read for the shards, written
    for speed in STORAGE:
        hours[f"photographs of 100 kB, storage of {speed:.0f} GB/s"] = [moved / speed / 1e9 / 3600] * 3
    header = [f"{ALL_POSTS / 1e9:.1f} billion posts, hours", "1 machine", *(f"{n} machines" for n in MACHINES[1:])]
    return table(header, [[name, *cells] for name, cells in hours.items()], ["", ",.1f", ",.1f", ",.1f"])


def main() -> None:
    """Generate, run both, compare, print and record the tables."""
    args = parse_args()
    folder = args.folder.resolve() / f"{args.posts}"
    if not (folder / "evaluation").exists():
        make_source(folder, args.posts)
    config, output = write_config(folder), folder / "out"
    shutil.rmtree(output, ignore_errors=True)  # of a run that was stopped
    alone = curate(config, "SHARDS.PROCESSES", str(len(os.sched_getaffinity(0))))
    rate = rate_of_command(output)
    expected, log_alone = taken_away(output)
    with cluster_of(args.nodes) as cluster:
        Thread(target=lose, args=(cluster, output, -(-args.posts // POSTS_PER_SHARD)), daemon=True).start()
        shared = curate(config, "ENGINE.RUNNER", "ray", "ENGINE.ADDRESS", cluster.address)
    found, log_shared = taken_away(output)
    different = [name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)]
    again = [name for stage in STAGES for name in log_shared[stage]["begun_again"]]
    header = ["posts", "files", "other bytes", "one machine, s", "cluster, s", "times as long", "shards made again"]
    row = [args.posts, len(expected), len(different), alone, shared, shared / alone, ", ".join(again)]
    report(
        "curation_cluster",
        cluster=table(header, [row], [",d", ",d", "d", ".0f", ".0f", ".2f", ""]),
        stages=stages_of(log_alone, log_shared),
        steps=steps_of(log_alone, log_shared),
        paper=on_paper(log_alone, rate),
    )
    if different:
        sys.exit(f"{len(different)} files differ: {', '.join(sorted(different)[:5])}")


if __name__ == "__main__":
    main()
