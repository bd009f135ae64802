"""What can be wrong with data: one record (skipped and counted) or a whole data set (the run stops at start-up)."""

from igdet.utils.errors import UserError


class DatasetError(UserError):
    """A data set that cannot be used: the message names it, what was expected and how to mend it."""


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
