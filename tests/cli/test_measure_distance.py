"""The command measure_distance on the easiest images there are, for a person and for a benchmark."""

import json
import re
from functools import partial
from pathlib import Path

import pytest
import yaml

from igdet.benchmark.distances import FILE
from igdet.cli import measure_distance as command


@pytest.fixture
def call(call_command):
    """Calls the command line; returns (exit code, output, errors)."""
    return partial(call_command, command)


def record_of(tmp_path):
    return json.loads((tmp_path / "run" / FILE).read_text())


@pytest.fixture
def two_colours(colour_config, colour_folders, tmp_path):
    """A config that trains on the validation images of two of the three colours."""
    (tmp_path / "classes.txt").write_text("blue\nred\n")
    content = yaml.safe_load(colour_config.read_text())
    own = {"KIND": "image_folder", "ROOT": str(colour_folders / "val"), "CLASSES": str(tmp_path / "classes.txt")}
    content["DATASETS"] |= {"OWN": {"colours_train": own}, "TEST": ["colours_train"]}
    content["MODEL"]["CLASSIFIER"]["NUM_CLASSES"] = 2
    (tmp_path / "two.yaml").write_text(yaml.safe_dump(content))
    return tmp_path / "two.yaml"


def test_configs_folders_and_names_are_measured_and_said_how_to_go_on(
    call, colour_config, colour_folders, two_colours, tmp_path
):
    code, output, _ = call("--targets", two_colours, colour_folders, "colours_val", "--config-file", colour_config)
    assert code == 0
    # Sets of 24 images have no extrapolation; each class has its label.
    rows = [re.split(r"\s{2,}", line) for line in output.splitlines() if line.startswith(str(colour_config))]
    assert [(row[2], row[4], row[6]) for row in rows] == [("16", "–", "100%"), *[("24", "–", "100%")] * 2]
    assert "train_net.py --config-file TARGET.yaml" in output
    pairs = record_of(tmp_path)["pairs"]
    assert [pair["images"] for pair in pairs] == [[24, 16], [24, 24], [24, 24]]
    assert pairs[1]["frechet"] == pytest.approx(0, abs=1e-4)  # the folder's train is the config's own set
    assert pairs[0]["frechet"] > 10 * abs(pairs[1]["frechet"])
    assert [pair["covered"] for pair in pairs] == [2, 3, 3]


def test_fewer_images_and_another_pretraining(call, colour_config, two_colours, tmp_path):
    arguments = ("--pretraining", two_colours, "--targets", "colours_val", "--images", 10, "--config-file")
    assert call(*arguments, colour_config)[0] == 0
    [pair] = record_of(tmp_path)["pairs"]
    assert pair["images"] == [10, 10] and (pair["covered"], pair["classes"]) == (2, 3)


def test_a_benchmark_is_answered_pair_by_pair(call, colour_config, two_colours, tmp_path):
    trunk = {"config_file": str(colour_config), "opts": []}
    gone = {"config_file": str(colour_config), "opts": ["DATASETS.OWN.colours_train.ROOT", "/gone"]}
    pairs = [
        {"initialisation": "a", "target": "lost", "pretraining": trunk, "transfer": gone},
        {
            "initialisation": "a",
            "target": "t",
            "pretraining": trunk,
            "transfer": {**trunk, "config_file": str(two_colours)},
        },
    ]
    (tmp_path / "request.json").write_text(json.dumps({"fingerprint": "f", "trunk": trunk, "pairs": pairs}))
    assert call("--request", tmp_path / "request.json")[0] == 0
    record = record_of(tmp_path)
    lost, found = record["pairs"]
    assert record["fingerprint"] == "f" and "ROOT: /gone does not exist" in lost["why"]
    assert found["covered"] == 2 and found["images"] == [24, 16]


def test_what_cannot_be_measured_is_refused(call, colour_config, tmp_path):
    code, _, errors = call("--targets", "colours_vall", "--config-file", colour_config)
    assert code == 2 and "names colours_vall, which no config describes" in errors
    code, _, errors = call("--targets", "a", "--images", "1", "--config-file", colour_config)
    assert code == 2 and "--images is 1: expected 2 or more" in errors
    code, _, errors = call("--config-file", colour_config)
    assert code == 2 and "expected --config-file and --targets" in errors
    code, _, errors = call("--request", tmp_path / "none.json")
    assert code == 2 and "none.json" in errors and "expected a request" in errors
    detector = ("MODEL.META_ARCHITECTURE", "GeneralizedRCNN")
    code, _, errors = call("--targets", Path.cwd(), "--config-file", colour_config, *detector)
    assert code == 2 and "distances need an ImageClassifier" in errors
