"""A run's record: what ran, where, with which versions, for how long, and what came out, as one JSON file."""

import json
import math
import os
import platform
import resource
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from urllib.parse import unquote, urlsplit

import detectron2
import torch
import yaml
from detectron2.config import CfgNode

import igdet
from igdet.utils.files import atomic_write, read_json

RESULTS = "results.json"  # the record of a training; its presence says that the run is finished
DIVERGED = "diverged.json"  # why a training ended in a loss or in weights that are not finite
EVALUATION = "evaluation.json"  # the record of --eval-only, which says nothing about a training in the same folder
METRICS = "metrics.json"
CONFIG = "config.yaml"  # Detectron2's name of the config as it is run
CHANGES = "changes.jsonl"  # what resumptions changed in it, and after how many iterations
REMEDY = "the record of a run, an object; remove the file to train or evaluate again"
PACKAGES = ("torch", "torchvision", "numpy", "pillow", "opencv-python-headless", "pycocotools")


def write_record(path: Path, cfg: CfgNode, arguments: Mapping, results: Mapping, progress: Mapping) -> None:
    """Write the record of a run atomically.

    Args:
        path: the JSON file.
        cfg: the resolved config.
        arguments: "config_file" and "opts" of the command line.
        results: data set -> task -> metric -> number.
        progress: "images_seen", "seconds" and "started"; of a training also "posts_per_hashtag", "changes"
            of settings, "lost_foreground", the iteration since which a detector finds nothing, or None, and "trunk",
            what it costs (`igdet.modeling.costs.trunk_cost`).
    """
    record = {
        **arguments,
        "weights": cfg.MODEL.WEIGHTS,
        "results": results,
        **progress,
        "finished": utc_now(),
        **surroundings(cfg),
        "config": yaml.safe_load(cfg.dump()),
    }
    with atomic_write(path, "w") as file:
        json.dump(_without_nan(record), file, indent=1)


def utc_now() -> str:
    """The time now, ISO 8601, UTC, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def read_record(path: Path) -> dict | None:
    """The record of a run, or None where there is none.

    Raises:
        UserError: the file is damaged.
    """
    return read_json(path, REMEDY) if path.is_file() else None


def by_dataset(cfg: CfgNode, results: Mapping) -> dict:
    """Undo Detectron2's flattening: one test set's results come without its name.

    Args:
        cfg: the config, for DATASETS.TEST.
        results: what `DefaultTrainer.test` returned.

    Returns:
        Data set -> task -> metric -> number.
    """
    return {cfg.DATASETS.TEST[0]: dict(results)} if len(cfg.DATASETS.TEST) == 1 else dict(results)


def surroundings(cfg: CfgNode) -> dict:
    """Versions, device and machine of this process."""
    device = torch.cuda.get_device_name() if cfg.MODEL.DEVICE.startswith("cuda") else cfg.MODEL.DEVICE
    return {
        "versions": {"python": platform.python_version(), "igdet": igdet.__version__, **_package_versions()},
        "device": device,
        "host": {"cpu": _cpu_name(), "cores": os.cpu_count(), "threads": torch.get_num_threads()},
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,  # Linux counts in KiB
    }


def _package_versions() -> dict[str, str]:
    versions = {"detectron2": detectron2.__version__}
    if commit := source_commit("detectron2"):  # its version has been 0.6 since 2021
        versions["detectron2_commit"] = commit
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue  # OpenCV comes under several names
    return versions


def source_commit(package: str) -> str:
    """Tell the commit that a package was installed from.

    Args:
        package: its name.

    Returns:
        The hash that pip noted (PEP 610), or that of the clone it is installed from; "" where neither is known.
    """
    try:
        noted = distribution(package).read_text("direct_url.json") or "{}"
        origin = json.loads(noted)
        url, commit = urlsplit(origin.get("url", "")), origin.get("vcs_info", {}).get("commit_id", "")
    except (PackageNotFoundError, ValueError, AttributeError):
        return ""
    return str(commit) if commit or url.scheme != "file" else _head(unquote(url.path))


def _head(folder: str) -> str:
    """The commit of a clone; "" where there is no git or the folder is none's top, such as an unpacked archive."""
    if not Path(folder, ".git").exists():
        return ""
    with suppress(OSError, subprocess.CalledProcessError):
        command = ["git", "-C", folder, "rev-parse", "HEAD"]
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()
    return ""


def _cpu_name() -> str:
    """The processor's name where the system tells it (Linux), else its architecture."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _without_nan(value: object) -> object:
    """JSON knows no NaN: a metric that could not be computed becomes null."""
    if isinstance(value, Mapping):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
