"""A choice made on held-out pictures, and the warning of choices that a wider range might better."""

import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

logger = logging.getLogger(__name__)


def best_of(accuracies: Mapping[float, float]) -> float:
    """Choose by held-out accuracy; of equals the first, which protocols order from simple to complex.

    Args:
        accuracies: value -> percent, in the order of the values.

    Returns:
        the best value.
    """
    return max(accuracies, key=accuracies.get)


def warn_of_ends(choices: Sequence[tuple[float, Collection[float]]], what: str, least: float = 0) -> None:
    """Warn of choices at an end of what was tried, in one line an end.

    Args:
        choices: the chosen value and those tried, of each draw.
        what: the values' config key.
        least: the smallest value there can be, of which is not warned.
    """
    ends = Counter()
    for chosen, tried in choices:
        sides = {min(tried): "smallest", max(tried): "largest"}
        if len(tried) > 1 and chosen in sides and chosen != least:
            ends[sides[chosen], chosen] += 1
    for (side, value), count in ends.items():
        draws = f" in {count} of {len(choices)} draws" if len(choices) > 1 else ""
        logger.warning(
            f"{what}: the {side}, {value:g}, was best on the held-out part{draws}: a wider range may do better"
        )
