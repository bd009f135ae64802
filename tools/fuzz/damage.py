"""Damage to a file: to its bytes, to what it holds, to the file itself."""

import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

from fuzz.jpegs import mutate_jpeg
from fuzz.payloads import mutate_legacy, mutate_pickle, mutate_torch
from fuzz.tables import mutate_csv, mutate_parquet
from fuzz.trees import mutate_json, mutate_json_lines, mutate_yaml

LONGEST_SLICE = 512  # bytes that are cut, doubled or moved at once
_SPECIAL = (b"\x00", b"\xff", b"\x7f", b"\x80", b"\n", b'"', b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\x1b[2J")

# Of the files that have a structure: what changes the structure and keeps the rest sound.
STRUCTURED: dict[str, Callable[[bytes, Random], bytes]] = {
    ".json": mutate_json,
    ".jsonl": mutate_json_lines,
    ".yaml": mutate_yaml,
    ".csv": mutate_csv,
    ".parquet": mutate_parquet,
    ".pkl": mutate_pickle,
    ".pth": mutate_torch,
    ".pt": mutate_legacy,
    ".jpg": mutate_jpeg,
}


def damage(path: Path, dice: Random) -> None:
    """Damage a file in place.

    Args:
        path: a sound file.
        dice: decides everything.
    """
    share = dice.random()
    if share < 0.04:
        dice.choice(_FILES)(path)
    elif share < 0.6 and path.suffix in STRUCTURED:
        path.write_bytes(STRUCTURED[path.suffix](path.read_bytes(), dice))
    else:
        path.write_bytes(mutate_bytes(path.read_bytes(), dice))


def mutate_bytes(data: bytes, dice: Random) -> bytes:
    """Change one to five places of a file's bytes."""
    for _ in range(dice.randint(1, 5)):
        start = dice.randrange(len(data) + 1)
        end = min(len(data), start + dice.randint(1, LONGEST_SLICE))
        data = dice.choice(_BYTES)(data, start, end, dice)
    return data


def _flip(data: bytes, start: int, end: int, dice: Random) -> bytes:
    if start == len(data):
        return data
    return data[:start] + bytes([data[start] ^ 1 << dice.randrange(8)]) + data[start + 1 :]


def _special(data: bytes, start: int, end: int, dice: Random) -> bytes:
    value = dice.choice(_SPECIAL)
    return data[:start] + value + data[start + len(value) :]


_BYTES: tuple[Callable[[bytes, int, int, Random], bytes], ...] = (
    _flip,
    _flip,
    _special,
    lambda data, start, end, dice: data[:start] + data[end:],
    lambda data, start, end, dice: data[:end] + data[start:],  # a slice twice
    lambda data, start, end, dice: data[:start] + dice.randbytes(dice.randint(1, 16)) + data[start:],
    lambda data, start, end, dice: data[:start],
)


def _recode(codec: str) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(path.read_bytes().decode("latin-1").encode(codec))


def _folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _link_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def _other_file(path: Path) -> None:
    others = sorted(other for other in path.parent.iterdir() if other.is_file() and other != path)
    if others:
        shutil.copyfile(others[0], path)


_FILES: tuple[Callable[[Path], None], ...] = (
    Path.unlink,
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(path.read_bytes() * 2),
    lambda path: path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n"),
    lambda path: path.write_bytes(b"<!DOCTYPE html><html><body>404 Not Found</body></html>\n"),
    _recode("utf-8-sig"),
    _recode("utf-16"),
    _folder_instead,
    _link_to_itself,
    _other_file,
)
