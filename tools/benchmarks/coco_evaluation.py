"""COCO metrics of igdet against pycocotools, on made detections at the size of val2017, in processes of their own.

python tools/benchmarks/coco_evaluation.py bbox --images 5000 --repeats 3
"""

import argparse
import contextlib
import io
import json
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
from pycocotools import mask
from record import report, table

from igdet.evaluation.coco_metrics import SUMMARY

SIDE, OBJECTS = 640, 7.2  # val2017 has 36,781 objects in 5,000 images
DETECTIONS = {"bbox": 100, "segm": 100, "keypoints": 20}
CLASSES = {"bbox": 80, "segm": 80, "keypoints": 1}
KEYPOINTS = 17


def make(task: str, images: int, count: int, folder: Path) -> None:
    """Write annotations and detections: objects anywhere, and detections near them or anywhere."""
    random = np.random.default_rng(0)
    objects, found = [], []
    for image in range(1, images + 1):
        boxes = random_boxes(random, random.poisson(OBJECTS))
        classes = random.integers(1, CLASSES[task] + 1, len(boxes))
        objects += [record(random, task, image, c, box, id=0, iscrowd=0) for c, box in zip(classes, boxes, strict=True)]
        aims = random.integers(0, len(boxes), count) if len(boxes) else np.zeros(0, int)
        near = boxes[aims] + random.normal(0, 6, (len(aims), 4)) if len(aims) else random_boxes(random, count)
        near = np.where(random.random((len(near), 1)) < 0.4, random_boxes(random, len(near)), near)
        near[:, :2] = near[:, :2].clip(0, SIDE - 20)
        near[:, 2:] = near[:, 2:].clip(8, SIDE - near[:, :2])
        guesses = classes[aims] if len(aims) else random.integers(1, CLASSES[task] + 1, count)
        found += [
            record(random, task, image, c, box, score=float(s))
            for c, box, s in zip(guesses, near, random.random(len(near)), strict=True)
        ]
    for number, annotation in enumerate(objects, 1):
        annotation["id"] = number
    rows = [{"id": i, "width": SIDE, "height": SIDE} for i in range(1, images + 1)]
    categories = [{"id": c, "name": f"class {c}"} for c in range(1, CLASSES[task] + 1)]
    truth = {"images": rows, "categories": categories, "annotations": objects}
    (folder / "truth.json").write_text(json.dumps(truth))
    (folder / "found.json").write_text(json.dumps(found))


def random_boxes(random: np.random.Generator, count: int) -> np.ndarray:
    """Boxes float64 (count, 4) as x, y, width, height, of all COCO sizes."""
    corner = random.uniform(0, SIDE - 20, (count, 2))
    return np.concatenate([corner, np.minimum(np.exp(random.uniform(2.1, 5.7, (count, 2))), SIDE - corner)], axis=1)


def record(random: np.random.Generator, task: str, image: int, class_id: int, box: np.ndarray, **others) -> dict:
    """One object or detection with what the task needs."""
    x, y, width, height = box
    made = {"image_id": image, "category_id": int(class_id), "bbox": box.tolist(), "area": width * height, **others}
    if task == "segm":
        polygon = [[x, y, x + width, y + height / 3, x + width, y + height, x + width / 3, y + height]]
        [encoded] = mask.frPyObjects(polygon, SIDE, SIDE)
        made["segmentation"] = {**encoded, "counts": encoded["counts"].decode()}
    if task == "keypoints":
        points = random.uniform(box[:2], box[:2] + box[2:], (KEYPOINTS, 2))
        made |= {"keypoints": np.column_stack([points, np.full(KEYPOINTS, 2)]).ravel().tolist(), "num_keypoints": 17}
    return made


def by_igdet(folder: Path, task: str) -> tuple:
    """Read, check and score: what an evaluation does when the last image is through the network."""
    from hotcoco import COCO

    from igdet.evaluation.coco_files import check_detections, read_detections
    from igdet.evaluation.coco_metrics import score_detections

    truth = json.loads((folder / "truth.json").read_text())
    found = read_detections(folder / "found.json")
    engine = COCO(str(folder / "truth.json"))
    started = time.perf_counter()
    checked = check_detections(found, truth, task, "found.json")
    scoring = time.perf_counter()
    evaluation = score_detections(engine, checked, task)
    return time.perf_counter() - scoring, scoring - started, list(evaluation.stats)


def by_pycocotools(folder: Path, task: str) -> tuple:
    """The official way."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        truth, found = COCO(str(folder / "truth.json")), json.loads((folder / "found.json").read_text())
        for detection in found if task == "segm" else ():
            del detection["bbox"]
        started = time.perf_counter()
        evaluation = COCOeval(truth, truth.loadRes(found), task)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return time.perf_counter() - started, 0.0, list(evaluation.stats)


def measured(way: str, folder: Path, task: str) -> tuple:
    """(seconds, seconds of checks, numbers, peak memory in MB) of one way."""
    return *globals()[way](folder, task), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    """Measure the ways in turn, print and record a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=SUMMARY)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--detections", type=int, help="of an image (default: 100, of persons' keypoints 20)")
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    count = args.detections or DETECTIONS[args.task]
    ways, found = ("by_pycocotools", "by_igdet"), {}
    with tempfile.TemporaryDirectory() as name:
        make(args.task, args.images, count, Path(name))
        for _ in range(args.repeats):
            for way in ways:
                with multiprocessing.get_context("spawn").Pool(1) as pool:  # a process each, for its peak memory
                    found.setdefault(way, []).append(pool.apply(measured, (way, Path(name), args.task)))
    assert len({tuple(run[2]) for runs in found.values() for run in runs}) == 1, "the ways' numbers differ"
    peer = median(run[0] for run in found["by_pycocotools"])
    rows = []
    for way, runs in found.items():
        scoring, checks, memory = (median(run[place] for run in runs) for place in (0, 1, 3))
        rows.append((way.removeprefix("by_"), scoring, checks, peer / scoring, peer / (scoring + checks), memory))
    header = ["way", "scoring, s", "checks before, s", "faster", "with checks", "peak memory of the process, MB"]
    print(f"{args.task}: {args.images:,} images, all {len(found['by_igdet'][0][2])} numbers equal\n")
    report(f"coco_evaluation_{args.task}", speed=table(header, rows, ["", ".2f", ".2f", ".1f", ".1f", ".0f"]))


if __name__ == "__main__":
    main()
