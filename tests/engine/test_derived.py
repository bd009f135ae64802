"""What a config need not write: its folder follows from its file's name, its number of classes from its target."""

import pytest
import yaml

from igdet.engine import merged_config


def write(folder, text):
    path = folder / "mine.yaml"
    path.write_text(text)
    return str(path)


CLASSIFIER = "MODEL: {META_ARCHITECTURE: ImageClassifier}\n"


@pytest.mark.parametrize(
    ("data", "classes"),
    [
        ("TRAIN: [cub2011_train]", 200),
        ("TRAIN: [cub2011_train_fit]", 200),  # a part, as the trials of a suite use it
        ("TRAIN: [mine], OWN: {mine: {KIND: image_folder, ROOT: x}}", 1000),  # the default
        ("TRAIN: [cub2011_train], OWN: {cub2011_train: {KIND: image_folder, ROOT: x}}", 1000),  # takes its place
        ("TRAIN: []", 1000),
    ],
)
def test_a_classifiers_classes_follow_from_the_target(tmp_path, data, classes):
    cfg = merged_config(write(tmp_path, f"{CLASSIFIER}DATASETS: {{{data}}}\n"), [])
    assert classes == cfg.MODEL.CLASSIFIER.NUM_CLASSES
    assert cfg.MODEL.ROI_HEADS.NUM_CLASSES == 80


@pytest.mark.parametrize(("name", "classes"), [("coco_2017", 80), ("keypoints_coco_2017", 1), ("lvis_v1", 1203)])
def test_a_detectors_classes_follow_from_the_target(tmp_path, name, classes):
    cfg = merged_config(write(tmp_path, "SEED: 1\n"), ["DATASETS.TRAIN", f"('{name}_train',)"])
    assert classes == cfg.MODEL.ROI_HEADS.NUM_CLASSES
    assert cfg.MODEL.CLASSIFIER.NUM_CLASSES == 1000


def test_what_is_written_in_a_base_or_on_the_command_line_stays(tmp_path):
    (tmp_path / "base.yaml").write_text(f"OUTPUT_DIR: there\n{CLASSIFIER}")
    path = write(tmp_path, "_BASE_: base.yaml\nDATASETS: {TRAIN: [cub2011_train]}\n")
    cfg = merged_config(path, ["MODEL.CLASSIFIER.NUM_CLASSES", "7"])
    assert (cfg.OUTPUT_DIR, cfg.MODEL.CLASSIFIER.NUM_CLASSES) == ("there", 7)


def test_the_folder_follows_from_the_files_name(tmp_path):
    assert merged_config(write(tmp_path, "SEED: 1\n"), []).OUTPUT_DIR == "runs/mine"
    assert merged_config("", []).OUTPUT_DIR == "./output"  # Detectron2's


def test_a_dumped_config_is_its_own_result(tmp_path):
    cfg = merged_config(write(tmp_path, f"{CLASSIFIER}DATASETS: {{TRAIN: [cub2011_train]}}\n"), [])
    (tmp_path / "config.yaml").write_text(cfg.dump())
    again = merged_config(str(tmp_path / "config.yaml"), [])
    assert yaml.safe_load(again.dump()) == yaml.safe_load(cfg.dump())
