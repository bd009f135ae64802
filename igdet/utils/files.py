"""Files that survive a crash: a reader sees the old one or the whole new one; mapped arrays; paths."""

import errno
import json
import mmap
import os
import shutil
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from typing import IO, Any
from urllib.parse import unquote

import numpy as np

from igdet.utils.errors import UserError, no_such_file
from igdet.utils.messages import brief, shown

_UNFINISHED = ".unfinished"  # ends the name of a file or folder that is being written
# How a path is written elsewhere: by Windows, in URLs, by macOS or others, with a slash or the name of the root first.
_SPELLINGS: tuple[Callable[[str], str], ...] = (
    lambda path: path.replace("\\", "/"),
    unquote,
    lambda path: unicodedata.normalize("NFC", path),
    lambda path: unicodedata.normalize("NFD", path),
    str.strip,
    lambda path: path.lstrip("/"),
    lambda path: path.partition("/")[2],
)


@contextmanager
def atomic_write(path: str | os.PathLike, mode: str = "wb") -> Iterator[IO]:
    """Open a temporary file that takes the place of `path` when the block ends without an error.

    Args:
        path: the file to write; its folder is made when missing.
        mode: "wb" for bytes, "w" for UTF-8 text, in which a lone surrogate, as in a file name that is no UTF-8, is
            written as its escape (backslash, udcff): JSON reads it back.

    Raises:
        OSError: the disk is full or not writable; `path` is then as it was before, and nothing is left beside it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=_UNFINISHED)
    try:
        encoding, errors = (None, None) if "b" in mode else ("utf-8", "backslashreplace")
        with os.fdopen(handle, mode, encoding=encoding, errors=errors) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o666 & ~_UMASK)  # mkstemp gives 0600: other readers must see the result
        Path(temporary).replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise
    sync(path.parent)


@contextmanager
def atomic_write_together(path: str | os.PathLike) -> Iterator[Path]:
    """Yield an empty temporary folder; its files are moved beside `path` when the block ends without an error.

    The file with the name of `path` comes last, for it may name the others, which then are there. Only a crash between
    two renames leaves new files beside an old one.

    Args:
        path: the file that a reader opens; its folder is made when missing.

    Raises:
        OSError: as for `atomic_write`.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.", suffix=_UNFINISHED) as temporary:
        yield Path(temporary)
        files = sorted(Path(temporary).iterdir(), key=lambda file: file.name == path.name)
        for file in files:
            file.chmod(0o666 & ~_UMASK)
            sync(file)
        for file in files:
            file.replace(path.with_name(file.name))
            sync(path.parent)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder that becomes `path` when the block ends without an error.

    Of several that are written at one time the first to end stays, and the others are removed.

    Args:
        path: must not be there before; the folder that it is in must.

    Raises:
        OSError: the disk is full or not writable; nothing is left beside `path`.
    """
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=_UNFINISHED))
    try:
        yield temporary
        for below in [*temporary.rglob("*"), temporary]:
            sync(below)
        temporary.chmod(0o777 & ~_UMASK)
        try:
            temporary.rename(path)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        sync(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def link_or_copy(source: Path, target: Path) -> None:
    """Let a file be in another folder too: by a hard link, or as a copy where that cannot be.

    A file that is replaced later, as `atomic_write` does, stays as it was in the other folder.

    Args:
        source: the file.
        target: replaced when it is there; its folder is made when missing.

    Raises:
        OSError: the disk is full or not writable.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:  # another file system, or one without links
        with source.open("rb") as original, atomic_write(target) as copy:
            shutil.copyfileobj(original, copy)


def remove_unfinished(folder: str | os.PathLike) -> list[str]:
    """Remove what killed processes were writing in a folder and below; no process may be writing there now.

    Args:
        folder: need not exist.

    Returns:
        What they were writing: paths below the folder.
    """
    found = []
    for path in sorted(Path(folder).rglob(f".*{_UNFINISHED}")):  # a folder comes before what is in it
        if path.exists():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            wanted = path.name[1:].removesuffix(_UNFINISHED).rpartition(".")[0]  # without what mkstemp put in
            found.append(str(path.relative_to(folder).with_name(wanted)))
    return found


def read_json(path: str | os.PathLike, expected: str, kind: type = dict) -> Any:
    """Read a JSON file of this program's, which somebody may have changed or cut short.

    Args:
        path: the file, in UTF-8, -16 or -32, with or without a byte-order mark.
        expected: what it should hold, and what to do where it does not.
        kind: type of its content.

    Returns:
        Its content.

    Raises:
        UserError: it is missing, cannot be read, is no JSON, nested too deeply or of another kind, or has a key twice.
    """
    try:
        content = json.loads(Path(path).read_bytes(), object_pairs_hook=_without_doubled_keys)
    except FileNotFoundError as error:
        raise UserError(no_such_file(path, expected)) from error
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: cannot be read as JSON ({brief(error)}); expected {expected}") from error
    if not isinstance(content, kind):
        raise UserError(f"{path}: holds a {type(content).__name__}; expected {expected}")
    return content


def _without_doubled_keys(pairs: list[tuple[str, object]]) -> dict:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"the key {shown(twice)} is written twice")
    return found


def read_json_lines(path: str | os.PathLike) -> list:
    """The values in a JSON-lines file, none where there is no file.

    A line that is cut short, by a crash or a writer at work, is left out.
    """
    if not Path(path).is_file():
        return []
    values = []
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        with suppress(ValueError, RecursionError):
            values.append(json.loads(line))
    return values


def _read_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def sync(path: Path) -> None:
    """Make a file's content, or a rename within a folder, survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_UMASK = _read_umask()  # once: to read it is to set it, for all threads


def map_array(path: Path, dtype: type) -> np.ndarray:
    """Map a file that holds nothing but numbers, as `ndarray.tofile` writes them.

    Args:
        path: the file.
        dtype: of the numbers.

    Returns:
        (n,), read-only.
    """
    if not path.stat().st_size:
        return np.zeros(0, dtype)  # nothing cannot be mapped
    return np.asarray(np.memmap(path, dtype, "r"))


def release(*arrays: np.ndarray) -> None:
    """Give back the pages of mapped arrays that this process has touched: they would count as its memory.

    What is needed again is read again, usually from the system's cache. Other arrays are left as they are.
    """
    for array in arrays:
        owner: object = array
        while isinstance(owner, np.ndarray):
            owner = owner.base
        if isinstance(owner, mmap.mmap) and not array.flags.writeable:  # a private copy's changes would be lost
            owner.madvise(mmap.MADV_DONTNEED)


def expanded(path: str | os.PathLike) -> Path:
    """Replace $VARIABLES, where they are set, and then a leading ~ by what they stand for."""
    return Path(os.path.expandvars(path)).expanduser()


def other_spelling(root: str | os.PathLike, path: str) -> str:
    r"""Return a hint at the file that was perhaps meant by a path which leads to none; "" where there is none either.

    Args:
        root: the folder that paths are relative to.
        path: such as a\b.jpg or a%20b.jpg, for a/b.jpg and "a b.jpg".
    """
    for spell in _SPELLINGS:
        other = spell(path)
        stays = ".." not in PurePath(other).parts and not PurePath(other).is_absolute()
        if other not in ("", path) and stays and os.path.isfile(os.path.join(root, other)):  # noqa: PTH113, PTH118 (NUL)
            return f"; {other} is there: write it so"
    return ""
