"""Errors that the user of igdet can fix, and how a command ends on one: with one line, without a traceback."""

import os
import select
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from igdet.utils.messages import brief, cut, printable, printable_logs

MAX_MESSAGE = 10_000  # characters: a hundred lines, for what a whole suite has wrong
FAULT, INTERRUPTED, CLOSED_PIPE = 2, 130, 141  # exit statuses; the latter two as shells count signals: 128 + number
ALWAYS_TOLERATED = 10  # bad records: below this a share of the few records seen so far says nothing
USUAL_SHARE = 0.01  # of the records of a data set that may be bad


class UserError(ValueError):
    """A file, a key or a value that cannot be used; the message names it, says what was expected and how to fix it."""

    def __reduce__(self) -> tuple:
        """Come back whole from another process, also where the class takes other arguments than the message."""
        return _rebuilt, (type(self), self.args, self.__dict__)


def _rebuilt(kind: type[UserError], args: tuple, attributes: dict) -> UserError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(attributes)
    return error


def no_such_file(path: str | os.PathLike, expected: str) -> str:
    """Say that a file is not there, which readers tell apart from a file that holds something else.

    Args:
        path: the file.
        expected: what it should hold.
    """
    return f"{path}: there is no such file; expected {expected}"


@contextmanager
def one_line_errors(*others: type[Exception]) -> Iterator[None]:
    """End the command with status 2 and one line on stderr when the block raises what its user can fix.

    Errors of the operating system (a full disk, a folder taken away meanwhile) are among them. A reader of stdout that
    has gone (`| head`) ends the command in silence, Ctrl-C without a traceback. What is logged meanwhile holds nothing
    that a terminal would obey. Around a whole `main`: `@one_line_errors()`.

    Args:
        others: further types of errors to end on, besides `UserError` and `OSError`.
    """
    expected: tuple[type[Exception], ...] = (UserError, OSError, *others)
    try:
        with printable_logs():
            try:
                yield
            finally:
                sys.stdout.flush()  # here, because at Python's end a broken pipe can no longer be caught
    except expected as error:
        _leave_closed_pipe(error)
        print(printable(_described(error)), file=sys.stderr)
        sys.exit(FAULT)
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        sys.exit(INTERRUPTED)


def _leave_closed_pipe(error: Exception) -> None:
    """End the command if nobody reads its output any more; a pipe to another process may break too."""
    if isinstance(error, BrokenPipeError) and _is_unread(sys.stdout):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would complain at its end
        sys.exit(CLOSED_PIPE)


def _is_unread(stream: TextIO) -> bool:
    try:
        poll = select.poll()
        poll.register(stream.fileno(), 0)  # errors are told in any case
        return any(event & select.POLLERR for _, event in poll.poll(0))
    except OSError:  # no file of the system's
        return False


def _described(error: Exception) -> str:
    """Return type and message; of an error from a loader's process these without that process's traceback."""
    message = str(error)
    if "Original Traceback (most recent call last):" in message:
        frames = message.rpartition("Traceback (most recent call last):\n")[2].splitlines()
        return "\n".join(frames[next(i for i, line in enumerate(frames) if not line.startswith(" ")) :])
    if isinstance(error, OSError):  # it quotes the path, which a file may have given: 100,000 characters are "too long"
        message = brief(message) + (_place(error) if error.filename is None else "")
    return f"{type(error).__name__}: {cut(message, MAX_MESSAGE)}"


def _place(error: OSError) -> str:
    """Return what was being done, of an error that names no file: igdet's innermost function."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    ours = [frame for frame in frames if frame.f_globals["__name__"].startswith("igdet.")]
    return f" (in {ours[-1].f_globals['__name__']}.{ours[-1].f_code.co_name})" if ours else ""


def too_many(bad: int, seen: int, max_share: float) -> bool:
    """Whether `bad` of `seen` records is more than a share of `max_share` (0..1) and more than a handful."""
    return bad > max(ALWAYS_TOLERATED, max_share * seen)
