"""Texts for people: untrusted values short and harmless to a terminal, near spellings, durations."""

import difflib
import logging
import re
import reprlib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

MAX_DIGITS = 40  # of a whole number; Python refuses to write out more than 4,300, and nobody reads them
MAX_TEXT = 200  # characters of one text or number
MAX_ENTRIES = 6  # of one list, set or mapping
MAX_BRIEF = 400  # characters of a library's error, which may quote a whole file
_KEPT = "\n\t\u200c\u200d"  # line breaks, tabs; the joiners of Persian, Hindi and of emojis
MAX_DEPTH = 3  # so that a value whose lists repeat one another is cut after 6 x 6 x 6 entries
MAX_NAME = 100  # characters: longer ones are no slips of the pen, and the comparison takes the product of the lengths
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # with which Detectron2 paints its tables and configs


class _Short(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = MAX_DEPTH
        self.maxstring = self.maxother = MAX_TEXT
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdeque = self.maxdict = MAX_ENTRIES

    def repr_int(self, value: int, level: int) -> str:
        bits = value.bit_length()
        return repr(value) if bits <= MAX_DIGITS * 3 else f"<a whole number of {bits:,} bits>"

    def repr_dict(self, value: dict, level: int) -> str:  # in the order it was written in
        if level <= 0:
            return "{...}"
        first = islice(value.items(), MAX_ENTRIES)
        entries = [f"{self.repr1(key, level - 1)}: {self.repr1(held, level - 1)}" for key, held in first]
        return f"{{{', '.join(entries + ['...'] * (len(value) > MAX_ENTRIES))}}}"

    def repr_bytes(self, value: bytes, level: int) -> str:
        return self.repr1(value[:MAX_TEXT], 0) if len(value) > MAX_TEXT else repr(value)


_SHORT = _Short()


def shown(value: object) -> str:
    """Return a value as a message shows it: `repr`, cut to a length that does not grow with the value.

    Args:
        value: anything that a file, a table or a command line may hold.

    Returns:
        One line of printable characters; a text of up to 198 characters is whole.
    """
    return printable(_SHORT.repr(value)).replace("\n", " ")


def brief(text: object) -> str:
    """Return a text in one line of at most some 400 printable characters; of a longer one, its beginning and end.

    Args:
        text: such as the error of a library, which may have many lines and quote untrusted values in full.
    """
    return printable(" ".join(cut(str(text), MAX_BRIEF).split()))


def cut(text: str, limit: int) -> str:
    """Return a text of at most some `limit` characters: of a longer one, its beginning and end."""
    return text if len(text) <= limit else f"{text[: limit // 2]} ... {text[-limit // 2 :]}"


def printable(text: str) -> str:
    r"""Escape what a terminal would obey instead of show: control characters, changes of direction, lone surrogates.

    Args:
        text: such as a message that holds a file's name.

    Returns:
        The text; line breaks, tabs, spaces of any width and what joins letters and emojis kept, every other character
        that has no shape written as Python does (`\x1b`).
    """
    if text.isprintable():
        return text
    return "".join(c if _is_shown(c) else c.encode("unicode_escape").decode() for c in text)


def _is_shown(character: str) -> bool:
    return character.isprintable() or character in _KEPT or unicodedata.category(character) == "Zs"


def first_of(texts: Sequence[str], most: int) -> str:
    """Return the first `most` texts with commas between them, and how many more there are."""
    more = len(texts) - most
    return ", ".join(texts[:most]) + (f" and {more:,} more" if more > 0 else "")


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


def clock(seconds: float) -> str:
    """Seconds as 0:42, 12:05 or 3:12:05."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


@contextmanager
def printable_logs() -> Iterator[None]:
    """Have every record that is logged in the block, by whatever library, hold printable text only.

    The factory of records is the one place that all loggers and handlers share; filters do not reach child loggers.
    """
    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(_PrintableRecord)
    try:
        yield
    finally:
        logging.setLogRecordFactory(before)


class _PrintableRecord(logging.LogRecord):
    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if self.exc_info and self.exc_info[0]:  # what handlers would format later
            self.exc_text = printable(logging.Formatter().formatException(self.exc_info))

    def getMessage(self) -> str:
        return printable(_COLOUR.sub("", super().getMessage()))
