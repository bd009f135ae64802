"""Pictures in files, which all lie under one root."""

from pathlib import Path

from igdet.curation.pictures.errors import PictureError
from igdet.curation.pictures.limits import read_limited
from igdet.utils.paths import other_spelling
from igdet.utils.shown import shown


def read_file(root: Path, path: str, max_bytes: int) -> bytes:
    """Read a file.

    Args:
        root: the folder that nothing may lead out of.
        path: of the file, relative to the root.
        max_bytes: how many bytes the file may have.

    Raises:
        PictureError: there is no such file under the root, or it cannot be read.
    """
    try:
        with confined(root, path).open("rb") as file:
            return read_limited(file, max_bytes)
    except OSError as error:
        raise PictureError("unreadable", str(error)) from error


def confined(root: Path, path: str) -> Path:
    """Resolve a path, links included, and refuse one that leaves the root.

    Args:
        root: the folder that nothing may lead out of.
        path: of a file, relative to the root.

    Returns:
        The path of an existing regular file: a pipe or a device could be read for ever.

    Raises:
        PictureError: the path leads out of the root, or there is no such file.
    """
    try:
        real_root, real_path = root.resolve(), (root / path).resolve()
        is_file = real_path.is_file()
    except (OSError, RuntimeError, ValueError) as error:  # a name that is too long; links in a circle; a zero byte
        raise PictureError("missing", f"{shown(path)}: {error}") from error
    if not real_path.is_relative_to(real_root):
        raise PictureError("outside_root", f"{path} leads out of {root}")
    if not is_file:
        raise PictureError("missing", f"no file {path} in {root}{other_spelling(root, path)}")
    return real_path
