"""Fixtures shared by all tests."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data that IGDET_TEST_DATA names; tests of real data are skipped without it."""
    folder = os.environ.get("IGDET_TEST_DATA")
    if not folder:
        pytest.skip("real data: set IGDET_TEST_DATA to the folder that holds coco/, coco-eval-fixture/, ...")
    return Path(folder)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the source tree."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def colour_folders(tmp_path_factory) -> Path:
    """train/ and val/, a folder of eight 32 x 32 pictures a class, told apart by colour: the easiest data there is."""
    root = tmp_path_factory.mktemp("colours")
    generator = np.random.default_rng(0)
    for split in ("train", "val"):
        for name, colour in {"blue": (0, 0, 200), "green": (0, 200, 0), "red": (200, 0, 0)}.items():
            folder = root / split / name
            folder.mkdir(parents=True)
            for i in range(8):
                pixels = np.clip(colour + generator.normal(0, 40, (32, 32, 3)), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(folder / f"{name}_{i}.png")
    return root
