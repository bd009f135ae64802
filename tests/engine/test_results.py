"""The record of a run as JSON."""

import json

from detectron2.config import get_cfg

from igdet.engine.results import by_dataset, read_record, write_record


def test_one_test_set_gets_its_name_back():
    cfg = get_cfg()
    cfg.DATASETS.TEST = ("val",)
    assert by_dataset(cfg, {"bbox": {"AP": 1.0}}) == {"val": {"bbox": {"AP": 1.0}}}
    cfg.DATASETS.TEST = ("val", "test")
    named = {"val": {"bbox": {"AP": 1.0}}, "test": {"bbox": {"AP": 2.0}}}
    assert by_dataset(cfg, named) == named


def test_record_is_strict_json_and_reads_back(tmp_path):
    cfg = get_cfg()
    cfg.MODEL.DEVICE = "cpu"
    path = tmp_path / "results.json"
    write_record(path, cfg, {"config_file": "a.yaml", "opts": []}, {"val": {"bbox": {"APl": float("nan")}}}, {})
    assert "NaN" not in path.read_text()
    assert json.loads(path.read_text()) == read_record(path)
    assert read_record(path)["results"]["val"]["bbox"]["APl"] is None
    assert read_record(path)["config"]["SOLVER"]["BASE_LR"] == cfg.SOLVER.BASE_LR


def test_no_record(tmp_path):
    assert read_record(tmp_path / "results.json") is None
