"""Detection differences over scenes, against a hand-made case."""

import json

import pytest

from igdet.benchmark.cells import expand
from igdet.benchmark.collect import Study
from igdet.benchmark.studies.page import panels_of
from igdet.benchmark.studies.results import results_of
from igdet.benchmark.studies.scenes import compared_pairs, metric_of, over
from igdet.benchmark.suite_file import read_suite

VALUES = {
    name: {"X": size, "PRETRAINING": {"SOLVER.IMAGES_SEEN": size}} for name, size in (("ten", 10), ("hundred", 100))
}
AXES = {"posts": {"TITLE": "Posts", "SCALE": "log", "VALUES": VALUES}}
BOXES = {
    "boxes": {"TITLE": "Boxes", "CONFIG": "boxes.yaml", "METRICS": {"bbox/AP": "Box AP", "bbox/dAP-missed": "Lost"}}
}
SCENES = 20


@pytest.fixture
def suite(write_suite, folder):
    images = [{"id": i, "width": 100, "height": 100, "file_name": f"{i}.jpg"} for i in range(1, SCENES + 1)]
    objects = [
        {"id": i, "image_id": i, "category_id": 1, "bbox": [10, 10, 40, 40], "area": 1600, "iscrowd": 0}
        for i in range(1, SCENES + 1)
    ]
    truth = {"images": images, "annotations": objects, "categories": [{"id": 1, "name": "cat"}]}
    (folder / "truth.json").write_text(json.dumps(truth))
    return read_suite(write_suite(AXES=AXES, TARGETS=BOXES))


def finish_with(finish, cell, found):
    """Detections of the first so many scenes, each exactly right."""
    own = {"val": {"KIND": "coco", "ROOT": ".", "ANNOTATIONS": "truth.json"}}
    finish(cell, {"bbox": {"AP": 1.0}}, config={"DATASETS": {"TRAIN": [], "TEST": ["val"], "OWN": own}})
    boxes = [{"image_id": i, "category_id": 1, "bbox": [10, 10, 40, 40], "score": 0.9} for i in range(1, found + 1)]
    (cell.folder / "inference/val").mkdir(parents=True)
    (cell.folder / "inference/val/coco_instances_results.json").write_text(json.dumps(boxes))


def test_the_largest_value_is_compared_with_what_does_not_vary(suite):
    assert list(compared_pairs(suite)) == [("hashtag.posts-hundred", "scratch")]


def test_networks_are_compared_with_the_same_network(write_suite):
    names = ("R_18", "R_50")
    values = {name.lower(): {"TITLE": name, "BOTH": {"MODEL.BACKBONE.NAME": name}} for name in names}
    suite = read_suite(write_suite(AXES={**AXES, "network": {"TITLE": "Network", "VALUES": values}}, TARGETS=BOXES))
    assert list(compared_pairs(suite)) == [
        (f"hashtag.posts-hundred.network-{name}", f"scratch.network-{name}") for name in values
    ]
    # One that OF leaves out of an axis stands at the axis' first value.
    network = {"TITLE": "Network", "OF": ["scratch"], "VALUES": values}
    suite = read_suite(write_suite(AXES={**AXES, "network": network}, TARGETS=BOXES))
    assert list(compared_pairs(suite)) == [("hashtag.posts-hundred", "scratch.network-r_18")]


def test_a_detector_that_finds_all_against_one_that_finds_half(suite, finish):
    for cell in expand(suite):
        if cell.target == "boxes":
            finish_with(finish, cell, SCENES if cell.initialisation.endswith("hundred") else SCENES // 2)
        else:
            finish(cell, {})
    results = results_of(Study(suite, expand(suite)))
    pair = over("hashtag.posts-hundred", "scratch")
    parts = ("difference", "low", "high")
    gain, low, high = (results.values("boxes", pair, metric_of("bbox/AP", part))[0] for part in parts)
    # All found: 100. Half: precision 1 up to a recall of 0.5, which 51 of the 101 recalls 0, 0.01, ... do not exceed.
    assert gain == pytest.approx(100 - 100 * 51 / 101)
    assert 0 < low < gain < high < 100
    assert not results.values("boxes", pair, metric_of("bbox/dAP-missed", "low"))  # none of COCO's own metrics
    (panel,) = panels_of(suite, results)
    assert any("; over the scenes of seed 0 +49.5 [" in sentence for sentence in panel.sentences)


def test_detections_that_are_gone_are_not_compared(suite, finish):
    for cell in expand(suite):
        finish(cell, {"bbox": {"AP": 1.0}} if cell.target == "boxes" else {})
    rows = results_of(Study(suite, expand(suite))).table.to_pylist()
    assert rows and all(" over " not in row["initialisation"] for row in rows)
