"""COCO's metrics against pycocotools, LVIS' against the official code, on random cases and on the official example."""

import contextlib
import copy
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from coco_cases import SIGMAS, Case
from hotcoco import COCO
from pycocotools import coco as official
from pycocotools.cocoeval import COCOeval

from igdet.evaluation.coco_metrics import LVIS_SUMMARY, SUMMARY, metrics_of, score_detections

ARRAYS = ("precision", "recall", "scores")


# The twelve means of the arrays, which are equal: NumPy 1's own mean rounds the last bit otherwise than NumPy 2's.
LAST_BITS = 0 if np.lib.NumpyVersion(np.__version__) >= "2.0.0" else 2


def by_pycocotools(truth, detections, task, sigmas):
    with contextlib.redirect_stdout(io.StringIO()):
        ground = official.COCO()
        ground.dataset = copy.deepcopy(truth)
        ground.createIndex()
        found = [
            {key: value for key, value in record.items() if task != "segm" or key != "bbox"} for record in detections
        ]
        evaluation = COCOeval(ground, ground.loadRes(found), task)
        if task == "keypoints":
            evaluation.params.kpt_oks_sigmas = np.array(sigmas)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


def assert_same(mine, theirs):
    np.testing.assert_array_max_ulp(np.asarray(mine.stats), np.asarray(theirs.stats), LAST_BITS)
    for name in ARRAYS:
        assert np.array_equal(mine.eval[name], theirs.eval[name]), name


@pytest.mark.parametrize("task", SUMMARY)
def test_every_number_is_that_of_pycocotools(task):
    cases = [case for case in map(Case, range(70)) if case.detections]
    assert len(cases) > 50
    sigmas = SIGMAS if task == "keypoints" else ()
    for case in cases:
        mine = score_detections(COCO(case.truth), case.detections, task, sigmas)
        assert_same(mine, by_pycocotools(case.truth, case.detections, task, sigmas))


@pytest.mark.parametrize("task", ["bbox", "segm"])
def test_the_official_example(task, real_data):
    folder = real_data / "coco-eval-fixture"
    truth = json.loads((folder / "instances_val2014_100.json").read_text())
    found = json.loads((folder / f"instances_val2014_fake{task}100_results.json").read_text())
    evaluation = score_detections(COCO(truth), found, task)
    assert_same(evaluation, by_pycocotools(truth, found, task, ()))
    section = (folder / "expected.txt").read_text().split(f"type={task}\n")[1].split("\n\n")[0]
    printed = re.findall(r"= (\d\.\d+)$", section, re.MULTILINE)
    assert [f"{value:.3f}" for value in evaluation.stats] == printed
    names = [category["name"] for category in truth["categories"]]
    metrics = metrics_of(evaluation, task, names)
    assert [f"{metrics[name] / 100:.3f}" for name in SUMMARY[task]] == printed
    assert np.nanmean([metrics[f"AP-{name}"] for name in names]) == pytest.approx(metrics["AP"])
    assert np.nanmean([metrics[f"AP50-{name}"] for name in names]) == pytest.approx(metrics["AP50"])


def test_an_annotation_with_the_id_zero_counts_like_any_other():
    # pycocotools takes the id 0 of what was matched for "nothing was matched".
    case = Case(0)
    before = score_detections(COCO(case.truth), case.detections, "bbox")
    for annotation in case.truth["annotations"]:
        annotation["id"] -= 1
    assert_same(score_detections(COCO(case.truth), case.detections, "bbox"), before)


@pytest.mark.parametrize("task", SUMMARY)
def test_nothing_found_is_zero_and_nothing_to_find_is_nan(task):
    case = next(case for case in map(Case, range(99)) if case.truth["annotations"])
    metrics = metrics_of(
        score_detections(COCO(case.truth), [], task, SIGMAS), task, [*"abcd"][: len(case.truth["categories"])]
    )
    assert metrics["AP"] == 0
    empty = {**case.truth, "annotations": []}
    metrics = metrics_of(
        score_detections(COCO(empty), [], task, SIGMAS), task, [*"abcd"][: len(case.truth["categories"])]
    )
    assert all(np.isnan(value) for value in metrics.values())


