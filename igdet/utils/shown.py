"""Untrusted values and texts in messages: short, and without anything that a terminal would obey."""

import reprlib
import unicodedata
from itertools import islice

MAX_DIGITS = 40  # of a whole number; Python refuses to write out more than 4,300, and nobody reads them
MAX_TEXT = 200  # characters of one text or number
MAX_ENTRIES = 6  # of one list, set or mapping
MAX_BRIEF = 400  # characters of a library's error, which may quote a whole file
_KEPT = "\n\t\u200c\u200d"  # line breaks, tabs; the joiners of Persian, Hindi and of emojis
MAX_DEPTH = 3  # so that a value whose lists repeat one another is cut after 6 x 6 x 6 entries


class _Short(reprlib.Repr):
    def __init__(self):
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
        one line of printable characters; a text of up to 198 characters is whole.
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
        the text; line breaks, tabs, spaces of any width and what joins letters and emojis kept, every other character
        that has no shape written as Python does (`\x1b`).
    """
    if text.isprintable():
        return text
    return "".join(c if _is_shown(c) else c.encode("unicode_escape").decode() for c in text)


def _is_shown(character: str) -> bool:
    return character.isprintable() or character in _KEPT or unicodedata.category(character) == "Zs"
