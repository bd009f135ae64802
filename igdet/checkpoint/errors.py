"""The errors of this package."""

from igdet.modeling.errors import WeightsError

__all__ = ["UnreadableWeights", "WeightsError"]


class UnreadableWeights(WeightsError):
    """A file that is missing, cut short, damaged or no checkpoint at all."""
