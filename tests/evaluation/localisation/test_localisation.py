"""Errors by kind on hand-made pictures, one case a kind; the AP against pycocotools on real annotations."""

import contextlib
import io
import json

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from igdet.evaluation.localisation.confusion import confusion
from igdet.evaluation.localisation.errors import KINDS, average_precision, decompose
from igdet.evaluation.localisation.keypoints import keypoint_kinds
from igdet.evaluation.localisation.overlaps import pictures

CAT, DOG = 1, 2
BOX = [0, 0, 10, 10]


def square(box):
    x, y, w, h = box
    return [[x, y, x + w, y, x + w, y + h, x, y + h]]


def dataset(*objects, **fields):
    """(category, box) rows -> a picture's annotations; fields go to the last."""
    rows = [
        {"id": n, "image_id": 1, "category_id": c, "bbox": b, "area": b[2] * b[3], "segmentation": square(b)}
        for n, (c, b) in enumerate(objects, start=1)
    ]
    if rows:
        rows[-1] |= fields
    return {"images": [{"id": 1, "height": 100, "width": 100}], "annotations": rows}


def found(*rows):
    return [{"image_id": 1, "category_id": c, "bbox": b, "segmentation": square(b), "score": s} for c, b, s in rows]


# One object, a cat of 10 x 10. A box shifted down by 4 overlaps in 60 of 140: IoU 0.43; by 9 in 10 of 190: 0.05.
ERRORS = {
    "classification": [(DOG, BOX, 0.9)],
    "localisation": [(CAT, [0, 4, 10, 10], 0.9)],
    "both": [(DOG, [0, 4, 10, 10], 0.9)],
    "duplicate": [(CAT, BOX, 0.9), (CAT, BOX, 0.8)],
    "background": [(CAT, [0, 9, 10, 10], 0.9)],
    "missed": [],
}


@pytest.mark.parametrize("task", ["bbox", "segm"])
@pytest.mark.parametrize("kind", KINDS)
def test_one_error_of_each_kind(kind, task):
    counts = decompose(pictures(dataset((CAT, BOX)), found(*ERRORS[kind]), task))["counts"]
    # Neither a wrong name at a wrong place nor a box on nothing says that the cat was seen.
    also_missed = int(kind in ("both", "background", "missed"))
    assert counts == dict.fromkeys(KINDS, 0) | {kind: 1} | {"missed": also_missed}


@pytest.mark.parametrize("kind", ["classification", "localisation"])
def test_mending_the_only_error_gains_everything(kind):
    result = decompose(pictures(dataset((CAT, BOX)), found(*ERRORS[kind])))
    assert (result["AP50"], result["gains"][kind]) == (0, pytest.approx(100))


def test_a_background_box_before_the_right_one_halves_the_precision():
    result = decompose(pictures(dataset((CAT, BOX)), found((CAT, [50, 50, 9, 9], 0.9), (CAT, BOX, 0.8))))
    assert (result["AP50"], result["gains"]["background"]) == (pytest.approx(50), pytest.approx(50))


def test_a_missed_object_halves_the_recall():
    result = decompose(pictures(dataset((CAT, BOX), (CAT, [50, 50, 9, 9])), found((CAT, BOX, 0.8))))
    # 51 of the 101 recalls lie within 0..0.5.
    assert result["AP50"] == pytest.approx(100 * 51 / 101)
    assert result["gains"]["missed"] == pytest.approx(100 * 50 / 101)


@pytest.mark.parametrize("field", ["iscrowd", "ignore"])
def test_detections_on_ignored_objects_count_for_nothing(field):
    result = decompose(pictures(dataset((CAT, BOX), **{field: 1}), found((CAT, BOX, 0.9), (CAT, BOX, 0.8))))
    assert sum(result["counts"].values()) == 0
    assert np.isnan(result["AP50"])


def test_confusion_with_classes_and_with_nothing():
    truth = dataset((CAT, BOX), (DOG, [50, 50, 9, 9]))
    pairs = confusion(pictures(truth, found((DOG, BOX, 0.9), (CAT, [80, 80, 9, 9], 0.8))))
    assert pairs == {(CAT, DOG): 1, (None, CAT): 1, (CAT, None): 1, (DOG, None): 1}


def test_average_precision_of_nothing():
    assert average_precision(np.array([], bool), 3) == 0


@pytest.mark.parametrize("task", ["bbox", "segm"])
def test_ap50_is_pycocotools_on_real_annotations(real_data, task):
    folder = real_data / "coco-eval-fixture"
    truth = folder / "instances_val2014_100.json"
    results = json.loads((folder / f"instances_val2014_fake{task}100_results.json").read_text())
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(truth))
        official = COCOeval(coco, coco.loadRes(results), task)
        official.evaluate()
        official.accumulate()
        official.summarize()
    ours = decompose(pictures(json.loads(truth.read_text()), results, task))
    assert ours["AP50"] == pytest.approx(100 * official.stats[1])


# Area 100, sigma 0.5: ks = exp(-d^2 / 200). d = 0: 1; d = 8: 0.73; d = 30: 0.01. Left and right are keypoints 0 and 1.
@pytest.mark.parametrize(
    ("x", "kind"), [(0, "good"), (8, "jitter"), (100, "inversion"), (200, "swap"), (300, "swap"), (50, "miss")]
)
def test_kinds_of_keypoint_errors(x, kind):
    truth = np.array([[0, 0, 2], [100, 0, 2]], float)
    other = np.array([[200, 0, 2], [300, 0, 2]], float)
    points = np.array([[x, 0], [100, 0]], float)
    assert keypoint_kinds(points, truth, 100, np.array([0.5, 0.5]), [1, 0], [other]) == [kind, "good"]


def test_keypoints_without_label_have_no_kind():
    truth = np.array([[0, 0, 0], [100, 0, 2]], float)
    assert keypoint_kinds(truth[:, :2], truth, 100, np.array([0.5, 0.5]), [1, 0])[0] is None