def test_scored_detections_are_as_they_were():
    case = next(case for case in map(Case, range(70)) if case.detections)
    detections = copy.deepcopy(case.detections)
    score_detections(COCO(case.truth), detections, "segm")
    assert detections == case.detections


def test_images_can_be_chosen():
    case = next(case for case in map(Case, range(99)) if len(case.truth["images"]) > 3 and len(case.detections) > 50)
    chosen = [image["id"] for image in case.truth["images"]][:2]
    mine = score_detections(COCO(case.truth), case.detections, "bbox", image_ids=chosen)
    part = {
        **case.truth,
        "images": case.truth["images"][:2],
        "annotations": [record for record in case.truth["annotations"] if record["image_id"] in chosen],
    }
    found = [record for record in case.detections if record["image_id"] in chosen]
    assert_same(mine, by_pycocotools(part, found, "bbox", ()))


def federated(case, seed):
    """Make a case one of LVIS': classes by frequency, known to be absent or not looked for."""
    random = np.random.default_rng(seed)
    classes = [category["id"] for category in case.truth["categories"]]
    for category in case.truth["categories"]:
        category["frequency"] = "rcf"[random.integers(3)]
    for image in case.truth["images"]:
        mine = {a["category_id"] for a in case.truth["annotations"] if a["image_id"] == image["id"]}
        image["neg_category_ids"] = [c for c in classes if c not in mine and random.random() < 0.5]
        image["not_exhaustive_category_ids"] = [c for c in mine if random.random() < 0.3]
    for annotation in case.truth["annotations"]:
        annotation["iscrowd"] = 0
    return case


def lvis_cases():
    """Number -> case, where there is something to compare."""
    cases = {seed: federated(Case(seed), seed) for seed in range(25)}
    return {seed: case for seed, case in cases.items() if case.detections and case.truth["annotations"]}


def lvis_numbers(case, task):
    names = [category["name"] for category in case.truth["categories"]]
    evaluation = score_detections(COCO(case.truth), case.detections, task, lvis=True)
    metrics = metrics_of(evaluation, task, names, lvis=True)
    return [metrics[name] for name in LVIS_SUMMARY]


@pytest.mark.parametrize("task", ["bbox", "segm"])
def test_lvis_numbers_are_those_that_the_official_code_gave(task):
    recorded = json.loads(Path(__file__).with_name("lvis_numbers.json").read_text())["numbers"][task]
    found = {str(seed): lvis_numbers(case, task) for seed, case in lvis_cases().items()}
    assert found.keys() == recorded.keys()
    for seed, numbers in found.items():
        expected = [float("nan") if number is None else number for number in recorded[seed]]
        assert numbers == pytest.approx(expected, nan_ok=True, abs=1e-9), seed


def by_official_lvis(case, task, folder):
    """The 13 numbers of the package lvis 0.5.3, in percent; None for -1. It made lvis_numbers.json."""
    import lvis

    path = folder / "truth.json"
    path.write_text(json.dumps(case.truth))
    found = [{k: v for k, v in d.items() if task == "bbox" or k != "bbox"} for d in copy.deepcopy(case.detections)]
    evaluation = lvis.LVISEval(lvis.LVIS(str(path)), lvis.LVISResults(lvis.LVIS(str(path)), found), task)
    evaluation.run()
    results = evaluation.get_results()
    numbers = [results.get(f"{name}@300", results.get(name)) for name in LVIS_SUMMARY]
    return [None if number < 0 else 100 * number for number in numbers]


@pytest.mark.parametrize("task", ["bbox", "segm"])
def test_the_official_lvis_code_gives_what_was_recorded(task, tmp_path, monkeypatch):
    monkeypatch.setattr(np, "float", float, raising=False)  # it uses what NumPy has dropped
    pytest.importorskip("lvis", reason="the package lvis, which asks for an OpenCV with windows, is not installed")
    recorded = json.loads(Path(__file__).with_name("lvis_numbers.json").read_text())["numbers"][task]
    for seed, case in lvis_cases().items():
        assert by_official_lvis(case, task, tmp_path) == pytest.approx(recorded[str(seed)], abs=1e-9)
