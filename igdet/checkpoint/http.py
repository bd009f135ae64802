"""One file over HTTP: with progress, in pieces when connections break, whole as far as the server tells its size."""

import errno
import http.client
import logging
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tqdm import tqdm

from igdet.formats.errors import WeightsError

logger = logging.getLogger(__name__)

WAITS = (1, 2, 4, 8)  # seconds between attempts that bring nothing new; whatever does resets the count
_TIMEOUT = 30  # seconds without a byte
_CHUNK = 1 << 20
_PASSING = {408, 425, 429, 500, 502, 503, 504}  # answers that another attempt may change


class _Interrupted(Exception):
    """An attempt that ended early; another may go on."""


def transfer(url: str, part: Path) -> None:
    """Bring a file here, going on where an earlier call or attempt ended if the server can tell that it is the same.

    Args:
        url: http or https; redirects are followed.
        part: where the bytes go; what it holds already is not fetched again. Its folder exists.

    Raises:
        WeightsError: naming the URL; what has arrived stays for the next call.
    """
    failures, furthest = 0, _size(part)
    while True:
        try:
            return _attempt(url, part)
        except _Interrupted as error:
            failures = 0 if _size(part) > furthest else failures + 1
            furthest = max(furthest, _size(part))
            if failures > len(WAITS):
                kept = f"; {_size(part):,} bytes are kept for the next call" if _version_file(part).exists() else ""
                raise WeightsError(f"cannot download {url}: {error}{kept}. Check the network and try again") from error
            pause = WAITS[max(failures - 1, 0)]
            logger.warning(f"{url}: {error}; going on at byte {_size(part)} in {pause} s")
            time.sleep(pause)


def _attempt(url: str, part: Path) -> None:
    try:
        with urllib.request.urlopen(_request(url, part), timeout=_TIMEOUT) as answer:
            _receive(url, answer, part)
    except urllib.error.HTTPError as error:
        if error.code == 416 and part.exists() and error.headers.get("Content-Range") == f"bytes */{_size(part)}":
            return  # everything is here already
        if error.code == 416:
            discard(part)
        elif error.code not in _PASSING:
            raise WeightsError(f"cannot download {url}: the server answers {error.code} {_text(error)}") from error
        raise _Interrupted(f"the server answers {error.code} {_text(error)}") from error
    except (OSError, http.client.HTTPException, UnicodeError) as error:  # the last: a redirect to no possible name
        raise _Interrupted(_text(error)) from error


def _request(url: str, part: Path) -> urllib.request.Request:
    # Offsets are of the file as it is, not of a compressed stream.
    headers = {"User-Agent": "igdet", "Accept-Encoding": "identity"}
    with suppress(OSError):
        headers |= {"If-Range": _version_file(part).read_text(encoding="utf-8"), "Range": f"bytes={_size(part)}-"}
    return urllib.request.Request(url, headers=headers)


def _receive(url: str, answer: http.client.HTTPResponse, part: Path) -> None:
    if answer.headers.get_content_type() == "text/html":
        raise WeightsError(f"cannot download {url}: the server sends a page, not a file; open it in a browser to see")
    start = _start(answer, part)
    total = None if answer.length is None else start + answer.length
    with _disk_errors(url, part):
        _check_room(part, answer.length or 0)
        with part.open("r+b" if start else "wb") as file, _progress(url, start, total) as progress:
            if start == 0:  # noted once the bytes of another version are gone
                _note_version(answer, part)
            file.seek(start)
            for chunk in _chunks(answer):
                file.write(chunk)
                progress.update(len(chunk))
            file.truncate()
    if total is not None and _size(part) < total:
        raise _Interrupted(f"the connection ended at {_size(part):,} of {total:,} bytes")


def _start(answer: http.client.HTTPResponse, part: Path) -> int:
    """The offset of the first byte of an answer: a server that ignores ranges, or has another version, sends all."""
    if answer.status != 206:
        return 0
    found = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    if found is None or int(found[1]) > _size(part):
        discard(part)
        raise _Interrupted("the server sends another part of the file than was asked for")
    return int(found[1])


def _chunks(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    """Read an answer; errors of the network are told apart from those of the disk."""
    while True:
        try:
            chunk = answer.read1(_CHUNK)
        except (OSError, http.client.HTTPException) as error:
            raise _Interrupted(f"the connection broke ({_text(error)})") from error
        if not chunk:
            return
        yield chunk


def _note_version(answer: http.client.HTTPResponse, part: Path) -> None:
    """Keep what tells this version of the file from others; without it, a broken download starts over."""
    version = answer.headers.get("ETag", "")
    if version.startswith("W/"):  # only a strong one promises the same bytes (RFC 9110, section 13.1.5)
        version = ""
    version = version or answer.headers.get("Last-Modified", "")
    if version and answer.headers.get("Accept-Ranges") != "none":
        _version_file(part).write_text(version, encoding="utf-8")
    else:
        _version_file(part).unlink(missing_ok=True)


def discard(part: Path) -> None:
    """Remove what has arrived."""
    part.unlink(missing_ok=True)
    _version_file(part).unlink(missing_ok=True)


def finish(part: Path, path: Path) -> None:
    """Give what has arrived its name."""
    _version_file(part).unlink(missing_ok=True)
    part.replace(path)


@contextmanager
def _disk_errors(url: str, part: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WeightsError(
            f"cannot download {url}: {part} cannot be written: {error}. Make room, or set IGDET_CACHE to another folder"
        ) from error


def _check_room(part: Path, needed: int) -> None:
    if needed > shutil.disk_usage(part.parent).free:
        raise OSError(errno.ENOSPC, f"{needed:,} bytes are needed", str(part.parent))


def _progress(url: str, start: int, total: int | None) -> tqdm:
    """A bar with rate and remaining time; none where nobody looks at a terminal."""
    name = url.rsplit("/", 1)[-1]
    return tqdm(desc=name, initial=start, total=total, unit="B", unit_scale=True, disable=None)


def _text(error: Exception) -> str:
    """What an error says, in one line."""
    return " ".join(str(getattr(error, "reason", error)).split()) or type(error).__name__


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _version_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.version")
