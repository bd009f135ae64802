"""The world's scenes in COCO's format: boxes, polygons and keypoints."""

import json
from functools import partial
from itertools import count as count_from
from pathlib import Path

import numpy as np

from igdet.utils.files import atomic_write
from igdet.world.dancer import BONES, KEYPOINT_NAMES
from igdet.world.rendering import Source, encode_jpeg, make_items
from igdet.world.scene import DrawnImage, Style, Thing, draw_image
from igdet.world.taxonomy import DANCER, LEAVES, WIDER, WNIDS

MOST_THINGS = 4
DANCER_SHARE = 0.5  # probability that one thing of a scene is a dancer: as in COCO, people are the most frequent class


def draw_scene(source: Source, style: Style, index: int) -> DrawnImage:
    """Draw one scene."""
    rng = source.generator(index)
    class_ids = rng.integers(len(WNIDS), size=rng.integers(1, MOST_THINGS + 1)).tolist()
    if rng.random() < DANCER_SHARE:
        class_ids[rng.integers(len(class_ids))] = DANCER
    return draw_image(class_ids, style, rng)


def make_scene(source: Source, style: Style, index: int) -> tuple[bytes, list[Thing]]:
    """Make one scene: its JPEG file and its annotated things."""
    image = draw_scene(source, style, index)
    return encode_jpeg(image.image), image.things


def write_coco(folder: Path, source: Source, style: Style, count: int, workers: int) -> None:
    """Write scenes to `folder/SPLIT/` and `folder/annotations/{instances,person_keypoints}_SPLIT.json`.

    Args:
        folder: of the whole COCO set.
        source: its part is named ".../SPLIT".
        style: of the scenes.
        count: of scenes.
        workers: number of processes.
    """
    split = Path(source.part).name
    (folder / split).mkdir(parents=True)
    images, annotations, annotation_ids = [], [], count_from(1)
    scenes = make_items(partial(make_scene, source, style), count, source.part, workers)
    for image_id, (image, things) in enumerate(scenes, start=1):
        (folder / split / image_name(image_id, "jpg")).write_bytes(image)
        images.append(image_entry(image_id, style))
        annotations += [_annotation(thing, image_id, next(annotation_ids)) for thing in things]
    _write_json(folder / "annotations" / f"instances_{split}.json", images, _without_keypoints(annotations), CATEGORIES)
    dancers = [annotation for annotation in annotations if annotation["category_id"] == category_id(DANCER)]
    _write_json(folder / "annotations" / f"person_keypoints_{split}.json", images, dancers, [_dancer_category()])


def image_name(image_id: int, suffix: str) -> str:
    """Name an image's file as COCO does."""
    return f"{image_id:012d}.{suffix}"


def image_entry(image_id: int, style: Style) -> dict:
    """Return what COCO's files say of a scene's image."""
    return {"id": image_id, "file_name": image_name(image_id, "jpg"), "width": style.side, "height": style.side}


def category_id(class_id: int) -> int:
    """Number a class as COCO does, from 1 on."""
    return class_id + 1


CATEGORIES = [
    {"id": category_id(class_id), "name": synset.lemmas[0], "supercategory": WIDER[synset.hypernym].lemmas[0]}
    for class_id, synset in enumerate(LEAVES.values())
]


def _dancer_category() -> dict:
    skeleton = [[KEYPOINT_NAMES.index(a) + 1, KEYPOINT_NAMES.index(b) + 1] for a, b in BONES]
    return {**CATEGORIES[DANCER], "keypoints": list(KEYPOINT_NAMES), "skeleton": skeleton}


def _annotation(thing: Thing, image_id: int, annotation_id: int) -> dict:
    x0, y0, x1, y1 = thing.box
    return {
        "id": annotation_id,
        "image_id": image_id,
        "category_id": category_id(thing.class_id),
        "bbox": [x0, y0, x1 - x0, y1 - y0],
        "segmentation": [polygon.ravel().tolist() for polygon in thing.polygons],
        "area": thing.area,
        "iscrowd": 0,
        "keypoints": _coco_keypoints(thing.keypoints),
        "num_keypoints": int(np.count_nonzero(thing.keypoints[:, 2])),
    }


def _coco_keypoints(keypoints: np.ndarray) -> list[float]:
    """Return x, y, v of every keypoint; COCO counts keypoints from the first pixel's middle, boxes from its corner."""
    x, y, visibility = keypoints.T
    labelled = visibility > 0
    places = np.stack([np.where(labelled, x - 0.5, 0), np.where(labelled, y - 0.5, 0), visibility], axis=1)
    return np.round(places, 2).ravel().tolist()


def _without_keypoints(annotations: list[dict]) -> list[dict]:
    return [{key: value for key, value in annotation.items() if "keypoints" not in key} for annotation in annotations]


def _write_json(path: Path, images: list[dict], annotations: list[dict], categories: list[dict]) -> None:
    info = {"description": "synthetic world"}
    content = {"info": info, "licenses": [], "images": images, "annotations": annotations, "categories": categories}
    with atomic_write(path, "w") as file:
        json.dump(content, file)
