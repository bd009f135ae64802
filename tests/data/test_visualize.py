"""Tests of contact sheets."""

import numpy as np
from detectron2.config import CfgNode

from igdet.data import register_own_datasets
from igdet.data.visualize import CAPTION_LINES, CELL, LINE, contact_sheet


def test_images_with_their_classes(cfg, folder_of_images):
    cfg.DATASETS.OWN = CfgNode({"own": {"KIND": "image_folder", "ROOT": str(folder_of_images)}})
    cfg.DATASETS.TRAIN = ("own",)
    register_own_datasets(cfg)
    sheet = contact_sheet(cfg, 6)
    assert sheet.size == (4 * CELL, 2 * (CELL + CAPTION_LINES * LINE))
    caption = np.asarray(sheet.crop((0, CELL, CELL, CELL + LINE)))
    assert caption.min() < 100  # the class name, black on white
    assert np.asarray(sheet.crop((2 * CELL, CELL + 2 * LINE, 4 * CELL, sheet.height))).min() == 255  # no 7th and 8th


def test_boxes_masks_and_keypoints(cfg, coco_content, write_coco):
    cfg.DATASETS.OWN = CfgNode({"drawn": {"KIND": "coco", **write_coco(coco_content)}})
    cfg.DATASETS.TRAIN = ("drawn",)
    cfg.MODEL.MASK_ON = cfg.MODEL.KEYPOINT_ON = True
    cfg.SOLVER.IMS_PER_BATCH = 2
    register_own_datasets(cfg)
    drawn = np.asarray(contact_sheet(cfg, 2))
    cfg.MODEL.MASK_ON = cfg.MODEL.KEYPOINT_ON = False
    assert drawn.shape == (CELL + CAPTION_LINES * LINE, 2 * CELL, 3)
    assert (drawn != np.asarray(contact_sheet(cfg, 2))).any()


def test_classes_of_pixels(cfg, coco_content, write_coco):
    cfg.DATASETS.OWN = CfgNode({"toys": {"KIND": "coco_semantic", **write_coco(coco_content)}})
    cfg.DATASETS.TRAIN = ("toys",)
    cfg.MODEL.META_ARCHITECTURE = "SemanticSegmentor"
    cfg.MODEL.SEM_SEG_HEAD.NUM_CLASSES = 3
    cfg.SOLVER.IMS_PER_BATCH = 2
    register_own_datasets(cfg)
    assert contact_sheet(cfg, 2).size == (2 * CELL, CELL + CAPTION_LINES * LINE)
