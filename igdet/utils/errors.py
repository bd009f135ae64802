"""Errors that the user of igdet can mend, and how a command ends on one: with one line, without a traceback."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from igdet.utils.shown import printable


class UserError(ValueError):
    """A file, a key or a value that cannot be used; the message names it, says what was expected and how to mend it."""


def no_such_file(path: str | os.PathLike, expected: str) -> str:
    """Say that a file is not there, which readers tell apart from a file that holds something else.

    Args:
        path: the file.
        expected: what it should hold.
    """
    return f"{path}: there is no such file; expected {expected}"


@contextmanager
def one_line_errors(*others: type[Exception]) -> Iterator[None]:
    """End the command with status 2 and one line on stderr when the block raises what its user can mend.

    Errors of the operating system (a full disk, a folder taken away meanwhile) are among them: they name their file.

    Args:
        others: further types of errors to end on, besides `UserError` and `OSError`.
    """
    try:
        yield
    except (UserError, OSError, *others) as error:
        print(printable(f"{type(error).__name__}: {error}"), file=sys.stderr)
        sys.exit(2)
