"""What somebody may have meant by a name that does not exist."""

import difflib
from collections.abc import Iterable

MAX_NAME = 100  # characters: longer ones are no slips of the pen, and the comparison takes the product of the lengths


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of an error message that points to the known name closest to an unknown one.

    Args:
        name: the unknown name.
        known: the names there are.

    Returns:
        "; did you mean 'X'?", or nothing when no known name is close.
    """
    close = difflib.get_close_matches(name, list(known), n=1) if len(name) <= MAX_NAME else []
    return f"; did you mean {close[0]!r}?" if close else ""
