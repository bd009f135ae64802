"""Where the numbers come from."""

import pytest

pytest.importorskip("daft", reason="the extra 'curation' is not installed")

import yaml

from igdet.curation.report.flow import pace_section
from igdet.curation.report.page import MOST_FILES, settings_text, stage_table
from igdet.curation.stage_log import StageLog

from .conftest import FINISHED, cells


def test_each_stage_has_a_row(finish):
    outcome = finish("posts", "labels", seconds=1234.56, versions={"igdet": "1", "daft": "2"})
    row = [FINISHED, "1,234.6", "igdet 1, daft 2"]
    expected = [["posts", *row, "posts"], ["labels", *row, "labels"]]
    assert cells(stage_table(outcome.manifests, outcome.logs).rows) == expected


def test_a_stage_whose_log_is_lost_or_of_another_result_has_a_row(finish, tmp_path):
    finish("posts", "labels")
    (tmp_path / "logs/posts.json").unlink()
    StageLog("labels", "another", FINISHED, 1.0).write(tmp_path)
    outcome = finish()
    assert [row[1:3] for row in cells(stage_table(outcome.manifests, outcome.logs).rows)] == [["–", "–"]] * 2
    assert pace_section(outcome) is None


def test_each_step_has_a_row_with_its_straggler(finish):
    [table] = pace_section(finish("posts")).tables
    # 3,000 posts and 6 MB in 2 s
    row = ["slices", "3", "1,500", "3.0", "0.5", "1.2", "part-00002 on b.example"]
    assert cells(table.rows) == [["posts", *row]]


def test_settings_are_yaml_with_long_lists_cut(finish):
    files = [[f"{i}.json", i] for i in range(MOST_FILES + 1234)]
    settings = {"source": {"tags": "ق", "paths": ["a"]}, "files": files}
    text = settings_text(finish("posts", settings=settings).manifests["posts"])
    assert "ق" in text
    assert yaml.safe_load(text) == settings | {"files": [*files[:MOST_FILES], "and 1,234 more"]}
