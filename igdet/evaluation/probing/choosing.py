"""A choice made on held-out pictures, with everything that was tried."""

import logging
from collections.abc import Mapping

logger = logging.getLogger(__name__)


def best_of(accuracies: Mapping[float, float], what: str) -> float:
    """Choose by held-out accuracy; of equals the first, which protocols order from simple to complex.

    Args:
        accuracies: value -> percent, in the order of the values.
        what: the values' config key, for the warning.

    Returns:
        the best value.
    """
    best = max(accuracies, key=accuracies.get)
    if len(accuracies) > 1 and best in (first_and_last := [*accuracies][:: len(accuracies) - 1]):
        side = "smallest" if best == first_and_last[0] else "largest"
        logger.warning("%s: the %s, %g, was best on the held-out part: a wider range may do better", what, side, best)
    return best
