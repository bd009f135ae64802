"""What the report plots: AP against the IoU threshold, errors by kind, learning curves, hashtag frequencies."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from igdet.benchmark.collect import Run, Study
from igdet.benchmark.localization import coco_tasks
from igdet.benchmark.tables import title_of
from igdet.formats.localization import ERROR_KINDS, KEYPOINT_KINDS
from igdet.reporting.charts import Series, bar_chart, line_chart, log_spaced_ranks
from igdet.reporting.significance import summarise

THRESHOLDS = [round(0.5 + 0.05 * step, 2) for step in range(10)]
# Names of the training loss in metrics.json: a classifier's alone, else the sum of a detector's losses.
LOSSES = ("loss_cls", "total_loss")


def threshold_charts(study: Study) -> list[str]:
    """AP against the IoU (or OKS) threshold: a chart for each COCO task that the suite shows."""
    charts = []
    for column in study.columns:
        task = column.metric.rpartition("/")[0]
        measure = "OKS threshold" if task == "keypoints" else "IoU threshold"
        lines = _lines(_transfers(study, column.target), partial(_by_threshold, task=task))
        charts.append(_chart(f"{column.title} by threshold", (measure, "AP"), lines))
    return [chart for chart in charts if chart]


def gain_charts(study: Study) -> list[str]:
    """Gains over each baseline against the IoU (or OKS) threshold, paired by seed."""
    charts = []
    for target, title, task in coco_tasks(study):
        for baseline in study.suite.baselines:
            others = [other for other, against in study.comparisons if against == baseline]
            lines = [_gain_line(study, target, other, baseline, task) for other in others]
            name = f"{title}: gain over {title_of(study, baseline)}"
            found = [line for line in lines if line]
            charts.append(_chart(name, ("threshold", "points of AP"), found, "differences"))
    return [chart for chart in charts if chart]


def error_charts(study: Study) -> list[str]:
    """Errors by kind: a chart of bars for each COCO task, what fixing gains or the shares of keypoints."""
    charts = []
    for target, title, task in coco_tasks(study):
        name, axis, prefix, kinds = (
            (f"{title}: where keypoints go", "percent", "keypoints", KEYPOINT_KINDS)
            if task == "keypoints"
            else (f"{title}: what fixing would gain", "points of AP50", "dAP", ERROR_KINDS)
        )
        bars = [
            _over_seeds(style, [_by_kind(run, f"{task}/{prefix}", kinds) for run in runs])
            for style, runs in enumerate(_transfers(study, target))
        ]
        found = [group for group in bars if group.xs]
        charts += [bar_chart(name, ("", axis), found, kinds)] if found else []
    return charts


def loss_charts(study: Study) -> list[str]:
    """Training loss against images seen: a chart for the pretrainings and one for each target."""
    groups = {"Pretraining": [study.pretraining(name) for name in study.suite.initializations]}
    groups |= {node.title: _transfers(study, target) for target, node in study.suite.targets.items()}
    charts = [
        _chart(f"{title}: loss", ("images seen", "loss"), _lines(runs, _losses)) for title, runs in groups.items()
    ]
    return [chart for chart in charts if chart]


def evaluation_charts(study: Study) -> list[str]:
    """Metrics against images seen, where a run was evaluated more than once."""
    charts = []
    for column in study.columns:
        lines = _lines(_transfers(study, column.target), partial(_evaluations, metric=column.metric))
        charts.append(_chart(f"{column.title} during training", ("images seen", "percent"), lines))
    return [chart for chart in charts if chart]


def hashtag_chart(study: Study) -> str | None:
    """Posts a hashtag against its rank, in the data of each pretraining on hashtags; None without one."""
    first_runs = [(style, study.pretraining(name)[:1]) for style, name in enumerate(study.suite.initializations)]
    counts = [(style, run.results.get("posts_per_hashtag")) for style, runs in first_runs for run in runs]
    lines = [_frequencies(style, posts) for style, posts in counts if posts]
    return line_chart("Hashtag frequencies", ("rank", "posts"), lines, scale="logarithmic") if lines else None


def _transfers(study: Study, target: str) -> list[list[Run]]:
    """The finished runs on a target, for each initialisation."""
    return [study.transfers(target, name) for name in study.suite.initializations]


def _lines(runs: Sequence[Sequence[Run]], points: Callable[[Run], dict[float, float]]) -> list[Series]:
    """A line for each initialisation whose runs have more than one point."""
    lines = [_over_seeds(style, [points(run) for run in of_start]) for style, of_start in enumerate(runs)]
    return [line for line in lines if len(line.xs) > 1]


def _chart(title: str, axes: tuple[str, str], lines: Sequence[Series], scale: str = "from zero") -> str | None:
    return line_chart(title, axes, lines, scale) if lines else None


def _over_seeds(style: int, runs: Sequence[dict[float, float]]) -> Series:
    """The mean line over runs, with its spread where every point has one."""
    values = defaultdict(list)
    for points in runs:
        for x, y in points.items():
            values[x].append(y)
    xs = sorted(values)
    summaries = list(filter(None, (summarise(values[x]) for x in xs)))
    spreads = [summary.spread for summary in summaries if summary.spread is not None]
    return Series(style, xs, [summary.mean for summary in summaries], spreads if len(spreads) == len(xs) else ())


def _by_threshold(run: Run, task: str) -> dict[float, float]:
    values = {threshold: run.metric(f"{task}/AP@{threshold:.2f}") for threshold in THRESHOLDS}
    return {threshold: value for threshold, value in values.items() if value is not None}


def _by_kind(run: Run, prefix: str, kinds: Sequence[str]) -> dict[float, float]:
    """Place of a kind -> its metric."""
    values = {place: run.metric(f"{prefix}-{kind}") for place, kind in enumerate(kinds)}
    return {place: value for place, value in values.items() if value is not None}


def _gain_line(study: Study, target: str, other: str, baseline: str, task: str) -> Series | None:
    gains = {threshold: study.gain(target, other, baseline, f"{task}/AP@{threshold:.2f}") for threshold in THRESHOLDS}
    found = {threshold: gain for threshold, gain in gains.items() if gain}
    spreads = [gain.spread for gain in found.values() if gain.spread is not None]
    style = list(study.suite.initializations).index(other)
    means = [gain.mean for gain in found.values()]
    return Series(style, list(found), means, spreads if len(spreads) == len(found) else ()) if found else None


def _losses(run: Run) -> dict[float, float]:
    return _points(run, lambda line: [line[name] for name in LOSSES if name in line])


def _evaluations(run: Run, metric: str) -> dict[float, float]:
    return _points(run, lambda line: [value for name, value in line.items() if name.endswith(metric)])


def _points(run: Run, values: Callable[[dict], list[float]]) -> dict[float, float]:
    """Images seen -> the first of the values that a line of metrics.json has."""
    found = [(line["images_seen"], values(line)) for line in run.curve if "images_seen" in line]
    return {seen: of_line[0] for seen, of_line in found if of_line}


def _frequencies(style: int, posts_per_hashtag: Sequence[int]) -> Series:
    counts = np.sort(np.array(posts_per_hashtag))[::-1]
    counts = counts[counts > 0]
    ranks = log_spaced_ranks(len(counts))
    return Series(style, ranks.tolist(), counts[ranks - 1].tolist())
