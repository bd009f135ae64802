"""Errors by kind on hand-made images, one case a kind; confusions; each image's own AP."""

import json

import pytest
from hotcoco import COCO

from igdet.evaluation.coco_metrics import score_detections
from igdet.evaluation.detection_errors import confusions, error_metrics, image_scores
from igdet.formats.localization import ERROR_KINDS

CAT, DOG = 1, 2
BOX, AWAY = [0, 0, 10, 10], [50, 50, 9, 9]


def square(box):
    x, y, width, height = box
    return [[x, y, x + width, y, x + width, y + height, x, y + height]]


def evaluated(objects, found, task="bbox", **fields):
    """Objects (class, box) and detections (class, box, score) in one image; fields go to the last object."""
    annotations = [
        {
            "id": n,
            "image_id": 1,
            "category_id": c,
            "bbox": b,
            "area": b[2] * b[3],
            "segmentation": square(b),
            "iscrowd": 0,
        }
        for n, (c, b) in enumerate(objects, start=1)
    ]
    annotations[-1] |= fields
    truth = {
        "images": [{"id": 1, "height": 100, "width": 100}],
        "categories": [{"id": CAT, "name": "cat"}, {"id": DOG, "name": "dog"}],
        "annotations": annotations,
    }
    detections = [
        {"image_id": 1, "category_id": c, "bbox": b, "segmentation": square(b), "score": s} for c, b, s in found
    ]
    return score_detections(COCO(truth), detections, task)


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
@pytest.mark.parametrize("kind", ERROR_KINDS)
def test_one_error_of_each_kind(kind, task):
    metrics = error_metrics(evaluated([(CAT, BOX)], ERRORS[kind], task))
    # Neither a wrong name at a wrong place nor a box on nothing says that the cat was seen.
    also_missed = int(kind in ("both", "background", "missed"))
    expected = dict.fromkeys(ERROR_KINDS, 0) | {kind: 1} | {"missed": also_missed}
    assert {of: metrics[f"errors-{of}"] for of in ERROR_KINDS} == expected


@pytest.mark.parametrize(
    ("kind", "objects", "found", "gain"),
    [
        ("classification", [(CAT, BOX)], [(DOG, BOX, 0.9)], 100),
        ("localisation", [(CAT, BOX)], [(CAT, [0, 4, 10, 10], 0.9)], 100),
        # The wrong detection comes before the right one: a precision of 1/2.
        ("both", [(CAT, BOX), (DOG, AWAY)], [(CAT, [50, 54, 9, 9], 0.9), (CAT, BOX, 0.8), (DOG, AWAY, 0.7)], 25),
        ("background", [(CAT, BOX)], [(CAT, AWAY, 0.9), (CAT, BOX, 0.8)], 50),
        # The duplicate of the first object comes before the second: precisions of 1 and 2/3 on 51 and 50 recalls.
        ("duplicate", [(CAT, BOX), (CAT, AWAY)], [(CAT, BOX, 0.9), (CAT, BOX, 0.8), (CAT, AWAY, 0.7)], 100 * 50 / 303),
        # 51 of the 101 recalls lie within 0..0.5.
        ("missed", [(CAT, BOX), (CAT, AWAY)], [(CAT, BOX, 0.8)], 100 * 50 / 101),
    ],
)
def test_what_mending_gains(kind, objects, found, gain):
    metrics = error_metrics(evaluated(objects, found))
    assert metrics[f"dAP-{kind}"] == pytest.approx(gain)


def test_detections_on_a_crowd_count_for_nothing():
    metrics = error_metrics(
        evaluated([(CAT, AWAY), (CAT, BOX)], [(CAT, AWAY, 0.9), (CAT, BOX, 0.9), (CAT, BOX, 0.8)], iscrowd=1)
    )
    assert not any(metrics.values())


def test_beside_a_crowd_is_badly_placed():
    found = [(CAT, BOX, 0.9), (CAT, [44, 50, 9, 9], 0.8)]  # a third of the second lies on the crowd
    metrics = error_metrics(evaluated([(CAT, BOX), (CAT, AWAY)], found, iscrowd=1))
    assert {of: metrics[f"errors-{of}"] for of in ERROR_KINDS} == dict.fromkeys(ERROR_KINDS, 0) | {"localisation": 1}


def test_nothing_found_is_all_missed():
    metrics = error_metrics(evaluated([(CAT, BOX), (DOG, AWAY)], []))
    assert metrics["errors-missed"] == 2


@pytest.mark.parametrize("task", ["bbox", "segm"])
def test_the_counts_of_tide_on_real_annotations(real_data, task):
    folder = real_data / "coco-eval-fixture"
    found = json.loads((folder / f"instances_val2014_fake{task}100_results.json").read_text())
    evaluation = score_detections(COCO(str(folder / "instances_val2014_100.json")), found, task)
    metrics = error_metrics(evaluation)
    # What tidecv 1.0.1 counts, of boxes; of masks what an own implementation of the definitions counted.
    expected = {"bbox": [83, 1, 0, 1, 0, 97], "segm": [76, 82, 7, 0, 4, 109]}[task]
    assert [metrics[f"errors-{kind}"] for kind in ERROR_KINDS] == expected


def test_confusions_leave_out_what_is_right_and_the_background():
    objects = [(CAT, BOX), (DOG, AWAY), (CAT, [80, 80, 9, 9])]
    found = [(DOG, BOX, 0.9), (DOG, AWAY, 0.8), (CAT, [20, 80, 9, 9], 0.7), (DOG, [80, 80, 9, 9], 0.6)]
    assert confusions(evaluated(objects, found)) == [("cat", "dog", 2)]
    assert confusions(evaluated(objects, [])) == []


def test_each_image_has_its_own_ap():
    for wrong in (CAT, DOG):  # all classes stand in one ranking
        assert image_scores(evaluated([(CAT, BOX)], [(wrong, AWAY, 0.9), (CAT, BOX, 0.8)])) == {1: pytest.approx(50)}
    assert image_scores(evaluated([(CAT, BOX)], [(CAT, BOX, 0.8)], iscrowd=1)) == {}
