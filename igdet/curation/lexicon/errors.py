"""What can be wrong with a lexicon."""

from igdet.utils.errors import UserError


class LexiconError(UserError):
    """A lexicon that cannot be read; the message names the file and the row."""
