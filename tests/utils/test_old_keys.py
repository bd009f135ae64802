"""Keys in their old spelling: read as the new ones, and a note logged."""

import pytest

from igdet.benchmark.suite_file import read_suite
from igdet.engine import merged_config
from igdet.utils.errors import UserError


def test_a_config_in_the_old_spelling(tmp_path, caplog):
    path = tmp_path / "old.yaml"
    path.write_text("MODEL: {CLASSIFIER: {STANDARDISE: true, NUM_CLASSES: 3}}\nPROBE: {NEIGHBOURS: [1, 2]}\n")
    cfg = merged_config(str(path), [])
    assert (cfg.MODEL.CLASSIFIER.STANDARDIZE, cfg.MODEL.CLASSIFIER.NUM_CLASSES) == (True, 3)
    assert list(cfg.PROBE.NEIGHBORS) == [1, 2]
    assert [record.getMessage() for record in caplog.records] == [
        f"{path}: MODEL.CLASSIFIER.STANDARDISE is called MODEL.CLASSIFIER.STANDARDIZE now; the old name is still read",
        f"{path}: PROBE.NEIGHBOURS is called PROBE.NEIGHBORS now; the old name is still read",
    ]


def test_a_command_line_in_the_old_spelling(caplog):
    assert list(merged_config("", ["PROBE.NEIGHBOURS", "(3,)"]).PROBE.NEIGHBORS) == [3]
    assert "command line: PROBE.NEIGHBOURS is called PROBE.NEIGHBORS now" in caplog.text


def test_a_suite_in_the_old_spelling(tmp_path, caplog):
    for name in ("boxes.yaml", "train.py"):
        (tmp_path / name).touch()
    path = tmp_path / "suite.yaml"
    path.write_text(
        f"TITLE: T\nOUTPUT_DIR: runs\nTRAIN_SCRIPT: {tmp_path}/train.py\nINITIALISATIONS: {{scratch: {{TITLE: S}}}}\n"
        f"TARGETS: {{t: {{TITLE: T, CONFIG: {tmp_path}/boxes.yaml, METRICS: {{bbox/AP: AP}}}}}}\n"
    )
    assert list(read_suite(path).initializations) == ["scratch"]
    assert "INITIALISATIONS is called INITIALIZATIONS now" in caplog.text


def test_both_spellings_are_refused(tmp_path):
    path = tmp_path / "both.yaml"
    path.write_text("PROBE: {NEIGHBOURS: [1], NEIGHBORS: [2]}\n")
    with pytest.raises(UserError, match=r"PROBE\.NEIGHBOURS and PROBE\.NEIGHBORS are the same key"):
        merged_config(str(path), [])


def test_a_section_that_is_none_is_left_to_the_checks(tmp_path):
    path = tmp_path / "odd.yaml"
    path.write_text("PROBE: 3\n")
    with pytest.raises(UserError, match="PROBE"):
        merged_config(str(path), [])
