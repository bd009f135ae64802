"""Where the numbers come from."""

import pytest

pytest.importorskip("daft", reason="the extra 'curation' is not installed")

import yaml

from igdet.curation.report.page import MOST_FILES, settings_text, stage_table

from .conftest import FINISHED, cells


def test_each_stage_has_a_row(finish):
    manifests = finish("posts", "labels", seconds=1234.56, versions={"igdet": "1", "daft": "2"}).manifests
    row = [FINISHED, "1,234.6", "igdet 1, daft 2", "f00d"]
    assert cells(stage_table(manifests).rows) == [["posts", *row], ["labels", *row]]


def test_settings_are_yaml_with_long_lists_cut(finish):
    files = [[f"{i}.json", i] for i in range(MOST_FILES + 1234)]
    settings = {"source": {"tags": "ق", "paths": ["a"]}, "files": files}
    text = settings_text(finish("posts", settings=settings).manifests["posts"])
    assert "ق" in text
    assert yaml.safe_load(text) == settings | {"files": [*files[:MOST_FILES], "and 1,234 more"]}
