"""What can be wrong with data and weights: one record (skipped and counted), a whole data set, a checkpoint."""

from igdet.utils.errors import UserError

__all__ = ["UnreadableWeights", "WeightsError"]


class DatasetError(UserError):
    """A data set that cannot be used: the message names it, what was expected and how to fix it."""


class RecordError(UserError):
    """One record that cannot be used.

    Args:
        name: what the user calls the record: a path, or the id of a post.
        why: what is wrong with it.
    """

    def __init__(self, name: str, why: str):
        super().__init__(f"{name}: {why}")
        self.name = name
        self.why = why


class TableError(UserError):
    """A table that cannot be read as asked: the message names the file, what was expected and how to fix it."""


class WeightsError(UserError):
    """Weights that cannot be read, do not fit or cannot be written; the message says what to change."""


class UnreadableWeights(WeightsError):
    """A file that is missing, cut short, damaged or no checkpoint at all."""
