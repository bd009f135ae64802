"""What encoding a text file is in; what cannot be decoded is marked, mis-decoded UTF-8 repaired."""

import codecs
import io
import re
from collections.abc import Iterable
from typing import BinaryIO, TextIO

from igdet.formats.errors import TableError
from igdet.utils.messages import shown

MARK = "\udcff"  # half of a surrogate pair, which no text holds: stands for bytes that cannot be decoded
_ERRORS = "igdet.marked"
_BOMS = {  # the longer one first: that of UTF-32 begins as that of UTF-16
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_NAMES_BYTES = 32  # the beginning of a header or of a first JSON key: ASCII in nearly every file
_HIGH = re.compile(rb"[\x80-\xff]+")
# What Western Europeans write. Left out are letters of Icelandic, which are Turkish ones in Windows-1254, and what
# letters of Central Europe look like.
_WESTERN = frozenset("ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜßàáâãäåæçèéêëìíîïñòóôõöøùúûüÿŒœŠšŽžŸ€’‘“”…–—•·«»¡¿°®©™£§ªº\u00a0")
_WESTERN_SHARE = 0.95
_MEAN_RUN = 1.5  # such letters stand alone between ASCII ones; whole words are of another script
# Windows-1252 has letters where Latin-1 has control characters; both stand for the same bytes.
_BYTES = {ord(bytes([byte]).decode("windows-1252", "ignore") or chr(byte)): byte for byte in range(0x80, 0xA0)}


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return MARK, error.end


codecs.register_error(_ERRORS, _mark)


def checked_encoding(name: str) -> str:
    """Check that Python knows a text encoding.

    Raises:
        TableError: it does not.
    """
    try:
        "".encode(name)
    except (LookupError, ValueError) as error:
        raise TableError(
            f"ENCODING: {shown(name)} is no text encoding; expected such as utf-8, windows-1252, utf-16"
        ) from error
    return name


def detected_encoding(sample: bytes, is_whole: bool) -> str:
    """Tell the encoding of a text.

    Args:
        sample: its beginning.
        is_whole: whether that is all of it, so that it does not end within a character.

    Returns:
        An encoding's name: by the byte order mark; UTF-8 where most of what is not ASCII is valid in it; UTF-16 where
        every other byte of the beginning is 0; else Windows-1252, which ISO 8859-1 is a part of.

    Raises:
        TableError: it looks like none of these.
    """
    for mark, name in _BOMS.items():
        if sample.startswith(mark):
            return name
    return _utf_16(sample[:_NAMES_BYTES]) or _utf_8(sample, is_whole) or _western(sample)


def _utf_16(start: bytes) -> str:
    zeros = [start[first::2].count(0) / max(1, len(start[first::2])) for first in (0, 1)]
    if min(zeros) or max(zeros) < 1:
        return ""
    return "utf-16-le" if zeros[1] else "utf-16-be"


def _utf_8(sample: bytes, is_whole: bool) -> str:
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(sample, final=is_whole)
    wrong = text.count("\ufffd") - sample.count("\ufffd".encode())
    right = len(text) - len(text.encode("ascii", "ignore")) - text.count("\ufffd")
    return "utf-8" if wrong <= right else ""


def _western(sample: bytes) -> str:
    runs = _HIGH.findall(sample)
    letters = b"".join(runs)
    known = sum(letter in _WESTERN for letter in letters.decode("windows-1252", "replace"))
    if known < _WESTERN_SHARE * len(letters) or len(letters) > _MEAN_RUN * len(runs):
        raise TableError(
            f"neither UTF-8 nor Windows-1252: {shown(letters[:8])} at byte {sample.index(runs[0]):,}; say what it is "
            "with ENCODING, such as shift_jis, gb18030 or windows-1251"
        )
    return "windows-1252"


def open_text(file: BinaryIO, encoding: str) -> TextIO:
    """Read bytes as text whose lines end in a line feed, whatever they ended in; `MARK` stands for bad bytes."""
    return io.TextIOWrapper(file, encoding, errors=_ERRORS, newline=None)


def repaired(text: str) -> str:
    """Undo the wrong decoding of a text; one that is no such text comes back as it is."""
    if text.isascii():
        return text
    try:
        return text.translate(_BYTES).encode("latin-1").decode()
    except UnicodeError:
        return text


def is_misdecoded(texts: Iterable[str]) -> bool:
    """Whether all texts that are not ASCII, and at least one, are UTF-8 that was decoded wrongly.

    A right text is none by accident: two or more letters would have to be together as in "Ã©".
    """
    others = [text for text in texts if not text.isascii()]
    return bool(others) and all(repaired(text) != text for text in others)
