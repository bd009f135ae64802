"""The commands that score and analyse any file of detections."""

import json

import pytest

from igdet.cli import analyze_detections, evaluate_coco

CAT, DOG = {"id": 3, "name": "cat"}, {"id": 7, "name": "dog"}
OBJECT = {"image_id": 1, "category_id": 3, "bbox": [10, 10, 40, 40]}


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run a command on one image with a cat, and on detections."""
    monkeypatch.chdir(tmp_path)

    def start(command, detections, *options, classes=(CAT, DOG), truth=(), status=0):
        annotations = [OBJECT | {"id": 1, "area": 1600, "iscrowd": 0, **dict(truth)}]
        images = [{"id": 1, "width": 100, "height": 100}]
        (tmp_path / "truth.json").write_text(
            json.dumps({"images": images, "categories": classes, "annotations": annotations})
        )
        (tmp_path / "found.json").write_text(json.dumps(detections))
        monkeypatch.setattr("sys.argv", [command.__name__, "truth.json", "found.json", *options])
        try:
            command.main()
        except SystemExit as end:
            assert end.code == status != 0
        printed = capsys.readouterr()
        return printed.err if status else printed.out

    return start


def test_scores(run, tmp_path):
    # An IoU of 30 / 40 counts at 0.50 to 0.75.
    printed = run(
        evaluate_coco, [OBJECT | {"bbox": [10, 10, 40, 30], "score": 0.9}], "--per-class", "--out", "out.json"
    )
    _, _, official, _, _, cat, dog, written = printed.splitlines()
    assert official.split() == ["60.0", "100.0", "100.0", "–", "60.0", "–", "60.0", "60.0", "60.0", "–", "60.0", "–"]
    assert (cat.split(), dog.split()) == (["cat", "60.0", "100.0"], ["dog", "–", "–"])
    assert written == "All numbers: out.json"
    scores = json.loads((tmp_path / "out.json").read_text())
    assert (scores["AP@0.75"], scores["AP@0.80"], scores["AP-dog"]) == (pytest.approx(100), 0, None)


def test_a_class_named_by_an_escape_does_not_reach_the_terminal(run):
    printed = run(evaluate_coco, [OBJECT | {"score": 0.9}], "--per-class", classes=[CAT | {"name": "\x1b[31mcat"}])
    assert printed.splitlines()[-1].split() == ["\\x1b[31mcat", "100.0", "100.0"]


@pytest.mark.parametrize("command", [evaluate_coco, analyze_detections])
def test_keypoints_of_any_number_by_their_sigmas(run, command):
    points = {"keypoints": [12, 12, 2, 40, 40, 2]}
    classes = [CAT | {"keypoints": ["L_ear", "R_ear"]}]
    found = [OBJECT | points | {"score": 0.9}]
    options = ("--task", "keypoints", "--sigmas", "0.1", "0.1")
    printed = run(command, found, *options, classes=classes, truth=points)
    assert "100.0" in printed
    assert "there are 17 sigmas" in run(command, found, *options[:2], classes=classes, truth=points, status=2)
    assert "--sigmas" in run(command, found, *options[:3], "-1", classes=classes, truth=points, status=2)


def test_a_single_class_is_listed_too(run):
    printed = run(evaluate_coco, [OBJECT | {"score": 0.9}], "--per-class", classes=[CAT])
    assert printed.splitlines()[-1].split() == ["cat", "100.0", "100.0"]


def test_errors_by_kind_and_classes_taken_for_others(run):
    printed = run(analyze_detections, [OBJECT | {"category_id": 7, "score": 0.9}])
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in printed.splitlines() if "|" in line]
    assert rows[2] == ["found.json", "1 (+100.0)", *["0 (+0.0)"] * 5]
    assert rows[-1] == ["cat", "dog", "1"]


@pytest.mark.parametrize("command", [evaluate_coco, analyze_detections])
def test_errors_are_one_line(run, command):
    detections = [OBJECT | {"score": 0.9}]
    assert run(command, [OBJECT], status=2).startswith("DetectionsError: found.json: 1 of 1")
    wrong = run(command, detections, classes=[DOG], status=2)
    assert wrong.startswith("CocoJsonError: truth.json: annotation 1 of image 1: its category 3 is not in the file; ")
    assert wrong.count("\n") == 1


def test_a_place_that_cannot_be_written_is_one_line(run, tmp_path):
    (tmp_path / "file").touch()
    error = run(evaluate_coco, [OBJECT | {"score": 0.9}], "--out", "file/out.json", status=2)
    assert error.startswith(("NotADirectoryError", "FileExistsError")) and error.count("\n") == 1


def test_only_federated_annotations_with_boxes_or_masks_are_scored_as_lvis(run):
    detections = [OBJECT | {"score": 0.9}]
    assert "lacks neg_category_ids" in run(evaluate_coco, detections, "--lvis", status=2)
    assert "LVIS has no keypoints" in run(evaluate_coco, detections, "--lvis", "--task", "keypoints", status=2)
