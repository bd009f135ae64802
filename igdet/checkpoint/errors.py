"""The one error of this package."""


class WeightsError(ValueError):
    """Weights that cannot be read, do not fit or cannot be written; the message says what to change."""
