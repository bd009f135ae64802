"""Mask R-CNN and Keypoint R-CNN from a config alone, on a handful of drawn squares."""

import json

import numpy as np
import pytest
from squares import run


def test_a_run_parses_its_annotations_once(repository, squares, tmp_path, monkeypatch):
    """By igdet, Detectron2 and pycocotools together: to check, to train and at each of two evaluations."""
    content = (squares / "squares.json").read_text()
    (squares / "others.json").write_text(content + "\n")
    texts, loads = [], json.loads
    monkeypatch.setattr(json, "loads", lambda text, **kwargs: texts.append(text) or loads(text, **kwargs))
    others = ("DATASETS.OWN.gone.ROOT", str(squares), "DATASETS.OWN.gone.ANNOTATIONS", str(squares / "others.json"))
    opts = (*others, "DATASETS.TEST", "('gone',)", "TEST.EVAL_PERIOD", "2")

    def parses():
        files = [text if isinstance(text, str) else text.decode() for text in texts]
        return files.count(content), files.count(content + "\n")

    run(squares, repository, tmp_path, *opts)
    assert parses() == (1, 1)
    texts.clear()
    run(squares, repository, tmp_path, *opts, "MODEL.WEIGHTS", str(tmp_path / "run/model_final.pth"), eval_only=True)
    assert parses() == (0, 1)


@pytest.mark.parametrize(("head", "task"), [("MODEL.MASK_ON", "segm"), ("MODEL.KEYPOINT_ON", "keypoints")])
def test_detector_trains_and_is_evaluated(repository, squares, tmp_path, head, task):
    results = run(squares, repository, tmp_path, head, "True")["squares"]
    assert set(results) == {"bbox", task}
    assert all({"AP", "AP50", "AP@0.50", "AP@0.95"} <= set(metrics) for metrics in results.values())
    first = json.loads((tmp_path / "run/metrics.json").read_text().splitlines()[0])
    assert first["images_seen"] == 8
    assert np.isfinite(first["total_loss"])
    assert (tmp_path / "run/inference/squares/coco_instances_results.json").is_file()
    assert (tmp_path / "run/results.json").is_file()


@pytest.mark.parametrize(("head", "task"), [("MODEL.MASK_ON", "segm"), ("MODEL.KEYPOINT_ON", "keypoints")])
def test_an_evaluation_alone_needs_no_training_set(repository, squares, tmp_path, head, task):
    trained = run(squares, repository, tmp_path, head, "True")
    opts = (head, "True", "MODEL.WEIGHTS", str(tmp_path / "run/model_final.pth"), "DATASETS.TRAIN", "('gone',)")
    again = run(squares, repository, tmp_path, *opts, eval_only=True)
    assert again["squares"][task] == pytest.approx(trained["squares"][task], nan_ok=True)


def test_a_resumed_detector_uses_the_rate_it_is_given(repository, squares, tmp_path):
    run(squares, repository, tmp_path)  # four iterations
    run(squares, repository, tmp_path, "SOLVER.IMAGES_SEEN", "16", "SOLVER.BASE_LR", "0.004", resume=True)
    lines = [json.loads(line) for line in (tmp_path / "run/metrics.json").read_text().splitlines()]
    # Eight iterations with a drop by half after the fourth.
    assert [line["lr"] for line in lines if line["iteration"] == 7] == [pytest.approx(0.002)]


def test_augmented_tests_stand_beside_plain_ones(squares, repository, tmp_path):
    results = run(squares, repository, tmp_path, "TEST.AUG.ENABLED", "True", "TEST.AUG.MIN_SIZES", "(48, 64)")
    assert set(results["squares"]) == {"bbox", "bbox_TTA"}
    assert results["squares"]["bbox_TTA"].keys() == results["squares"]["bbox"].keys()
    assert (tmp_path / "run/inference_TTA/squares/coco_instances_results.json").is_file()


def test_jittered_images_and_a_slower_trunk_train(squares, repository, tmp_path):
    jitter = ("INPUT.LARGE_SCALE_JITTER.SIDE", "64", "INPUT.MASK_FORMAT", "bitmask", "SOLVER.BACKBONE_LR_FACTOR", "0.1")
    results = run(squares, repository, tmp_path, "MODEL.MASK_ON", "True", *jitter)
    assert set(results["squares"]) == {"bbox", "segm"}
