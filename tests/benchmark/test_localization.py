"""The tables on naming and placing, entry by entry, and which images changed most."""

import json

import pytest

from igdet.benchmark import localization
from igdet.benchmark.cells import expand
from igdet.benchmark.collect import Study
from igdet.benchmark.galleries import changes, most_changed
from igdet.formats.localization import DETAILS, ERROR_KINDS, OLD_IMAGES


def texts(table):
    return [[entry.text for entry in row] for row in table.rows]


@pytest.fixture
def analysed(suite, finish):
    """Scratch and hashtags on boxes, with errors and details, one seed."""
    cells = {cell.initialisation: cell for cell in expand(suite) if cell.target == "boxes" and cell.seed == 0}
    pretraining = next(cell for cell in expand(suite) if cell.target == "pretraining")
    finish(pretraining, {})
    images = {"scratch": {"1": 10.0, "2": 50.0, "3": 5.0}, "hashtag": {"1": 90.0, "2": 20.0, "3": 5.0}}
    config = {"DATASETS": {"TEST": ["v"], "OWN": {"v": {"KIND": "coco", "ROOT": "gone", "ANNOTATIONS": "gone.json"}}}}
    for name, cell in cells.items():
        bbox = {"AP": 10.0, "AP50": 20.0, "AP75": 5.0, **{f"dAP-{kind}": 3.0 for kind in ERROR_KINDS}}
        keypoints = {"AP": 1.0, "keypoints-good": 60.0, "good-nose": 70.0 if name == "scratch" else 80.0}
        finish(cell, {"bbox": bbox, "keypoints": keypoints}, config=config)
        key = "images" if name == "hashtag" else OLD_IMAGES
        details = {"bbox": {key: images[name], "confusions": [["cat", "dog", 4], ["dog", "cat", 1]]}}
        path = cell.folder / "inference/v" / DETAILS
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(details))
    return Study(suite, expand(suite))


def test_gains_by_iou_and_size(study):
    table = localization.gain_table(study)
    assert table.header[2:] == ["AP50", "AP75", "APs", "APm", "APl"]
    assert texts(table) == [["Hashtags over From scratch", "Box AP", "≈ +0.0 ± 2.0", "≈ +0.0 ± 0.5", "–", "–", "–"]]


def test_what_is_left_at_a_stricter_threshold(study):
    assert texts(localization.kept_table(study))[0] == [
        "Box AP",
        "From scratch",
        "42.0 ± 2.0",
        "10.5 ± 0.5",
        "25.0 ± 0.0",
    ]


def test_without_results_there_is_no_table(suite):
    study = Study(suite, expand(suite))
    assert localization.tables(study) == changes(study) == []


def test_errors_by_kind(analysed):
    assert texts(localization.error_table(analysed)) == [
        ["Box AP", "From scratch", *["3.0"] * 6],
        ["Box AP", "Hashtags", *["3.0"] * 6],
    ]


def test_classes_taken_for_others(analysed):
    assert texts(localization.confusion_table(analysed))[0] == [
        "Box AP",
        "From scratch",
        "cat for dog (4), dog for cat (1)",
    ]


def test_images_that_changed_most(analysed):
    before, after = (analysed.transfers("boxes", name)[0] for name in ("scratch", "hashtag"))
    assert most_changed(before, after, "bbox") == [1, 2]  # the third is as it was
    assert most_changed(before, after, "segm") == []
    assert changes(analysed) == []  # the data set is no longer here
