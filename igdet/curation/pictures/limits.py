"""Reading no more bytes than a picture may have."""

from typing import Protocol

from igdet.curation.pictures.errors import PictureError


class Readable(Protocol):
    """What can be read from: a file, a server's answer, an object in a bucket."""

    def read(self, size: int, /) -> bytes:
        """Give at most `size` bytes; none at the end."""


def read_limited(file: Readable, max_bytes: int) -> bytes:
    """Read a file to its end.

    Args:
        file: what to read.
        max_bytes: how many bytes it may have.

    Raises:
        PictureError: it has more.
    """
    data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise PictureError("too_large", f"more than {max_bytes} bytes")
    return data
