"""What can be wrong with a whole table of posts."""

from igdet.utils.errors import UserError


class TableError(UserError):
    """A table that cannot be read as asked: the message names the file, what was expected and how to fix it."""
