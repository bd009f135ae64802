"""The error of weights and trunks that do not go together."""

from igdet.utils.errors import UserError


class WeightsError(UserError):
    """Weights that cannot be read, do not fit or cannot be written; the message says what to change."""
