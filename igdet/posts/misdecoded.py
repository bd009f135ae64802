"""UTF-8 that somebody has read as Latin-1 or Windows-1252 and saved again: "cafÃ©", as in Instagram's JSON export."""

from collections.abc import Iterable

# Windows-1252 has letters where Latin-1 has control characters; both stand for the same bytes.
_BYTES = {ord(bytes([byte]).decode("windows-1252", "ignore") or chr(byte)): byte for byte in range(0x80, 0xA0)}


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

    A right text is none by accident: two or more letters would have to stand together as in "Ã©".
    """
    others = [text for text in texts if not text.isascii()]
    return bool(others) and all(repaired(text) != text for text in others)
