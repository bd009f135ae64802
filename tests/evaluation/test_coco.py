"""COCO evaluation against the official expected numbers and hand-made detections."""

import json
import re

import numpy as np
import pytest
import torch
from detectron2.data import DatasetCatalog, MetadataCatalog
from detectron2.data.datasets import register_coco_instances
from detectron2.structures import Boxes, Instances

from igdet.evaluation import CocoTransferEvaluator

THRESHOLDS = [f"AP@{iou:.2f}" for iou in np.arange(0.5, 0.96, 0.05)]


@pytest.fixture
def registered():
    """Registers COCO files under a name that is gone after the test."""
    names = []

    def register(json_file, name="test_coco_evaluation"):
        register_coco_instances(name, {}, str(json_file), str(json_file.parent))
        DatasetCatalog.get(name)  # fills in the category ids
        names.append(name)
        return name

    yield register
    for name in names:
        DatasetCatalog.remove(name)
        MetadataCatalog.remove(name)


@pytest.fixture
def tiny_json(tmp_path):
    """Two images: a 40 x 40 cat in the first, a 20 x 20 dog in the second, with three keypoints each."""
    square = [[10, 10, 50, 10, 50, 50, 10, 50]]
    content = {
        "images": [{"id": i, "file_name": f"{i}.jpg", "height": 100, "width": 100} for i in (1, 2)],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 40, 40], "area": 1600, "segmentation": square},
            {"id": 2, "image_id": 2, "category_id": 2, "bbox": [0, 0, 20, 20], "area": 400, "segmentation": square},
        ],
    }
    for annotation in content["annotations"]:
        annotation |= {"iscrowd": 0, "num_keypoints": 3, "keypoints": [10, 10, 2, 20, 20, 2, 30, 30, 2]}
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps(content))
    return path


def evaluate(name, output_dir, detections, tasks=("bbox",), **kwargs):
    """detections: image id -> Instances."""
    evaluator = CocoTransferEvaluator(name, tasks, str(output_dir), **kwargs)
    evaluator.reset()
    for image_id, instances in detections.items():
        evaluator.process([{"image_id": image_id}], [{"instances": instances}])
    return evaluator.evaluate()


def boxes(*rows, **fields):
    """(x0, y0, x1, y1, class, score) rows -> Instances."""
    table = torch.tensor(rows, dtype=torch.float32).reshape(-1, 6)
    return Instances(
        (100, 100), pred_boxes=Boxes(table[:, :4]), pred_classes=table[:, 4].long(), scores=table[:, 5], **fields
    )


def test_ap_at_each_threshold_of_hand_made_boxes(registered, tiny_json, tmp_path):
    # The cat's box has an IoU of 30 / 40 = 0.75 with the truth, the dog's is exact.
    detections = {1: boxes((10, 10, 50, 40, 0, 0.9)), 2: boxes((0, 0, 20, 20, 1, 0.8))}
    results = evaluate(registered(tiny_json), tmp_path, detections)["bbox"]
    assert [results[key] for key in THRESHOLDS] == pytest.approx([100] * 6 + [50] * 4)
    assert results["AP"] == pytest.approx(np.mean([results[key] for key in THRESHOLDS])) == pytest.approx(80)
    assert (results["AP@0.50"], results["AP@0.75"]) == (results["AP50"], results["AP75"])
    assert results["AP-cat"] == pytest.approx(60)
    assert results["errors-missed"] == results["dAP-localisation"] == 0


@pytest.fixture
def federated(registered, tiny_json):
    """The tiny file as LVIS has them, under a name without category ids, as Detectron2's own have none."""
    content = json.loads(tiny_json.read_text())
    for image, absent in zip(content["images"], ([2], []), strict=True):
        image |= {"neg_category_ids": absent, "not_exhaustive_category_ids": []}
    for category in content["categories"]:
        category["frequency"] = "c"
    path = tiny_json.with_name("federated.json")
    path.write_text(json.dumps(content))
    name = registered(path, "test_lvis_evaluation")
    del MetadataCatalog.get(name).thing_dataset_id_to_contiguous_id
    return name


