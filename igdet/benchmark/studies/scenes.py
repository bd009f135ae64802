"""Detection differences over scenes: a bootstrap over the images of one test set, beside the interval over seeds."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import product
from pathlib import Path

from hotcoco import COCO, COCOeval, compare

from igdet.benchmark.axes import STARTS, are_comparable, axis_of, place_of
from igdet.benchmark.cells import read_json
from igdet.benchmark.collect import Run, Study, columns_of, inference_file
from igdet.benchmark.galleries import COCO_RESULTS, annotations_of
from igdet.benchmark.suite import Suite
from igdet.formats.coco.parsed import content_of
from igdet.formats.coco.reading import CocoJsonError
from igdet.reporting.significance import CONFIDENCE

BOOTSTRAPS = 300  # drawing the images again takes about as long each time as scoring them
TASKS = ("bbox", "segm", "keypoints")
PARTS = ("difference", "low", "high")


def over(first: str, second: str) -> str:
    """Return what stands for a difference where results have an initialisation."""
    return f"{first} over {second}"


def metric_of(metric: str, part: str) -> str:
    """Return the name of a part, of `PARTS`, of a metric's difference over scenes: "bbox/AP/scenes-low"."""
    return f"{metric}/scenes-{part}"


def compared_pairs(suite: Suite) -> Iterator[tuple[str, str]]:
    """The largest value of the drawn axis against each initialisation that does not vary along it.

    Where the axis is the initialisations themselves, each against the baselines that come before it.
    """
    drawn = axis_of(suite)
    names = list(suite.initializations)
    if drawn == STARTS:
        yield from ((name, other) for at, name in enumerate(names) for other in names[:at] if other in suite.baselines)
        return
    largest = [*suite.axes[drawn].values][-1]
    tops = [name for name, node in suite.initializations.items() if node.point.get(drawn) == largest]
    fixed = [name for name, node in suite.initializations.items() if drawn not in node.point]
    for pair in product(tops, fixed):
        if are_comparable(*(place_of(suite, suite.initializations[name]) for name in pair)):
            yield pair


def scene_rows(study: Study) -> Iterator[dict]:
    """Yield rows of `igdet.benchmark.studies.results.SCHEMA`: percent, of the first seed that both have."""
    wanted: dict[tuple[str, str], list[str]] = {}  # target, task -> names of metrics, which one comparison gives
    for column in columns_of(study.suite):
        task, _, name = column.metric.rpartition("/")
        if task in TASKS:
            wanted.setdefault((column.target, task), []).append(name)
    pairs = list(compared_pairs(study.suite))
    for ((target, task), names), pair in product(wanted.items(), pairs):
        yield from _rows_of_pair(study, target, task, names, pair)


def _rows_of_pair(study: Study, target: str, task: str, names: list[str], pair: tuple[str, str]) -> Iterator[dict]:
    first, second = ({run.cell.seed: run for run in study.transfers(target, of)} for of in pair)
    for seed in sorted(first.keys() & second.keys())[:1]:
        found = _compare(first[seed], second[seed], task)
        place = {"target": target, "initialisation": over(*pair), "seed": seed}
        for name, part in product([name for name in names if name in found], PARTS):  # COCO's own, no dAP-...
            yield {**place, "metric": metric_of(f"{task}/{name}", part), "value": found[name][part]}


def _compare(run: Run, baseline: Run, task: str) -> dict[str, dict[str, float]]:
    """Metric -> difference, low, high, in percent; {} where annotations or detections are gone."""
    detections = [read_json(inference_file(of, COCO_RESULTS), list) for of in (baseline, run)]
    if not all(detections):
        return {}
    path, _ = annotations_of(run.results["config"])
    with suppress(CocoJsonError):
        return _bootstrap(path, detections, task)
    return {}


def _bootstrap(path: Path, detections: list[list], task: str) -> dict[str, dict[str, float]]:
    truth = COCO(content_of(path))
    before, after = (COCOeval(truth, truth.load_res(of_run), task) for of_run in detections)
    before.evaluate()
    after.evaluate()
    found = compare(before, after, n_bootstrap=BOOTSTRAPS, seed=0, confidence=CONFIDENCE)
    bounds = {name: (of_name["lower"], of_name["upper"]) for name, of_name in found["ci"].items()}
    return {
        name: {part: 100 * value for part, value in zip(PARTS, (delta, *bounds[name]), strict=True)}
        for name, delta in found["deltas"].items()
    }
