"""Why an image is left out; reading no more bytes than it may have."""

from typing import Protocol

from igdet.utils.errors import UserError

# The short names under which images that are left out are counted.
REASONS = {
    "missing": "there is no such file, shard member or object",
    "outside_root": "the path leads out of the root",
    "unknown_scheme": "the address begins with a scheme that cannot be read",
    "unreadable": "the file or object is there but reading it fails",
    "unreachable": "the server cannot be found or breaks the connection",
    "timeout": "the server takes too long",
    "private_address": "the server's address is not public",
    "http_status": "the server answers with another status than 200",
    "noai": "the server forbids uses such as this: noai or noimageai in the header X-Robots-Tag",
    "encoding": "the server sends a coding that was not asked for, or one that is damaged",
    "redirects": "the server redirects too often, or to no web address",
    "too_large": "the file has too many bytes",
    "empty": "the file has no bytes",
    "not_an_image": "the file is in no known image format",
    "too_many_pixels": "the image would take too much memory: a decompression bomb",
    "cut_short": "the file ends before the image does",
    "unknown_range": "the image has more than 8 bits a channel, and what its largest value is cannot be known",
    "undecodable": "the file is damaged otherwise",
}
BAD_REASONS = REASONS.keys() - {"noai"}  # of too many of these the run stops; an opt-out is no fault


class ImageError(UserError):
    """An image that cannot be read.

    Args:
        reason: a key of `REASONS`.
        why: what exactly is wrong.
    """

    def __init__(self, reason: str, why: str):
        super().__init__(f"{reason}: {why}")
        self.reason = reason
        self.why = why


class Readable(Protocol):
    """What can be read from: a file, a server's answer, an object in a bucket."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none at the end."""


def read_limited(file: Readable, max_bytes: int) -> bytes:
    """Read a file to its end.

    Args:
        file: what to read.
        max_bytes: how many bytes it may have.

    Raises:
        ImageError: it has more.
    """
    data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise ImageError("too_large", f"more than {max_bytes} bytes")
    return data
