"""Removing what is no image from a JPEG file, without decoding it.

A JPEG file is a chain of segments (ITU-T T.81, annex B): 0xFF, a marker, and for most markers a length and content.
Cameras and programs add segments APP0 to APP15 and COM: EXIF with the place and the owner, thumbnails, captions, colour
profiles. Behind the end of the image some add whole videos.
"""

import re
from collections.abc import Iterator

_START, _END, _SCAN, _RESTART_INTERVAL = 0xD8, 0xD9, 0xDA, 0xDD
_KEPT = {
    *range(0xC0, 0xD0),
    _SCAN,
    0xDB,
    0xDC,
    _RESTART_INTERVAL,
}  # frames and their tables: SOF0..15, DHT, DAC, SOS, DQT, DNL, DRI
_JFIF, _ADOBE = 0xE0, 0xEE
# After a scan header comes data in which 0xFF is followed by 0 or a restart marker, until the next segment.
_NEXT_SEGMENT = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")
_MARKER = re.compile(rb"\xff+([^\x00\xff])")


class JpegError(ValueError):
    """A file that is not a chain of JPEG segments."""


def strip_metadata(data: bytes) -> bytes:
    """Keep only the segments that the pixels depend on; the decoded image stays the same, colour profiles apart.

    Of JFIF the thumbnail goes; of Adobe's segment only what says how colours are coded stays.

    Args:
        data: a JPEG file.

    Returns:
        A JPEG file that ends with the image.

    Raises:
        JpegError: the chain of segments is broken.
    """
    if not data.startswith(b"\xff\xd8"):
        raise JpegError("no start of a JPEG file")
    kept = [b"\xff\xd8"]
    for marker, content, scan in _segments(data):
        essential = _essential(marker, content)
        if essential is not None:
            kept += [bytes([0xFF, marker]), (len(essential) + 2).to_bytes(2, "big"), essential, scan]
    return b"".join([*kept, b"\xff\xd9"])


def has_restarts(data: bytes) -> bool:
    """Return whether a JPEG file has restart markers.

    Raises:
        JpegError: the chain of segments is broken.
    """
    return any(marker == _RESTART_INTERVAL and any(content) for marker, content, _ in _segments(data))


def _segments(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield marker, content and, of a scan, the coded data, up to the end of the image."""
    at = 2
    while True:
        found = _MARKER.match(data, at)
        if not found:
            raise JpegError(f"no marker at byte {at}")
        marker, at = found[1][0], found.end()
        if marker == _END:
            return
        end = at + int.from_bytes(data[at : at + 2], "big")
        if end < at + 2 or end > len(data):
            raise JpegError(f"the segment at byte {at} has no length")
        after = _end_of_scan(data, end) if marker == _SCAN else end
        yield marker, data[at + 2 : end], data[end:after]
        at = after


def _end_of_scan(data: bytes, at: int) -> int:
    found = _NEXT_SEGMENT.search(data, at)
    if not found:
        raise JpegError(f"the scan at byte {at} does not end")
    return found.start()


def _essential(marker: int, content: bytes) -> bytes | None:
    if marker == _JFIF and content.startswith(b"JFIF\0"):
        return content[:12].ljust(12, b"\0") + b"\0\0"  # a thumbnail of 0 x 0
    if marker == _ADOBE and content.startswith(b"Adobe"):
        return content[:12]  # the last byte says how colours are coded
    return content if marker in _KEPT else None
