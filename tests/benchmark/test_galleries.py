"""Sample images: which are chosen, and that truth and predictions stand side by side."""

import json
import shutil

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from igdet.benchmark.cells import expand
from igdet.benchmark.collect import IMAGES, Study
from igdet.benchmark.galleries import galleries

BOX = {"bbox": [20, 10, 20, 20], "category_id": 1}
SQUARE = [20, 10, 40, 10, 40, 30, 20, 30]


@pytest.fixture
def boxes_study(suite, finish, folder):
    """Two finished box runs on six images, the fourth without any object."""
    (folder / "images").mkdir()
    for number in range(6):
        cv2.imwrite(str(folder / "images" / f"{number}.png"), np.full((40, 80, 3), 100, np.uint8))
    images = [{"id": number, "file_name": f"{number}.png"} for number in range(6)]
    truth = [{"image_id": number, "segmentation": [SQUARE], **BOX} for number in range(6) if number != 3]
    categories = [{"id": 1, "name": "cat"}]
    (folder / "val.json").write_text(json.dumps({"images": images, "annotations": truth, "categories": categories}))
    own = {"val": {"KIND": "coco", "ROOT": "images", "ANNOTATIONS": "val.json"}}
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
    assert len(gallery.rows) == IMAGES
    for truth, *predicted in gallery.rows:
        # One object: only the surest prediction, which is right, is drawn; no mask, as the models give none.
        assert predicted == [truth, truth]


def test_no_gallery_without_the_data_set(boxes_study, folder):
    (folder / "val.json").unlink()
    assert galleries(boxes_study) == []


def test_missing_images_are_left_out(boxes_study, folder):
    for number in (1, 2, 4):
        (folder / "images" / f"{number}.png").unlink()
    (gallery,) = galleries(boxes_study)
    assert len(gallery.rows) == 2


@pytest.fixture
def classes_study(suite, finish, folder):
    """Two finished classification runs on two classes of three images; the first is always right, the other never."""
    files = [f"{name}/{number}.png" for name in ("cat", "dog") for number in range(3)]
    for file in files:
        (folder / "images" / file).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / "images" / file), np.full((32, 32, 3), 100, np.uint8))
    labels = [0, 0, 0, 1, 1, 1]
    own = {"val": {"KIND": "image_folder", "ROOT": "images"}}
    for cell, wrong in zip([cell for cell in expand(suite) if cell.target == "linear"], (0, 1), strict=True):
        finish(cell, {"classification": {"top1": 1.0}}, config={"DATASETS": {"TEST": ["val"], "OWN": own}})
        columns = {"image_id": files, "gt_classes": [[label] for label in labels]}
        columns |= {"top_classes": [[abs(label - wrong)] for label in labels], "top_scores": [[0.9]] * 6}
        predictions = cell.folder / "inference" / "val" / "predictions.parquet"
        predictions.parent.mkdir(parents=True)
        pq.write_table(pa.table(columns), predictions)
    return Study(suite, expand(suite))


def test_answers_stand_beside_the_class(classes_study, monkeypatch):
    texts = []
    monkeypatch.setattr("igdet.benchmark.galleries.draw_answer", lambda _, *answer: texts.append(answer))
    monkeypatch.setattr("igdet.benchmark.galleries.data_uri", lambda drawing: "data:")
    (gallery,) = galleries(classes_study)
    assert gallery.rows == [["data:"] * 3] * IMAGES
    assert texts[:3] == [("cat", None), ("cat 90%", True), ("dog 90%", False)]


def test_no_answers_without_the_images(classes_study, folder):
    shutil.rmtree(folder / "images")
    assert galleries(classes_study) == []
