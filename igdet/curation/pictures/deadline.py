"""A connection that ends in time, however slowly the other side answers."""

import io
import socket
import time
from collections.abc import Callable


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

    def makefile(self, mode: str) -> io.BufferedReader:
        """Give a file that reads from this connection, which stays open until both are closed."""
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

    def readinto(self, buffer: memoryview) -> int:
        self._limit()
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
