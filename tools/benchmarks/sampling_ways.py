"""Plans, draws and indexes of millions of posts, measured; and Detectron2's repeat factors."""

import json
import multiprocessing
import os
import shutil
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from detectron2.data.samplers import RepeatFactorTrainingSampler
from generated_hashtags import LABELS, draw_hashtags

from igdet.data.draws.epoch import EpochList, EpochPlan, plan_epoch, use_labels
from igdet.data.draws.samplers import NumberedSampler
from igdet.formats.shards.columns import open_columns
from igdet.formats.shards.format import INDEX_NAME, index_schema
from igdet.formats.vocabulary import VOCABULARY_NAME, Vocabulary
from igdet.utils.files import map_array

MILLION = 1_000_000
DRAWS = 20_000


def write_posts(folder: Path, millions: int) -> None:
    """Write the arrays of so many million posts, unless they are there."""
    ids = folder / f"ids_{millions}.bin"
    if not ids.exists():
        np.arange(0, 2 * millions * MILLION + 1, 2).tofile(folder / f"offsets_{millions}.bin")
        with (folder / "unfinished").open("wb") as file:
            for part in range(millions):
                draw_hashtags(MILLION, np.random.default_rng(part)).tofile(file)
        (folder / "unfinished").rename(ids)


def map_posts(folder: Path, millions: int) -> tuple[np.ndarray, np.ndarray]:
    """Map the arrays of `write_posts`."""
    return map_array(folder / f"offsets_{millions}.bin", np.int64), map_array(folder / f"ids_{millions}.bin", np.int32)


def measure_plan(folder: Path, millions: int) -> tuple[float, float]:
    """Make a plan: seconds, and gigabytes that the process came to."""
    posts = map_posts(folder, millions)
    started = time.perf_counter()
    _plan(posts, folder / "kept")
    return time.perf_counter() - started, _status_gigabytes("VmHWM")


def measure_draws(folder: Path, millions: int) -> tuple[float, float]:
    """Draw: draws a second, and gigabytes that the process came to without the pages that it shares."""
    posts = map_posts(folder, millions)
    sampler = NumberedSampler(EpochList(_plan(posts, folder / "kept"), seed=0), seed=0)
    started, before = time.perf_counter(), _status_gigabytes("RssAnon")
    for _ in islice(sampler, DRAWS):
        pass
    return DRAWS / (time.perf_counter() - started), _status_gigabytes("RssAnon") - before


def _plan(posts: tuple[np.ndarray, np.ndarray], kept: Path) -> EpochPlan:
    """Plan from the beginning, on the disk as a training does."""
    shutil.rmtree(kept, ignore_errors=True)
    return plan_epoch(use_labels(*posts, kept / "labels"), "square_root", 2.0, kept / "plans")


def measure_nothing() -> tuple[float, float]:
    """What a process comes to that has only imported igdet, torch and Detectron2."""
    return 0.0, _status_gigabytes("VmHWM")


def measure_index(folder: Path) -> tuple[float, float]:
    """Map an index for the first time: posts a second, gigabytes that the process came to."""
    os.environ["IGDET_CACHE"] = str(folder / "cache")
    for _ in range(2):  # the first time, PyArrow loads what it needs
        shutil.rmtree(folder / "cache", ignore_errors=True)
        started = time.perf_counter()
        open_columns(folder / INDEX_NAME)
    return MILLION / (time.perf_counter() - started), _status_gigabytes("VmHWM")


def measure_shard_list(folder: Path, shards: int) -> tuple[float, int]:
    """Start with so many shards: seconds to read their list and look at each file, and bytes of the list.

    One file stands for all: on a local disk a look takes as long as at any other.
    """
    listed = {f"posts-{i:06d}.tar": (10_000, folder.stat().st_size) for i in range(shards)}
    (folder / "shards.json").write_text(json.dumps(listed))
    started = time.perf_counter()
    for _ in json.loads((folder / "shards.json").read_text()):
        os.stat(folder / INDEX_NAME)  # noqa: PTH116
    return time.perf_counter() - started, (folder / "shards.json").stat().st_size


def write_index(folder: Path, posts: int = MILLION) -> None:
    """Write an index of posts with keys of 32 letters, 10,000 to a shard."""
    Vocabulary((f"label{i}",) for i in range(LABELS)).write(folder / VOCABULARY_NAME)
    rows = np.arange(posts)
    columns = {
        "shard": pa.DictionaryArray.from_arrays(
            pa.array(rows // 10_000, pa.int32()), [f"posts-{i:06d}.tar" for i in range(-(-posts // 10_000))]
        ),
        "offset": pa.array(512 + rows % 10_000 * 50_000),
        "size": pa.array(rows % 40_000),
        "key": pa.array([f"{row * 0x9E3779B97F4A7C15 % 2**64:032x}" for row in range(posts)]),
        "labels": pa.ListArray.from_arrays(
            pa.array(np.arange(0, 2 * posts + 1, 2), pa.int32()), draw_hashtags(posts, np.random.default_rng(0)).ravel()
        ),
    }
    schema = index_schema(folder / VOCABULARY_NAME)
    pq.write_table(pa.table([columns[name] for name in schema.names], schema=schema), folder / INDEX_NAME)


def measure_detectron2(ids: np.ndarray) -> float:
    """Seconds that Detectron2 takes for the repeat factors of some posts, int32 (n, 2), at a threshold of 0.001."""
    dicts = [{"annotations": [{"category_id": label} for label in labels]} for labels in ids.tolist()]
    started = time.perf_counter()
    RepeatFactorTrainingSampler.repeat_factors_from_category_frequency(dicts, 0.001)
    return time.perf_counter() - started


def in_fresh_process(function: Callable, *arguments) -> tuple[float, float]:
    """Call a function in a process that has done nothing else."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def _status_gigabytes(field: str) -> float:
    return int(Path("/proc/self/status").read_text().split(f"{field}:")[1].split()[0]) / 1e6  # is in kilobytes
