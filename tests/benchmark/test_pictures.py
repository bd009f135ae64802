"""Sample pictures: which are chosen, and that truth and predictions stand side by side."""

import json

import cv2
import numpy as np
import pytest

from igdet.benchmark.cells import expand
from igdet.benchmark.collect import Study
from igdet.benchmark.pictures import PICTURES, galleries

BOX = {"bbox": [20, 10, 20, 20], "category_id": 1}
SQUARE = [20, 10, 40, 10, 40, 30, 20, 30]


@pytest.fixture
def boxes_study(suite, finish, folder):
    """Two finished box runs on six pictures, the fourth without any object."""
    (folder / "pictures").mkdir()
    for number in range(6):
        cv2.imwrite(str(folder / "pictures" / f"{number}.png"), np.full((40, 80, 3), 100, np.uint8))
    images = [{"id": number, "file_name": f"{number}.png"} for number in range(6)]
    truth = [{"image_id": number, "segmentation": [SQUARE], **BOX} for number in range(6) if number != 3]
    categories = [{"id": 1, "name": "cat"}]
    (folder / "val.json").write_text(json.dumps({"images": images, "annotations": truth, "categories": categories}))
    own = {"val": {"KIND": "coco", "ROOT": "pictures", "ANNOTATIONS": "val.json"}}
    for cell in [cell for cell in expand(suite) if cell.target == "boxes"]:
        finish(cell, {"bbox": {"AP": 1.0}}, config={"DATASETS": {"TRAIN": ["t"], "TEST": ["val"], "OWN": own}})
        predictions = cell.folder / "inference" / "val" / "coco_instances_results.json"
        predictions.parent.mkdir(parents=True)
        sure, unsure = {**BOX, "score": 0.9}, {"bbox": [60, 10, 10, 10], "category_id": 1, "score": 0.1}
        predictions.write_text(
            json.dumps([{"image_id": number, **item} for number in range(6) for item in (unsure, sure)])
        )
    return Study(suite, expand(suite))


def test_gallery_shows_the_surest_predictions_beside_the_truth(boxes_study):
    (gallery,) = galleries(boxes_study)
    assert (gallery.title, gallery.header) == ("Boxes", ["Ground truth", "From scratch", "Hashtags"])
    assert len(gallery.rows) == PICTURES
    for truth, *predicted in gallery.rows:
        # One object: only the surest prediction, which is right, is drawn; no mask, as the models give none.
        assert predicted == [truth, truth]


def test_no_gallery_without_the_data_set(boxes_study, folder):
    (folder / "val.json").unlink()
    assert galleries(boxes_study) == []


def test_missing_pictures_are_left_out(boxes_study, folder):
    for number in (1, 2, 4):
        (folder / "pictures" / f"{number}.png").unlink()
    (gallery,) = galleries(boxes_study)
    assert len(gallery.rows) == 2
