"""How far each pretraining is from each target, in images and in labels: measured once at the end, then read."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from igdet.benchmark.cells import Cell, read_json, write_json
from igdet.benchmark.process import environment_of
from igdet.benchmark.progress import Progress
from igdet.benchmark.suite import PRETRAINING, Suite
from igdet.benchmark.suite_file import RESERVED_OPTS
from igdet.utils.hashing import fingerprint
from igdet.utils.processes import bound_to_this

if TYPE_CHECKING:
    from igdet.benchmark.collect import Study

VERSION = 1  # counts up when the same suite begins to be measured in another way
FILE, REQUEST, LOG = "distances.json", "distances_request.json", "distances.txt"  # in the suite's folder
FROM_IMAGES = ("frechet", "frechet-infinity", "kernel", "kernel-error")
FROM_LABELS = ("coverage", "coverage-unknown")  # shares of the target's classes, percent
# Of the numbers, among results; images: of the smaller set.
NAMES = tuple(f"distance/{name}" for name in ("images", *FROM_IMAGES, *FROM_LABELS))
WEIGHTS = "model_final.pth"


class Pair(NamedTuple):
    """A pretraining and a target, by the cells of the first seed."""

    initialisation: str
    target: str
    pretraining: Cell
    transfer: Cell


def measure(suite: Suite, cells: Sequence[Cell], progress: Progress) -> None:
    """Measure what is not measured yet, in a process of its own; a failure is said and ends nothing.

    Args:
        suite: the suite.
        cells: its cells, as far as they have been run.
        progress: prints what happens.
    """
    request = _request(suite, cells)
    if request is None or _is_measured(_pairs(suite, request["fingerprint"])):
        return
    if suite.train_script:
        progress.event(f"distances are not measured: whether {suite.train_script} reads configs as igdet is not known")
        return
    progress.event("distances of the pretrainings' images from the targets' are measured")
    try:
        write_json(suite.folder / REQUEST, request)
        code = _run(suite)
    except OSError as error:
        progress.event(f"distances are not measured: {error}")
        return
    if code:
        progress.event(f"distances are not measured: exit code {code}; see {suite.folder / LOG}")
    for pair in _pairs(suite, request["fingerprint"]):
        if "why" in pair:
            progress.event(f"no distance  {pair['initialisation']} to {pair['target']}: {pair['why']}")


def _run(suite: Suite) -> int:
    """Run the process on the request; return its exit code."""
    with (suite.folder / LOG).open("wb") as log:
        return subprocess.run(
            [sys.executable, "-m", "igdet.cli.measure_distance", "--request", suite.folder / REQUEST],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment_of(suite, 0),
            preexec_fn=bound_to_this(),
        ).returncode


def measured(suite: Suite, cells: Sequence[Cell]) -> list[dict]:
    """Return what was measured of the suite as it is now, an entry a pair; [] before."""
    request = _request(suite, cells)
    return _pairs(suite, request["fingerprint"]) if request else []


def numbers_of(pair: Mapping) -> dict[str, float]:
    """Return the numbers of a measured pair by their names among results; what is not known is left out."""
    classes = pair.get("classes")
    found = [min(pair.get("images", [None])), *(pair.get(name.replace("-", "_")) for name in FROM_IMAGES)]
    found += [100 * pair[count] / classes if classes else None for count in ("covered", "unknown")]
    return {name: value for name, value in zip(NAMES, found, strict=True) if value is not None}


def distance_rows(study: "Study") -> Iterator[dict]:
    """Yield rows of `igdet.benchmark.studies.results.SCHEMA`; percent for shares."""
    for pair in measured(study.suite, [run.cell for run in study.runs]):
        place = {"target": pair["target"], "initialisation": pair["initialisation"], "seed": 0}
        for metric, value in numbers_of(pair).items():
            yield {**place, "metric": metric, "value": value}


def _pairs(suite: Suite, wanted: str) -> list[dict]:
    found = read_json(suite.folder / FILE) or {}
    return found.get("pairs", []) if found.get("fingerprint") == wanted else []


def _is_measured(pairs: Sequence[Mapping]) -> bool:
    """Whether no pair is left; what could not be measured is tried again."""
    return bool(pairs) and not any("why" in pair for pair in pairs)


def _request(suite: Suite, cells: Sequence[Cell]) -> dict | None:
    """What the process is asked for; None without a finished pretraining."""
    first = {(cell.target, cell.initialisation): cell for cell in cells if cell.seed == 0 and not cell.setting}
    pairs = [
        Pair(name, target, first[PRETRAINING, node.shares or name], first[target, name])
        for name, node in suite.initializations.items()
        for target in suite.targets
        if node.config and (PRETRAINING, node.shares or name) in first and (target, name) in first
    ]
    trunk = next((pair.pretraining for pair in reversed(pairs) if pair.pretraining.state == "finished"), None)
    if trunk is None:
        return None
    digests = [(*pair[:2], pair.pretraining.digest, pair.transfer.digest) for pair in pairs]
    return {
        "fingerprint": fingerprint(VERSION, trunk.name, digests),
        "trunk": _config(trunk, {"MODEL.WEIGHTS": trunk.folder / WEIGHTS, "OUTPUT_DIR": suite.folder}),
        "pairs": [_pair_request(pair) for pair in pairs],
    }


def _pair_request(pair: Pair) -> dict:
    return {
        "initialisation": pair.initialisation,
        "target": pair.target,
        "pretraining": _config(pair.pretraining),
        "transfer": _config(pair.transfer),
    }


def _config(cell: Cell, more: Mapping = {}) -> dict:
    """A cell's config as the process takes it, without what differs between cells that train on the same images."""
    opts = {key: value for key, value in cell.own_opts.items() if key not in RESERVED_OPTS} | dict(more)
    return {"config_file": cell.config, "opts": [str(part) for pair in opts.items() for part in pair]}
