"""The metrics of a results.json, by their full name or by the end of it, and which way each is better."""

import re
from collections.abc import Callable, Mapping

from igdet.formats.coco.reading import is_finite
from igdet.utils.yaml import ConfigError

# The last part of the name of a metric that is no percentage: likelihoods, squares; total_loss, loss_cls.
_PLAIN = re.compile(r"nll|brier|perplexity|(.*[_-])?loss([_-].*)?")
# Of one that is better when it is lower; every other one is better when it is higher.
_LOWER = re.compile(
    rf"{_PLAIN.pattern}|ece"
    r"|(.*[_-])?(err|errors?)([_-].*)?"  # top1_error, errors-missed
    r"|dAP-.*|keypoints-(jitter|inversion|swap|miss)"  # docs/LOCALISATION.md
)


def lower_is_better(metric: str) -> bool:
    """Whether a metric, by its name or the end of it ("world_val/classification/ece"), is better when it is lower."""
    return _LOWER.fullmatch(metric.rpartition("/")[2]) is not None


def is_percent(metric: str) -> bool:
    """Whether a metric, by its name or the end of it, is a percentage."""
    return _PLAIN.fullmatch(metric.rpartition("/")[2]) is None


def better_of(metric: str) -> Callable:
    """Return `min` or `max`, whichever picks the best value of a metric."""
    return min if lower_is_better(metric) else max


def finite_metrics(results: Mapping) -> dict[str, float]:
    """Metric name -> finite value, e.g. "world_val/bbox/AP" -> 12.3, of the content of results.json."""
    return dict(_flatten(results.get("results", {})))


def find_metric(metrics: Mapping[str, float], name: str, where: str) -> float | None:
    """A metric by its full name or by the end of it; None when there is none.

    Raises:
        ConfigError: several data sets have it; `where` names the run.
    """
    found = [full for full in metrics if full == name or full.endswith(f"/{name}")]
    if len(found) > 1:
        raise ConfigError(f"{where}: the metric {name} is ambiguous; name one of {', '.join(found)}")
    return metrics[found[0]] if found else None


def _flatten(node: Mapping, prefix: str = "") -> list[tuple[str, float]]:
    """("a/b", number) pairs of a nested mapping; what is no finite number is left out."""
    pairs = []
    for key, value in node.items():
        if isinstance(value, dict):
            pairs += _flatten(value, f"{prefix}{key}/")
        elif is_finite(value):
            pairs.append((prefix + key, float(value)))
    return pairs
