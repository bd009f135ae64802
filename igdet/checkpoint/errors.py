"""The errors of this package."""

from igdet.utils.errors import UserError


class WeightsError(UserError):
    """Weights that cannot be read, do not fit or cannot be written; the message says what to change."""


class UnreadableWeights(WeightsError):
    """A file that is missing, cut short, damaged or no checkpoint at all."""
