"""Hashes in hexadecimal digits: of bytes, of files, and of whatever JSON can write."""

import hashlib
import json
from pathlib import Path

_CHUNK = 1 << 22  # bytes


def sha256(data: bytes) -> str:
    """Return the SHA-256 of bytes, 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def hash_file(path: Path, algorithm: str = "sha256") -> str:
    """Return the hash of a file's content, read in pieces.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.new(algorithm)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def fingerprint(*parts: object) -> str:
    """Return a SHA-256 of whatever JSON can write; of other values, of their text."""
    return sha256(json.dumps(parts, sort_keys=True, default=str).encode())
