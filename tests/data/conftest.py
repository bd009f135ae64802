"""Small data sets on disk and a config for them."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from detectron2.config import CfgNode, get_cfg
from PIL import Image

from igdet.config import add_igdet_config


def noise_image(seed: int, height: int = 40, width: int = 50) -> np.ndarray:
    """A smooth random image: JPEG keeps its neighbouring pixels similar."""
    small = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


@pytest.fixture
def save_image() -> Callable[[Path, int], Path]:
    """Save the random image of a seed under a path, in the format of its suffix."""

    def save(path: Path, seed: int) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise_image(seed)).save(path)
        return path

    return save


@pytest.fixture
def folder_of_images(tmp_path, save_image) -> Path:
    """Two classes, cat of 5 and dog of 3 images."""
    root = tmp_path / "folder"
    for i, name in enumerate(["cat/0.jpg", "cat/1.jpg", "cat/2.png", "cat/more/3.JPEG", "cat/4.jpg"]):
        save_image(root / name, i)
    for i in range(3):
        save_image(root / f"dog/{i}.jpg", 10 + i)
    (root / "dog/notes.txt").write_text("not an image")
    return root


@pytest.fixture
def coco_content() -> dict:
    """Two images of 50 x 40, two categories with three keypoints each, three annotations."""
    keypoints = {"keypoints": ["nose", "left_hand", "right_hand"], "skeleton": [[1, 2], [1, 3]]}
    return {
        "images": [{"id": i, "file_name": f"{i}.jpg", "width": 50, "height": 40} for i in (1, 2)],
        "categories": [{"id": 7, "name": "person", **keypoints}, {"id": 3, "name": "doll", **keypoints}],
        "annotations": [
            {
                "id": i,
                "image_id": image,
                "category_id": category,
                "bbox": [5, 6, 20, 10],
                "area": 200,
                "iscrowd": 0,
                "segmentation": [[5, 6, 25, 6, 25, 16]],
                "keypoints": [6, 7, 2, 8, 9, 2, 0, 0, 0],
                "num_keypoints": 2,
            }
            for i, image, category in ((1, 1, 7), (2, 1, 3), (3, 2, 7))
        ],
    }


@pytest.fixture
def write_coco(tmp_path, save_image) -> Callable[[dict], dict[str, str]]:
    """Write a COCO json and its images; gives the data set's fields."""

    def write(content: dict) -> dict[str, str]:
        for image in content["images"]:
            save_image(tmp_path / "images" / image["file_name"], image["id"])
        path = tmp_path / "annotations.json"
        path.write_text(json.dumps(content))
        return {"ROOT": str(tmp_path / "images"), "ANNOTATIONS": str(path)}

    return write


@pytest.fixture
def cfg(tmp_path) -> CfgNode:
    """igdet's defaults made small."""
    cfg = get_cfg()
    add_igdet_config(cfg)
    cfg.OUTPUT_DIR = str(tmp_path / "run")
    cfg.SEED = 7
    cfg.SOLVER.IMS_PER_BATCH = 4
    cfg.DATALOADER.NUM_WORKERS = 0
    cfg.INPUT.FORMAT = "RGB"
    cfg.INPUT.MIN_SIZE_TRAIN = (32,)
    cfg.INPUT.MIN_SIZE_TEST = 32
    cfg.INPUT.CLASSIFICATION.TRAIN_CROP = 16
    cfg.INPUT.CLASSIFICATION.TEST_SHORT_SIDE = 20
    cfg.INPUT.CLASSIFICATION.TEST_CROP = 16
    return cfg