@pytest.mark.parametrize(("strange", "ap_of_dogs"), [({}, 100), ({1: 1}, 50), ({2: 0}, 100)])
def test_lvis_counts_a_wrong_class_only_where_it_was_looked_for(federated, tmp_path, strange, ap_of_dogs):
    """Image 1 is known to have no dog; nobody looked for cats in image 2."""
    rows = {1: [(10, 10, 50, 50, 0, 0.9)], 2: [(0, 0, 20, 20, 1, 0.8)]}
    for image, wrong in strange.items():
        rows[image].append((60, 60, 90, 90, wrong, 0.95))
    found = {image: boxes(*of_image) for image, of_image in rows.items()}
    results = evaluate(federated, tmp_path, found, lvis=True)["bbox"]
    assert (results["AP-cat"], results["AP-dog"]) == pytest.approx((100, ap_of_dogs))
    assert results["APc"] == results["AP"]
    assert np.isnan(results["APr"])


@pytest.mark.parametrize("tasks", [("bbox", "segm"), ("bbox", "keypoints")])
def test_no_detection_at_all_is_ap_zero(registered, tiny_json, tmp_path, tasks):
    results = evaluate(registered(tiny_json), tmp_path, {1: boxes(), 2: boxes()}, tasks, sigmas=(0.05, 0.05, 0.05))
    assert set(results) == set(tasks)
    for task in tasks:
        assert [results[task][key] for key in ("AP", "AP50", *THRESHOLDS)] == [0.0] * 12
    assert np.isnan(results["bbox"]["APl"])  # there is no large object to miss


def test_custom_keypoints_need_their_sigmas(registered, tiny_json, tmp_path):
    keypoints = torch.tensor([[[10.5, 10.5, 2], [20.5, 20.5, 2], [30.5, 30.5, 2]]])  # from pixel edges
    detections = {
        1: boxes((10, 10, 50, 50, 0, 0.9), pred_keypoints=keypoints.clone()),
        2: boxes((0, 0, 20, 20, 1, 0.8), pred_keypoints=keypoints + 15),
    }
    results = evaluate(registered(tiny_json), tmp_path, detections, ("bbox", "keypoints"), sigmas=(0.05, 0.05, 0.05))[
        "keypoints"
    ]
    # The cat's keypoints are exact; the dog's are 15 * sqrt(2) pixels off, far beyond sigma 0.05 of a 20-pixel object.
    assert [results[key] for key in THRESHOLDS] == pytest.approx([50] * 10)


@pytest.mark.parametrize("task", ["bbox", "segm"])
def test_official_expected_numbers(registered, real_data, tmp_path, task):
    folder = real_data / "coco-eval-fixture"
    found = json.loads((folder / f"instances_val2014_fake{task}100_results.json").read_text())
    section = (folder / "expected.txt").read_text().split(f"type={task}\n")[1].split("\n\n")[0]
    expected = [100 * float(number) for number in re.findall(r"= (\d\.\d+)$", section, re.MULTILINE)][:6]
    name = registered(folder / "instances_val2014_100.json")
    evaluator = CocoTransferEvaluator(name, (task,), str(tmp_path))
    to_contiguous = MetadataCatalog.get(name).thing_dataset_id_to_contiguous_id
    for record in found:
        record["category_id"] = to_contiguous[record["category_id"]]
    evaluator.reset()
    evaluator._predictions = [{"image_id": record["image_id"], "instances": [record]} for record in found]
    results = evaluator.evaluate()[task]
    assert [results[key] for key in ("AP", "AP50", "AP75", "APs", "APm", "APl")] == pytest.approx(expected, abs=0.05)
    assert np.mean([results[key] for key in THRESHOLDS]) == pytest.approx(results["AP"])
