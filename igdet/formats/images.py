"""Image files: the formats that are read, the one way to open them, and which files of a folder are images."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import IO, NamedTuple

import numpy as np
from PIL import Image, ImageOps, features

WIDE_MODES = frozenset({"I", "I;16", "I;16L", "I;16B", "I;16N", "F"})  # Pillow's: one channel of more than 8 bits
_RANGE_16_BIT = 65535
# Pillow's other decoders are little used, or start programs: that of EPS runs Ghostscript on whatever the file says.
# Each with what a Pillow must have been built with to decode it, where it may lack that.
_WANTED = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF")
_NEEDED = {"WEBP": "webp", "JPEG2000": "jpg_2000", "AVIF": "avif"}  # libraries that a Pillow may lack
_MPO = "MPO"  # by Pillow's decoder of JPEG: one with more images behind it, of which the first counts


def scale_16_bits(grey: np.ndarray) -> np.ndarray:
    """Scale 0..65535 to 0..255.

    Args:
        grey: (H, W), of any number type.

    Returns:
        uint8 (H, W).

    Raises:
        ValueError: a pixel is outside 0..65535, or no whole number: what white is cannot be known.
    """
    if grey.dtype.kind == "f" or grey.min() < 0 or grey.max() > _RANGE_16_BIT:
        raise ValueError("has pixels outside 0..65535, whose range is unknown; convert it to 8 bits")
    return np.round(grey / (_RANGE_16_BIT / 255)).astype(np.uint8)


def _is_supported(name: str) -> bool:
    return name in Image.OPEN and (name not in _NEEDED or bool(features.check(_NEEDED[name])))


Image.init()  # registers all of Pillow's decoders; that of AVIF is one from Pillow 11.3 on
FORMATS = tuple(filter(_is_supported, _WANTED))
SUFFIXES = frozenset(suffix for suffix, name in Image.registered_extensions().items() if name in (*FORMATS, _MPO))
# What often lies beside images: such files are counted without a look inside.
_TEXTS = (".txt", ".json", ".jsonl", ".csv", ".tsv", ".xml", ".yaml", ".yml", ".md", ".html", ".log", ".ini", ".py")
_ARCHIVES = (".pdf", ".db", ".npy", ".npz", ".mat", ".pkl", ".parquet", ".tar", ".gz", ".zip", ".mp4", ".mov")
_NO_IMAGES = frozenset(_TEXTS + _ARCHIVES)
HIDDEN, NO_SUFFIX, NO_TEXT, LOOP = "hidden", "without a suffix", "of names that are no text", "links in a circle"


class Listing(NamedTuple):
    """The images of a folder.

    Attributes:
        images: paths relative to the root, sorted.
        passed_over: the number of other files by suffix; a hidden folder counts as one.
    """

    images: list[str]
    passed_over: Counter[str]


def open_image(file: IO[bytes]) -> Image.Image:
    """Read the header of an image in one of `FORMATS`; nothing else may open untrusted images.

    Raises:
        UnidentifiedImageError: it is in none of them.
        Image.DecompressionBombError: it has more than twice `PIL.Image.MAX_IMAGE_PIXELS`.
        Exception: of any kind: its header is damaged.
    """
    return Image.open(file, formats=FORMATS)


def to_rgb(image: Image.Image) -> np.ndarray:
    """Decode an opened image, its first frame: upright, an alpha channel dropped, grey of 16 bits scaled, not clipped.

    Returns:
        uint8 (H, W, 3) RGB, writable.

    Raises:
        Exception: of any kind: the file is damaged, or its range is unknown.
    """
    upright = ImageOps.exif_transpose(image)
    if upright.mode in WIDE_MODES:
        return np.repeat(scale_16_bits(np.asarray(upright))[:, :, None], 3, axis=2)
    return np.array(upright.convert("RGB"))


def list_images(root: str | os.PathLike, folder: str = "") -> Listing:
    """List the images below a folder of the root; links are followed, as people link class folders.

    A file with one of `SUFFIXES` is an image, a broken one perhaps; one with another name is when its content is. What
    is hidden, `.NAME`, is passed over.

    Raises:
        OSError: a folder cannot be read.
    """
    images: list[str] = []
    passed_over: Counter[str] = Counter()
    for where, file in _walk(os.path.join(root, folder), passed_over):  # noqa: PTH118 (hot: a million files)
        path = os.path.join(where, file)  # noqa: PTH118
        kind = _kind(path, file)
        relative = os.path.relpath(path, root)
        if not kind and _is_text(relative):
            images.append(relative)
        else:
            passed_over[kind or NO_TEXT] += 1
    return Listing(sorted(images), passed_over)


def describe(passed_over: Counter[str]) -> str:
    """Return how many files of which suffixes were passed over, the most frequent first; "" for none."""
    return ", ".join(f"{count:,} {suffix}" for suffix, count in passed_over.most_common())


def is_hidden(name: str) -> bool:
    """Return whether a file or folder is some program's own, such as .ipynb_checkpoints, .DS_Store or ._1.jpg."""
    return name.startswith(".")


def may_be_images(passed_over: Counter[str]) -> Counter[str]:
    """Return those passed over that are neither hidden nor of suffixes which often lie beside images."""
    return Counter({kind: n for kind, n in passed_over.items() if kind not in _NO_IMAGES and kind != HIDDEN})


def _walk(top: str, passed_over: Counter[str]) -> Iterator[tuple[str, str]]:
    for where, folders, files in os.walk(top, onerror=_raise, followlinks=True):
        hidden = {name for name in folders if is_hidden(name)}
        loops = {name for name in folders if _leads_back(where, name)} - hidden
        folders[:] = [name for name in folders if name not in hidden | loops]  # the walk goes on in these
        passed_over.update({HIDDEN: len(hidden)} if hidden else {})
        passed_over.update({LOOP: len(loops)} if loops else {})
        yield from ((where, file) for file in files)


def _raise(error: OSError) -> None:
    raise error


def _leads_back(where: str, name: str) -> bool:
    """Return whether a folder is a link to one that it lies in."""
    path = Path(where, name)
    return path.is_symlink() and path.resolve() in (Path(where).resolve(), *Path(where).resolve().parents)


def _kind(path: str, name: str) -> str:
    """Return "" for an image, else under which name the file is counted."""
    if is_hidden(name):
        return HIDDEN
    suffix = PurePath(name).suffix.lower()
    is_image = suffix in SUFFIXES or (suffix not in _NO_IMAGES and _holds_image(Path(path)))
    return "" if is_image else suffix or NO_SUFFIX


def _holds_image(path: Path) -> bool:
    if not path.is_file():  # a pipe could be read for ever
        return False
    try:
        with path.open("rb") as file, open_image(file):
            return True
    except Image.DecompressionBombError:
        return True
    except Exception:  # decoders raise whatever their file format's code happens to raise
        return False


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
