"""Fixtures shared by all tests."""

import functools
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from chromium import PROGRAM, Chromium
from hub_server import HubServer, ask_at, serving
from huggingface_hub import constants
from memory_store import Faults, memory_store
from PIL import Image
from python_process import import_beforehand

COLOUR_CONFIG = """
_BASE_: {repository}/configs/Base-Classification.yaml
MODEL:
  DEVICE: cpu
  BACKBONE: {{NAME: X_14_8x4d}}
  CLASSIFIER: {{NUM_CLASSES: 3}}
INPUT:
  CLASSIFICATION: {{TRAIN_CROP: 32, TEST_SHORT_SIDE: 32, TEST_CROP: 32}}
DATASETS:
  OWN:
    colours_train: {{KIND: image_folder, ROOT: {data}/train}}
    colours_val: {{KIND: image_folder, ROOT: {data}/val}}
  TRAIN: [colours_train]
  TEST: [colours_val]
DATALOADER: {{NUM_WORKERS: 0}}
SOLVER: {{IMS_PER_BATCH: 4, IMAGES_SEEN: 24, BASE_LR: 0.01, CHECKPOINT_PERIOD: 3}}
SEED: 7
OUTPUT_DIR: {output}
"""


@pytest.fixture
def faults() -> Iterator[Faults]:
    """An empty store in memory, and what is to happen to it."""
    with memory_store() as found:
        yield found


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
    """train/ and val/, a folder of eight 32 x 32 images a class, told apart by colour: the easiest data there is."""
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


@pytest.fixture
def colour_config(repository, colour_folders, tmp_path) -> Path:
    """A config of six iterations of four of those images, run in tmp_path/run."""
    path = tmp_path / "colours.yaml"
    path.write_text(COLOUR_CONFIG.format(repository=repository, data=colour_folders, output=tmp_path / "run"))
    return path


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Compute on one thread: where tests run side by side, threads spend most of their time waiting for each other."""
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


@pytest.fixture(scope="session", autouse=True)
def _quick_processes() -> None:
    """Import igdet once for all processes that tests fork."""
    import_beforehand()


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory) -> Iterator[None]:
    """Keep what tests prepare out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IGDET_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _heard_loggers() -> Iterator[None]:
    """Let pytest hear the loggers again that a test's command has set up or disabled."""
    yield
    logging.disable(logging.NOTSET)
    for name in ("igdet", "detectron2", "fvcore"):
        logging.getLogger(name).propagate = True


@pytest.fixture
def hub(tmp_path, monkeypatch) -> Iterator[HubServer]:
    """A hub on this machine, which the hub's client asks, with a cache of the test's own."""
    with serving() as server:
        ask_at(server.url, monkeypatch)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "huggingface"))
        yield server


@pytest.fixture
def quick_compiler(monkeypatch):
    """The whole way through torch.compile but for the code generation, which takes a minute."""
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="aot_eager"))


@pytest.fixture
def browser(tmp_path):
    """A tab of headless Chromium that downloads into tmp_path."""
    if not PROGRAM:
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium)")
    with Chromium(tmp_path) as tab:
        yield tab
