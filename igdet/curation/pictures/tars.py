"""Pictures in the tars of WebDataset and img2dataset, named "path/of.tar::key"."""

import os
import re
import tarfile
from functools import lru_cache
from pathlib import Path

from igdet.curation.pictures.errors import PictureError
from igdet.curation.pictures.limits import read_limited
from igdet.curation.pictures.local import confined
from igdet.utils.image_files import SUFFIXES
from igdet.utils.shown import shown

SEPARATOR = "::"
_OPEN_TARS = 4  # whose member lists are kept; posts come in the order of their tars


def read_member(root: Path, name: str, max_bytes: int) -> bytes:
    """Read a picture out of a tar that is not compressed.

    Args:
        root: the folder that nothing may lead out of.
        name: path of the tar, relative to the root, then "::" and the key: the member's name up to its first dot.
        max_bytes: how many bytes the picture may have.

    Raises:
        PictureError: there is no such tar or member, or it cannot be read.
    """
    path, key = _split(root, name)
    tar = confined(root, path)
    try:
        members = _members(tar, tar.stat().st_mtime_ns)
        if key not in members:
            raise PictureError("missing", f"{path} holds no picture with the key {shown(key)}")
        offset, size = members[key]
        with tar.open("rb") as file:
            file.seek(offset)
            data = read_limited(_Part(file, size), max_bytes)
    except (OSError, tarfile.TarError) as error:
        raise PictureError("unreadable", f"{path}: {error}") from error
    if len(data) < size:
        raise PictureError("cut_short", f"{path} ends within {shown(key)}")
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


class _Part:
    """The next `size` bytes of a file."""

    def __init__(self, file, size: int):
        self._file = file
        self._size = size

    def read(self, size: int, /) -> bytes:
        return self._file.read(min(size, self._size))


@lru_cache(_OPEN_TARS)
def _members(path: Path, _changed: int) -> dict[str, tuple[int, int]]:
    """Give offset and size of each picture; a tar that changed is read again."""
    members: dict[str, tuple[int, int]] = {}
    with tarfile.open(path, "r:") as tar:
        for member in tar:
            key, suffix = key_of(member.name)
            if member.isfile() and f".{suffix}" in SUFFIXES:
                members.setdefault(key, (member.offset_data, member.size))
    return members
