"""Generated images, with shapes large enough to be recognised after edits."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from igdet.curation.duplicates.scanning import Progress, Scan


def scene(seed: int, size: tuple[int, int] = (96, 72)) -> Image.Image:
    """An image of soft random blotches; no two seeds are alike."""
    cells = np.random.default_rng(seed).integers(30, 200, (9, 12, 3), dtype=np.uint8)  # room for brighter ones
    return Image.fromarray(cells).resize(size, Image.Resampling.BICUBIC)


@pytest.fixture
def make_scene() -> Callable[..., Image.Image]:
    return scene


@pytest.fixture
def make_folder(tmp_path) -> Callable[[dict[str, Image.Image | bytes]], Path]:
    """Write images into a new folder, by their paths in it; bytes are written as they are."""

    def make(images, name="images"):
        for path, image in images.items():
            file = tmp_path / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(image if isinstance(image, bytes) else encoded(image))
        return tmp_path / name

    return make


def encoded(image: Image.Image, quality: int = 90) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


@pytest.fixture
def encode() -> Callable[..., bytes]:
    return encoded


@pytest.fixture
def scan() -> Scan:
    return Scan(max_side=512)


@pytest.fixture
def silent() -> Progress:
    return Progress(lambda line: None)
