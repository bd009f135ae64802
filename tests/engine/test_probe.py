"""Probes of the easiest data there is: features kept while nothing changed, records, predictions, refusals."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from igdet.engine import features as features_module
from igdet.engine import probe as probe_module
from igdet.engine.features import features_of
from igdet.engine.probe import check_probe, probe
from igdet.engine.setup import setup
from igdet.engine.trainer import Trainer
from igdet.formats.predictions import read_predictions

QUICK = ("PROBE.SHOTS", "(1, 2)", "PROBE.DRAWS", "2", "PROBE.STRENGTHS", "(1.0, 10.0)", "PROBE.NEIGHBORS", "(1, 3)")


@pytest.fixture
def setting(command):
    """The frozen config of a quick probe with further overrides."""
    return lambda *opts: setup(command(*QUICK, *opts))


def test_a_probe_writes_its_record_and_predictions_and_is_done_once(setting, tmp_path, monkeypatch):
    probe(setting(), ["linear", "kshot", "knn"], {})
    record = json.loads((tmp_path / "run" / "probe.json").read_text())["results"]
    assert list(record) == ["linear", "kshot", "knn"]
    for name in ("linear", "knn"):
        answers = read_predictions(tmp_path / "run" / name / "inference" / "colours_val" / "predictions.parquet")
        pairs = zip(answers["top_classes"].to_pylist(), answers["gt_classes"].to_pylist(), strict=True)
        accuracy = 100 * np.mean([top[0] in labels for top, labels in pairs])
        assert accuracy == pytest.approx(record[name]["top1"])
        assert accuracy == pytest.approx(record[name]["classification"]["top1"])
    assert record["linear"]["top1"] > 60  # even a random trunk tells blue, green and red apart
    monkeypatch.setattr(probe_module, "PROTOCOLS", {})  # none is run again
    assert probe(setting(), ["linear"], {}) == record  # the seed gives the same random trunk


def test_too_few_images_are_noticed_before_any_work(setting, tmp_path):
    with pytest.raises(ValueError, match="20 shots: class 0 has 8 images"):
        probe(setting("PROBE.SHOTS", "(1, 20)"), ["kshot"], {})
    assert not (tmp_path / "run" / "features").exists()


def test_features_are_the_trunks_and_are_kept(setting, monkeypatch):
    cfg = setting()
    torch.manual_seed(0)
    model = Trainer.build_model(cfg)
    first = features_of(cfg, model, "colours_val")
    batch = next(iter(Trainer.build_test_loader(cfg, "colours_val")))
    with torch.no_grad():
        expected = model.eval().pooled_features(batch)
    np.testing.assert_allclose(first.features[: len(batch)], expected, atol=1e-6)
    assert first.labels.tolist() == [0] * 8 + [1] * 8 + [2] * 8
    assert first.image_ids[0] == "blue/blue_0.png"
    monkeypatch.setattr(features_module, "_extract", None)  # nothing is computed again
    np.testing.assert_array_equal(features_of(cfg, model, "colours_val").features, first.features)


def test_other_weights_images_or_preprocessing_are_noticed(setting, colour_folders, tmp_path):
    root = tmp_path / "own"
    shutil.copytree(colour_folders / "val", root)
    own = ("DATASETS.OWN.colours_val.ROOT", str(root))
    torch.manual_seed(0)
    cfg = setting(*own)
    model = Trainer.build_model(cfg)

    def first(cfg):
        return np.array(features_of(cfg, model, "colours_val").features)

    before = first(cfg)
    (root / "blue" / "blue_0.png").unlink()
    shutil.copy(root / "red" / "red_0.png", root / "blue" / "blue_0.png")
    changed = first(cfg)
    assert (changed[0] != before[0]).any()
    np.testing.assert_array_equal(changed[1:], before[1:])
    assert first(setting(*own, "PROBE.FEATURES", "float16")).dtype == np.float16
    model.backbone.stem.conv1.weight.data *= 2
    assert (first(cfg) != changed).any()


def test_a_broken_image_is_shown_as_grey_and_logged(setting, colour_folders, tmp_path):
    root = tmp_path / "own"
    shutil.copytree(colour_folders / "val", root)
    (root / "red" / "red_3.png").write_bytes(b"no picture")
    cfg = setting("DATASETS.OWN.colours_val.ROOT", str(root))
    found = features_of(cfg, Trainer.build_model(cfg), "colours_val")
    assert len(found) == 24
    assert "red_3.png" in Path(cfg.OUTPUT_DIR, "bad_records.jsonl").read_text()


@pytest.mark.parametrize(
    ("opts", "message"),
    [
        (("DATASETS.TEST", "('colours_train',)"), "expected one data set, other than DATASETS.TRAIN"),
        (("DATASETS.TEST", "('colours_val', 'colours_train')"), "expected one data set"),
        (("DATASETS.TEST", "('colours_train_choice',)"), "colours_train_choice shares images with DATASETS.TRAIN"),
        (("DATASETS.TRAIN", "('colours_val_fit',)"), "colours_val shares images with DATASETS.TRAIN colours_val_fit"),
    ],
)
def test_what_no_probe_can_run_is_refused(setting, opts, message):
    with pytest.raises(ValueError, match=message):
        check_probe(setting(*opts))
