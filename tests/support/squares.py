"""A detector's run on a handful of drawn squares, within the test's process."""

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

from igdet.engine import evaluate, train
from igdet.engine.setup import setup

CONFIG = """
_BASE_: [{bases}]
MODEL:
  DEVICE: cpu
  BACKBONE: {{NAME: X_14_8x4d_FPN}}
  ROI_HEADS: {{NUM_CLASSES: 1}}
  ROI_KEYPOINT_HEAD: {{NUM_KEYPOINTS: 2, CONV_DIMS: [16]}}
INPUT: {{MIN_SIZE_TRAIN: [64], MIN_SIZE_TEST: 64}}
DATASETS:
  OWN:
    squares: {{KIND: coco, ROOT: {data}, ANNOTATIONS: {data}/squares.json}}
    gone: {{KIND: coco, ROOT: {data}/gone, ANNOTATIONS: {data}/gone.json}}
  TRAIN: [squares]
  TEST: [squares]
DATALOADER: {{NUM_WORKERS: 0}}
SOLVER: {{IMS_PER_BATCH: 2, IMAGES_SEEN: 8, WARMUP_IMAGES: 2, LR_DROPS: 1}}
TEST: {{KEYPOINT_OKS_SIGMAS: [0.1, 0.1]}}
OUTPUT_DIR: {output}
"""
SIDE = 30  # pixels


def square(image_id, x, y):
    """The annotation of one square, its two keypoints at opposite corners."""
    corners = [x, y, x + SIDE, y, x + SIDE, y + SIDE, x, y + SIDE]
    return {
        **{"id": image_id, "image_id": image_id, "category_id": 1, "iscrowd": 0},
        **{"bbox": [x, y, SIDE, SIDE], "area": SIDE**2, "segmentation": [corners]},
        **{"num_keypoints": 2, "keypoints": [x, y, 2, x + SIDE - 1, y + SIDE - 1, 2]},
    }


def draw_squares(folder: Path) -> Path:
    """Four images of a white square on black, with COCO annotations in squares.json; returns the folder."""
    generator = np.random.default_rng(0)
    category = {"id": 1, "name": "square", "keypoints": ["left_corner", "right_corner"], "skeleton": [[1, 2]]}
    content = {"images": [], "annotations": [], "categories": [category]}
    for image_id in range(1, 5):
        x, y = map(int, generator.integers(0, 64 - SIDE, 2))
        pixels = np.zeros((64, 64, 3), np.uint8)
        pixels[y : y + SIDE, x : x + SIDE] = 255
        Image.fromarray(pixels).save(folder / f"{image_id}.png")
        content["images"].append({"id": image_id, "file_name": f"{image_id}.png", "height": 64, "width": 64})
        content["annotations"].append(square(image_id, x, y))
    (folder / "squares.json").write_text(json.dumps(content))
    return folder


def write_config(squares, repository, folder, overlays=()):
    """The config of a detector of squares, in `folder`; returns its file."""
    files = ["quick_schedules/Base-World-RCNN-FPN.yaml", *overlays]
    bases = ", ".join(str(repository / "configs" / file) for file in files)
    config_file = folder / "squares.yaml"
    config_file.write_text(CONFIG.format(bases=bases, data=squares, output=folder / "run"))
    return config_file


def run(squares, repository, folder, *opts, overlays=(), eval_only=False, resume=False):
    """Train and evaluate on the squares, in `folder`/run: files of configs/ are laid over the world's slim detector."""
    config_file = write_config(squares, repository, folder, overlays)
    args = argparse.Namespace(config_file=str(config_file), opts=list(opts), resume=resume, eval_only=eval_only)
    return (evaluate if eval_only else train)(setup(args), args)
