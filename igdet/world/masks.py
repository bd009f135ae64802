"""The class and the segment of each pixel of the world's scenes: label maps, and COCO's panoptic format."""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from igdet.formats.label_maps import VOID, encode_class_ids, encode_segment_ids
from igdet.utils.files import atomic_write
from igdet.world.coco import CATEGORIES, category_id, draw_scene, image_entry, image_name
from igdet.world.rendering import Source, make_items
from igdet.world.scene import HIDDEN, DrawnImage, Style

IGNORED = 255  # the id of pixels that do not count, Detectron2's
GROUND = {"id": len(CATEGORIES) + 1, "name": "background", "supercategory": "background"}
CLASSES = (GROUND["name"], *(category["name"] for category in CATEGORIES))  # of the label maps, by id

Masks = tuple[bytes, bytes, list[dict]]  # PNG of class ids, PNG of segments, what COCO says of the segments


def make_masks(source: Source, style: Style, index: int) -> Masks:
    """Make the truth of one scene's pixels."""
    scene = draw_scene(source, style, index)
    segments, infos = _segments(scene)
    return encode_class_ids(class_ids(scene)), encode_segment_ids(segments), infos


def class_ids(scene: DrawnImage) -> np.ndarray:
    """Return the class of each pixel, uint8 (side, side): a position in `CLASSES`, or `IGNORED`."""
    of_segment = np.full(HIDDEN + 1, IGNORED, np.uint8)
    of_segment[: len(scene.things) + 1] = [0, *(category_id(thing.class_id) for thing in scene.things)]
    return of_segment[scene.segments]


def _segments(scene: DrawnImage) -> tuple[np.ndarray, list[dict]]:
    """The ids of segments, int (side, side): things from 1 on, the ground behind them; and what COCO says of each."""
    ground = len(scene.things) + 1
    ids = np.where(scene.segments == 0, ground, np.where(scene.segments == HIDDEN, VOID, scene.segments))
    categories = [*(category_id(thing.class_id) for thing in scene.things), GROUND["id"]]
    numbered = enumerate(categories, start=1)
    infos = [_info(ids == number, {"id": number, "category_id": category}) for number, category in numbered]
    return ids, [info for info in infos if info["area"]]


def _info(mask: np.ndarray, known: Mapping) -> dict:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return {"area": 0}
    x, y = int(columns[0]), int(rows[0])
    box = [x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1]
    return {**known, "bbox": box, "area": int(mask.sum()), "iscrowd": 0}


def panoptic_json(folder: Path, split: str) -> Path:
    """Where the panoptic json lies, which is written last."""
    return folder / "annotations" / f"panoptic_{split}.json"


def write_masks(folder: Path, source: Source, style: Style, count: int, workers: int) -> None:
    """Write the truth of the scenes that `write_coco` draws, drawn again.

    Label maps go to `folder/semantic_SPLIT/`, their classes to `folder/semantic_classes.txt`, panoptic PNGs to
    `folder/panoptic_SPLIT/`.

    Args:
        folder: of the whole COCO set.
        source: its part is named ".../SPLIT".
        style: of the scenes.
        count: of scenes.
        workers: number of processes.
    """
    split = Path(source.part).name
    folders = folder / f"semantic_{split}", folder / f"panoptic_{split}"
    for one in folders:
        one.mkdir(parents=True, exist_ok=True)
    images, annotations = [], []
    scenes = replace(source, part=f"{folder.name}/{split}")
    made = make_items(partial(make_masks, scenes, style), count, source.part, workers)
    for image_id, (*pngs, infos) in enumerate(made, start=1):
        name = image_name(image_id, "png")
        for one, png in zip(folders, pngs, strict=True):
            (one / name).write_bytes(png)
        images.append(image_entry(image_id, style))
        annotations.append({"image_id": image_id, "file_name": name, "segments_info": infos})
    with atomic_write(folder / "semantic_classes.txt", "w") as file:
        file.writelines(f"{name}\n" for name in CLASSES)
    categories = [*({**category, "isthing": 1} for category in CATEGORIES), {**GROUND, "isthing": 0}]
    with atomic_write(panoptic_json(folder, split), "w") as file:
        json.dump({"images": images, "annotations": annotations, "categories": categories}, file)
