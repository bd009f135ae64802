"""Which image formats are read, that nothing opens others, and which files of a folder count as images."""

import ast
import io
import os
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError

from igdet.formats.images import FORMATS, SUFFIXES, describe, list_images, may_be_images, open_image, to_rgb

ROOT = Path(__file__).resolve().parents[2]
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n%%EOF\n"


def encoded(form: str, pixels: np.ndarray, **options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form, **options)
    return file.getvalue()


@pytest.fixture
def red() -> np.ndarray:
    """A plain image, uint8 (16, 24, 3)."""
    return np.tile(np.array([250, 10, 20], np.uint8), (16, 24, 1))


@pytest.fixture
def started(tmp_path, monkeypatch) -> Path:
    """A file that a Ghostscript, first on PATH, leaves when it is started."""
    mark = tmp_path / "started"
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/gs"
    program.write_text(f"#!/bin/sh\ntouch {mark}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setattr("PIL.EpsImagePlugin.gs_binary", None, raising=False)  # Pillow looks once, 10.0 each time
    return mark


def test_the_false_ghostscript_is_one_that_pillow_starts(started):
    with pytest.raises(OSError), Image.open(io.BytesIO(EPS)) as image:
        image.load()
    assert started.exists()


@pytest.mark.parametrize("data", [EPS, b"\xc5\xd0\xd3\xc6" + bytes(28) + EPS])
def test_no_file_starts_a_program(started, data):
    with pytest.raises(UnidentifiedImageError):
        open_image(io.BytesIO(data))
    assert not started.exists()


def test_nothing_else_opens_images():
    """`open_image` alone knows the formats; OpenCV and Detectron2 get bytes that it has let through."""
    openers = re.compile(r"(.*\.)?(Image\.open|imread|read_image|pil_loader|default_loader)")
    opening = {
        f"{path.relative_to(ROOT)}: {ast.unparse(call.func)}"
        for folder in ("igdet", "tools")
        for path in (ROOT / folder).rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and openers.fullmatch(ast.unparse(call.func))
    }
    assert opening == {"igdet/formats/images.py: Image.open"}


@pytest.mark.parametrize(("form", "apart"), [("PNG", 0), ("JPEG", 3), ("WEBP", 6), ("JPEG2000", 0), ("AVIF", 6)])
def test_pixels_of_the_formats(red, form, apart):
    if form not in FORMATS:
        pytest.skip(f"this Pillow reads no {form}")
    pixels = to_rgb(open_image(io.BytesIO(encoded(form, red))))
    assert pixels.shape == red.shape and pixels.dtype == np.uint8
    assert np.abs(pixels.astype(int) - red).max() <= apart


def test_grey_of_16_bits_is_scaled_in_jpeg_2000_as_in_png():
    grey = np.array([[0, 257, 65535]] * 8, np.uint16)
    for form in ("PNG", "JPEG2000"):
        pixels = to_rgb(open_image(io.BytesIO(encoded(form, grey))))
        assert pixels[0].tolist() == [[0] * 3, [1] * 3, [255] * 3]


def test_the_first_of_several_images_counts(red):
    frames = [Image.fromarray(red), Image.fromarray(255 - red)]
    for form in {"MPO", "PNG", "WEBP", "AVIF"} & {*FORMATS, "MPO"}:
        file = io.BytesIO()
        frames[0].save(file, form, save_all=True, append_images=frames[1:])
        assert np.abs(to_rgb(open_image(file)).astype(int) - red).max() <= 6


def test_cmyk_becomes_rgb(red):
    cmyk = Image.fromarray(red).convert("CMYK")
    file = io.BytesIO()
    cmyk.save(file, "JPEG", quality=95)
    assert np.abs(to_rgb(open_image(file)).astype(int) - red).max() <= 6


def test_suffixes_are_those_of_the_formats():
    assert {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".gif", ".bmp", ".tif", ".ppm"} <= SUFFIXES
    assert (".avif" in SUFFIXES) == ("AVIF" in FORMATS) and (".jp2" in SUFFIXES) == ("JPEG2000" in FORMATS)
    assert SUFFIXES.isdisjoint({".eps", ".ps", ".pdf", ".wmf", ".heic", ".txt", ""})


@pytest.fixture
def folder(tmp_path, red) -> Path:
    """Images by name and by content, and what is none."""
    root = tmp_path / "folder"
    root.mkdir()
    jpeg = encoded("JPEG", red)
    for name in ("a.jpg", "b.JFIF", "c", "d.heic", "below/e.jpg:large"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(jpeg)
    (root / "broken.jpe").write_bytes(b"no image")
    (root / "f.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    (root / "README").write_text("P5 is no image")
    for name in ("x.txt", "y.txt", ".DS_Store", "Thumbs.db", ".git/z.jpg"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(jpeg)
    return root


def test_images_are_found_by_suffix_or_content_and_the_rest_is_counted(folder):
    images, passed_over = list_images(folder)
    assert images == ["a.jpg", "b.JFIF", "below/e.jpg:large", "broken.jpe", "c", "d.heic"]
    assert passed_over == {".txt": 2, "hidden": 2, ".db": 1, ".heic": 1, "without a suffix": 1}
    assert may_be_images(passed_over) == {".heic": 1, "without a suffix": 1}
    assert list_images(folder, "below") == (["below/e.jpg:large"], Counter())


def test_counts_are_one_line():
    assert describe(Counter({".txt": 1200, ".heic": 3})) == "1,200 .txt, 3 .heic"
    assert describe(Counter()) == ""


def test_what_is_no_file_is_not_opened(folder):
    os.mkfifo(folder / "pipe")
    (folder / "gone").symlink_to("nowhere")
    assert list_images(folder).passed_over["without a suffix"] == 3


def test_links_are_followed_but_not_in_a_circle(folder):
    (folder / "below/up").symlink_to("..")
    (folder / "again").symlink_to("below")
    images, passed_over = list_images(folder)
    assert [name for name in images if "large" in name] == ["again/e.jpg:large", "below/e.jpg:large"]
    assert passed_over["links in a circle"] == 2


def test_names_that_are_no_text_are_counted(folder):
    (folder / os.fsdecode(b"\xff.jpg")).write_bytes(b"")
    assert list_images(folder).passed_over["of names that are no text"] == 1


def test_a_folder_that_cannot_be_read_is_no_empty_one(folder):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        list_images(folder, "nowhere")
