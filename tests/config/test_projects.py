"""Keys of PointRend: there where its head is named, and nowhere else."""

import sys

import pytest
from detectron2.config import get_cfg

from igdet.config import ConfigError, add_igdet_config, merge_config_file, merge_overrides

HEAD = "MODEL:\n  ROI_MASK_HEAD: {NAME: PointRendMaskHead}\n"


@pytest.fixture
def cfg():
    cfg = get_cfg()
    add_igdet_config(cfg)
    return cfg


def merged(cfg, tmp_path, text):
    (tmp_path / "c.yaml").write_text(text)
    merge_config_file(cfg, tmp_path / "c.yaml")
    return cfg.MODEL.get("POINT_HEAD")


def test_a_file_that_names_the_head_has_its_keys(cfg, tmp_path):
    points = merged(cfg, tmp_path, f"{HEAD}  POINT_HEAD: {{NUM_FC: 2}}\n")
    assert (points.NUM_FC, points.FC_DIM) == (2, 256)


def test_values_of_a_base_stay(cfg, tmp_path):
    (tmp_path / "base.yaml").write_text("MODEL:\n  POINT_HEAD: {NUM_FC: 2}\n")
    assert merged(cfg, tmp_path, f"_BASE_: base.yaml\n{HEAD}").NUM_FC == 2
    merge_overrides(cfg, ["MODEL.ROI_MASK_HEAD.NAME", "PointRendMaskHead"])
    assert cfg.MODEL.POINT_HEAD.NUM_FC == 2


def test_a_command_line_names_it_too(cfg):
    merge_overrides(cfg, ["MODEL.ROI_MASK_HEAD.NAME", "PointRendMaskHead", "MODEL.POINT_HEAD.NUM_FC", "2"])
    assert cfg.MODEL.POINT_HEAD.NUM_FC == 2


@pytest.mark.parametrize("text", ["", "MODEL: 3\n", "MODEL: {ROI_MASK_HEAD: {NAME: [PointRendMaskHead]}}\n"])
def test_other_files_have_none(cfg, tmp_path, text):
    if text:
        with pytest.raises(ConfigError):
            merged(cfg, tmp_path, text)
    assert "POINT_HEAD" not in cfg.MODEL
    with pytest.raises(ConfigError, match=r"unknown key 'MODEL\.POINT_HEAD'"):
        merged(cfg, tmp_path, "MODEL:\n  POINT_HEAD: {NUM_FC: 2}\n")


def test_a_detectron2_without_it_is_named(cfg, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "detectron2.projects.point_rend", None)
    with pytest.raises(ConfigError, match=r"comes without detectron2\.projects\.point_rend .*: name another head"):
        merged(cfg, tmp_path, HEAD)
