"""Images on web servers, which are untrusted: limits on time, bytes, redirects and addresses."""

import gzip
import http.client
import io
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from igdet.curation.images.addresses import public_addresses
from igdet.curation.images.limits import ImageError, read_limited
from igdet.utils.messages import shown

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PORTS = {"http": 80, "https": 443}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADERS = {"User-Agent": "igdet", "Accept": "image/*", "Accept-Encoding": "identity", "Connection": "close"}
_NO_AI = frozenset({"noai", "noimageai"})
_OUR_NAMES = frozenset({"", "*", "igdet"})  # whom rules are meant for; "": everybody
_RULES_WITH_VALUES = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
_UNCHANGED = "!#$%&'()*+,/:;=?@[]~"  # what has a meaning in a URL, and what is quoted already


class DeadlineSocket:
    """What `http.client` needs of a socket, with a time limit for each read and for all of them together.

    Args:
        connected: an open socket; closed with this object.
        read_seconds: how long one read may take.
        deadline: the `time.monotonic()` after which nothing is read or sent.
    """

    def __init__(self, connected: socket.socket, read_seconds: float, deadline: float):
        self._socket = connected
        self._read_seconds = read_seconds
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        """Send everything."""
        self.limit()
        self._socket.sendall(data)

    def makefile(self, mode: Literal["rb"]) -> io.BufferedReader:
        """Return a file that reads from this connection, which stays open until both are closed."""
        return io.BufferedReader(_Reader(self._socket.makefile(mode, buffering=0), self.limit))

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def limit(self) -> None:
        """Set the time limit of the next operation.

        Raises:
            TimeoutError: no time is left.
        """
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the total time limit is reached")
        self._socket.settimeout(min(self._read_seconds, left))


class _Reader(io.RawIOBase):
    def __init__(self, raw: io.RawIOBase, limit: Callable[[], None]):
        self._raw = raw
        self._limit = limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        self._limit()
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


@dataclass(frozen=True)
class WebLimits:
    """What a server may do.

    Attributes:
        connect_seconds: until a connection stands.
        read_seconds: between two pieces of an answer.
        total_seconds: for one image, redirects included; only the look-up of names is limited by the system alone.
        redirects: that are followed.
        allow_private: whether servers in private networks and on this machine may be asked.
        respect_noai: whether images are left out that come with the header X-Robots-Tag and noai or noimageai in it,
            meant for everybody or for igdet.
    """

    connect_seconds: float = 10.0
    read_seconds: float = 10.0
    total_seconds: float = 60.0
    redirects: int = 5
    allow_private: bool = False
    respect_noai: bool = True


def read_url(url: str, limits: WebLimits, max_bytes: int) -> bytes:
    """Fetch an image; the addresses of every server on the way are checked.

    Args:
        url: http or https.
        limits: what the servers may do.
        max_bytes: how many bytes the image may have.

    Raises:
        ImageError: there is no image within the limits.
    """
    deadline = time.monotonic() + limits.total_seconds
    for _ in range(limits.redirects + 1):
        try:
            answer = _ask(url, limits, deadline, max_bytes)
        except TimeoutError as error:
            raise ImageError("timeout", f"{url}: {error}") from error
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            raise ImageError("unreachable", f"{url}: {error or type(error).__name__}") from error
        if isinstance(answer, bytes):
            return answer
        url = _follow(url, answer)
    raise ImageError("redirects", f"more than {limits.redirects}, the last one to {url}")


def _ask(url: str, limits: WebLimits, deadline: float, max_bytes: int) -> bytes | str:
    """Return the image, or where the server says it is."""
    address, port, host = _split(url)
    connection = http.client.HTTPConnection(host, port)
    connection.default_port = PORTS[address.scheme]  # then the header Host names the port only where it must
    connection.sock = _connect(address, host, port, limits, deadline)
    try:
        connection.request("GET", _target(address), headers=_HEADERS)
        with connection.getresponse() as response:
            location = response.headers.get("Location")
            if response.status in _REDIRECTS and location:
                return location
            if response.status != http.client.OK:
                raise ImageError("http_status", f"{url}: {response.status} {response.reason}")
            if limits.respect_noai and forbids_ai(response.headers.get_all("X-Robots-Tag", [])):
                raise ImageError("noai", f"{url}: X-Robots-Tag forbids it")
            return _read_body(response, url, max_bytes)
    finally:
        connection.close()


def forbids_ai(robots_tags: Iterable[str]) -> bool:
    """Tell whether headers X-Robots-Tag forbid everybody, or igdet, the use of an image for machine learning.

    Args:
        robots_tags: the value of each: rules between commas; those behind "NAME:" are meant for that robot only.
    """
    for value in robots_tags:
        robot = ""
        for rule in value.lower().split(","):
            name, colon, rest = rule.partition(":")
            if colon and name.strip() not in _RULES_WITH_VALUES:
                robot, rule = name.strip(), rest
            if rule.strip() in _NO_AI and robot in _OUR_NAMES:
                return True
    return False


def _read_body(response: http.client.HTTPResponse, url: str, max_bytes: int) -> bytes:
    """Read an answer; some servers compress although they are asked not to, and a little may become very much."""
    coding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if coding in ("identity", ""):
        return read_limited(response, max_bytes)
    if coding not in ("gzip", "x-gzip"):
        raise ImageError("encoding", f"{url}: Content-Encoding {shown(coding[:50])}; identity was asked for")
    try:
        with gzip.GzipFile(fileobj=response) as body:  # unpacks no more than is read
            return read_limited(body, max_bytes)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ImageError("encoding", f"{url}: broken gzip: {error}") from error


def _follow(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise ImageError("redirects", f"{url} leads to {location}: {error}") from error


def _split(url: str) -> tuple[SplitResult, int, str]:
    try:
        address = urlsplit(url)
        if address.scheme in PORTS and address.hostname:
            return address, address.port or PORTS[address.scheme], address.hostname
    except ValueError:
        pass
    raise ImageError("redirects", f"{url} is no address of a web server")


def _target(address: SplitResult) -> str:
    """Write path and query as ASCII without spaces, as HTTP asks."""
    return quote(address._replace(scheme="", netloc="", fragment="").geturl() or "/", safe=_UNCHANGED)


def _connect(address: SplitResult, host: str, port: int, limits: WebLimits, deadline: float) -> DeadlineSocket:
    """Connect to the very address that was checked."""
    for checked in public_addresses(host, port, limits.allow_private):
        seconds = min(limits.connect_seconds, deadline - time.monotonic())
        if seconds <= 0:
            raise TimeoutError("the total time limit is reached")
        try:
            plain = socket.create_connection((checked, port), seconds)
            secure = address.scheme == "https"
            connected = _tls().wrap_socket(plain, server_hostname=host) if secure else plain
            return DeadlineSocket(connected, limits.read_seconds, deadline)
        except OSError as error:
            failure = error
    raise failure


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
