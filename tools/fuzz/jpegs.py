"""Damage to the structure of a JPEG: its segments and restart intervals are left out, doubled, swapped or renamed."""

import re
from collections.abc import Callable
from random import Random

_BEFORE_MARKERS = re.compile(rb"(?=\xff[\x01-\xfe])")

Pieces = list[bytes]  # each begins with a marker


def mutate_jpeg(data: bytes, dice: Random) -> bytes:
    """Change one to three pieces of a JPEG."""
    pieces = _BEFORE_MARKERS.split(data)
    for _ in range(dice.randint(1, 3)):
        dice.choice(_CHANGES)(pieces, dice.randrange(len(pieces)), dice)
    return b"".join(pieces)


def _leave_out(pieces: Pieces, at: int, dice: Random) -> None:
    del pieces[at : at + dice.choice((1, 1, 2, 8))]  # restart markers have eight names
    pieces.append(b"")


def _double(pieces: Pieces, at: int, dice: Random) -> None:
    pieces.insert(dice.randrange(len(pieces)), pieces[at])


def _swap(pieces: Pieces, at: int, dice: Random) -> None:
    other = dice.randrange(len(pieces))
    pieces[at], pieces[other] = pieces[other], pieces[at]


def _rename(pieces: Pieces, at: int, dice: Random) -> None:
    pieces[at] = pieces[at][:1] + bytes([dice.choice((*range(0xC0, 0xE0), 0, 0xFF))]) + pieces[at][2:]


def _change_a_byte(pieces: Pieces, at: int, dice: Random) -> None:
    where = dice.randrange(len(pieces[at]) + 1)
    pieces[at] = pieces[at][:where] + dice.randbytes(1) + pieces[at][where + 1 :]


def _shorten(pieces: Pieces, at: int, dice: Random) -> None:
    pieces[at] = pieces[at][: dice.randrange(len(pieces[at]) + 1)]


def _put_before(pieces: Pieces, at: int, dice: Random) -> None:
    """A fill byte, a marker that stands alone, or the head of a comment, in which the piece then is."""
    comment = b"\xff\xfe" + min(len(pieces[at]) + 2, 0xFFFF).to_bytes(2, "big")
    pieces[at] = dice.choice((b"\xff", b"\xff\x01", comment)) + pieces[at]


_CHANGES: tuple[Callable[[Pieces, int, Random], None], ...] = (
    _leave_out,
    _double,
    _swap,
    _rename,
    _change_a_byte,
    _shorten,
    _put_before,
)
