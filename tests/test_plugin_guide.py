"""docs/PLUGIN.md: its snippets, one after the other as a reader would, on small networks and random weights."""

import hashlib
import logging
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from detectron2.data import DatasetCatalog
from detectron2.structures import BoxMode
from PIL import Image

from igdet.formats.catalog import HASHTAGS, WEIGHTS, Weights
from igdet.modeling import FAMILY, build_resnext
from igdet.modeling.resnet_names import to_torchvision

GUIDE = Path(__file__).parents[1] / "docs/PLUGIN.md"
QUICK = (
    *("MODEL.DEVICE", "cpu", "SOLVER.MAX_ITER", 1, "SOLVER.IMS_PER_BATCH", 1, "SOLVER.BASE_LR", 1e-6),
    *("DATALOADER.NUM_WORKERS", 0, "INPUT.MIN_SIZE_TRAIN", (64,), "INPUT.MIN_SIZE_TEST", 64, "DATASETS.TEST", ()),
    *("MODEL.ROI_BOX_HEAD.FC_DIM", 16, "MODEL.RPN.POST_NMS_TOPK_TRAIN", 20),
)
SMALL = {"X_101_32x8d_FPN": "X_14_8x4d_FPN", "R_50_FPN": "R_18_FPN", "resnet50": "resnet18"}


@pytest.fixture
def small_world(tmp_path, monkeypatch):
    """The published name stands for a small random file in the cache; "my_photos" are two images."""
    cache = tmp_path / "cache"
    cache.mkdir()
    torch.save(to_torchvision(build_resnext(FAMILY["X_14_8x4d"]).state_dict()), cache / "x.pth")
    digits = hashlib.sha256((cache / "x.pth").read_bytes()).hexdigest()[:8]
    (cache / "x.pth").rename(cache / f"x-{digits}.pth")
    monkeypatch.setenv("IGDET_CACHE", str(cache))
    monkeypatch.setitem(WEIGHTS, "ig_resnext101_32x8d", Weights(f"x-{digits}.pth", "X_14_8x4d", HASHTAGS, {}))
    DatasetCatalog.register("my_photos", lambda: [photo(tmp_path, i) for i in range(2)])
    yield
    DatasetCatalog.remove("my_photos")


def photo(folder, number):
    path = folder / f"{number}.png"
    Image.fromarray(np.full((64, 64, 3), 90, np.uint8)).save(path)
    box = {"bbox": [8, 8, 40, 40], "bbox_mode": BoxMode.XYWH_ABS, "category_id": 0}
    return {
        **{"file_name": str(path), "image_id": number, "height": 64, "width": 64},
        "annotations": [{**box, "segmentation": [[8, 8, 48, 8, 48, 48, 8, 48]]}],
    }


def small(snippet):
    """The same with small networks; the zoo's config keeps its name."""
    for name, member in SMALL.items():
        snippet = re.sub(rf"(?<!mask_rcnn_){name}", member, snippet)
    return snippet


def test_the_guides_snippets(small_world, tmp_path, caplog):
    snippets = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    scope = {}
    exec(small(snippets[0]), scope)
    cfg = scope["cfg"]
    cfg.merge_from_list([*QUICK, "OUTPUT_DIR", str(tmp_path)])
    with caplog.at_level(logging.INFO):
        for snippet in snippets[1:]:
            exec(small(snippet), scope)
    assert "strides in the 3x3: MODEL.RESNETS.STRIDE_IN_1X1 True, Detectron2's default, has no effect" in caplog.text
    published = torch.load(next((tmp_path / "cache").glob("x-*.pth")))
    stem = scope["trainer"].model.backbone.bottom_up.stem.conv1.weight  # frozen, as FREEZE_AT 2 has it
    assert stem.equal(published["conv1.weight"])
    mine = torch.load(tmp_path / "mine.pth")
    assert scope["model"].backbone.bottom_up.res5[1].conv2.weight.equal(mine["layer4.1.conv2.weight"])
