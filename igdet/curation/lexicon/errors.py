"""What can be wrong with a lexicon."""


class LexiconError(ValueError):
    """A lexicon that cannot be read; the message names the file and the row."""
