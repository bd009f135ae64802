"""The one error of this package."""

from igdet.utils.errors import UserError


class WeightsError(UserError):
    """Weights that cannot be read, do not fit or cannot be written; the message says what to change."""
