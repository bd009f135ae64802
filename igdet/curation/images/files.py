"""Images in files below one root: loose ones, and those in tars of WebDataset and img2dataset (path/of.tar::key)."""

import os
import re
import tarfile
from functools import lru_cache
from pathlib import Path
from typing import IO

from igdet.curation.images.limits import ImageError, read_limited
from igdet.formats.images import SUFFIXES
from igdet.utils.files import other_spelling
from igdet.utils.messages import shown

SEPARATOR = "::"
_OPEN_TARS = 4  # whose member lists are kept; posts come in the order of their tars


def read_file(root: Path, path: str, max_bytes: int) -> bytes:
    """Read a file.

    Args:
        root: the folder that nothing may lead out of.
        path: of the file, relative to the root.
        max_bytes: how many bytes the file may have.

    Raises:
        ImageError: there is no such file under the root, or it cannot be read.
    """
    try:
        with confined(root, path).open("rb") as file:
            return read_limited(file, max_bytes)
    except OSError as error:
        raise ImageError("unreadable", str(error)) from error


def confined(root: Path, path: str) -> Path:
    """Resolve a path, links included, and refuse one that leaves the root.

    Args:
        root: the folder that nothing may lead out of.
        path: of a file, relative to the root.

    Returns:
        The path of an existing regular file: a pipe or a device could be read for ever.

    Raises:
        ImageError: the path leads out of the root, or there is no such file.
    """
    try:
        real_root, real_path = root.resolve(), (root / path).resolve()
        is_file = real_path.is_file()
    except (OSError, RuntimeError, ValueError) as error:  # a name that is too long; links in a circle; a zero byte
        raise ImageError("missing", f"{shown(path)}: {error}") from error
    if not real_path.is_relative_to(real_root):
        raise ImageError("outside_root", f"{path} leads out of {root}")
    if not is_file:
        raise ImageError("missing", f"no file {path} in {root}{other_spelling(root, path)}")
    return real_path


def read_member(root: Path, name: str, max_bytes: int) -> bytes:
    """Read an image out of a tar that is not compressed.

    Args:
        root: the folder that nothing may lead out of.
        name: path of the tar, relative to the root, then "::" and the key: the member's name up to its first dot.
        max_bytes: how many bytes the image may have.

    Raises:
        ImageError: there is no such tar or member, or it cannot be read.
    """
    path, key = _split(root, name)
    tar = confined(root, path)
    try:
        members = _members(tar, tar.stat().st_mtime_ns)
        if key not in members:
            raise ImageError("missing", f"{path} holds no image with the key {shown(key)}")
        offset, size = members[key]
        with tar.open("rb") as file:
            file.seek(offset)
            data = read_limited(_FilePart(file, size), max_bytes)
    except (OSError, tarfile.TarError) as error:
        raise ImageError("unreadable", f"{path}: {error}") from error
    if len(data) < size:
        raise ImageError("cut_short", f"{path} ends within {shown(key)}")
    return data


def is_file(root: Path, path: str) -> bool:
    """Tell whether a path, relative to the root, is that of a file."""
    return os.path.isfile(os.path.join(root, path))  # noqa: PTH113, PTH118 (pathlib stumbles over long names)


def _split(root: Path, name: str) -> tuple[str, str]:
    """Split at the first "::" before which the path of a file ends, else at the last: a key may hold "::" as well."""
    ends = [found.start() for found in re.finditer(SEPARATOR, name)]
    end = next((end for end in ends if is_file(root, name[:end])), ends[-1])
    return name[:end], name[end + len(SEPARATOR) :]


def key_of(member: str) -> tuple[str, str]:
    """Split a member's name at the first dot of its last part, as WebDataset does, into key and suffix."""
    folder, slash, name = member.rpartition("/")
    stem, _, suffix = name.partition(".")
    return folder + slash + stem, suffix.lower()


class _FilePart:
    """The next `size` bytes of a file."""

    def __init__(self, file: IO[bytes], size: int):
        self._file = file
        self._size = size

    def read(self, size: int, /) -> bytes:
        return self._file.read(min(size, self._size))


@lru_cache(_OPEN_TARS)
def _members(path: Path, _changed: int) -> dict[str, tuple[int, int]]:
    """Return offset and size of each image; a tar that changed is read again."""
    members: dict[str, tuple[int, int]] = {}
    with tarfile.open(path, "r:") as tar:
        for member in tar:
            key, suffix = key_of(member.name)
            if member.isfile() and f".{suffix}" in SUFFIXES:
                members.setdefault(key, (member.offset_data, member.size))
    return members
