"""The report's tables and exports, entry by entry."""

import csv
import io
import json

import pytest
import yaml

from igdet.benchmark import tables
from igdet.benchmark.cells import expand
from igdet.benchmark.collect import Study
from igdet.benchmark.metrics import lower_is_better
from igdet.benchmark.report import results_csv, transfer_csv
from igdet.benchmark.suite_file import read_suite
from igdet.formats.published import FINDINGS, PUBLISHED
from igdet.utils.yaml import ConfigError


def texts(table):
    return [[entry.text for entry in row] for row in table.rows]


@pytest.fixture
def empty(suite):
    return Study(suite, expand(suite))


def test_transfer_table(study):
    table = tables.transfer_table(study)
    assert table.header == ["Initialisation", "Box AP", "Top-1", "seeds"]
    assert texts(table) == [
        ["From scratch", "21.0 ± 1.0", "21.0 ± 1.0", "3"],
        ["Hashtags", "21.0 ± 1.0", "33.0 ± 3.0", "3"],
    ]
    assert [entry.mark for entry in table.rows[1]] == ["", "best", "best", ""]


def test_what_was_scored_without_training_has_a_row(write_suite, folder):
    path = write_suite()
    content = yaml.safe_load(path.read_text())
    content["TARGETS"]["linear"]["BESIDE"] = {
        "CLIP": {"FILE": "clip.json", "METRIC": "texts/top1"},
        "Tags": {"FILE": "tags.json", "METRIC": "top1"},
    }
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    suite = read_suite(path)
    study = Study(suite, expand(suite))
    assert texts(tables.transfer_table(study))[2:] == [["CLIP", "–", "–", ""], ["Tags", "–", "–", ""]]
    (folder / "clip.json").write_text(json.dumps({"results": {"texts": {"top1": 61.25}}}))
    (folder / "tags.json").write_text(json.dumps({"results": {"leaf": {"top1": 6.9}, "hypernym": {"top1": 7.1}}}))
    with pytest.raises(ConfigError, match=r"tags.json: the metric top1 is ambiguous; name one of leaf/top1"):
        tables.transfer_table(study)
    (folder / "tags.json").unlink()
    assert texts(tables.transfer_table(study))[2:] == [["CLIP", "–", "61.2", ""], ["Tags", "–", "–", ""]]


def test_missing_results_stay_empty(empty):
    assert texts(tables.transfer_table(empty))[0] == ["From scratch", "–", "–", "0"]
    assert texts(tables.gain_tables(empty)[0]) == [["Hashtags", "–", "–"]]
    assert tables.pretraining_table(empty) is None
    assert tables.selection_table(empty) is None


def test_gains_carry_their_verdict(study):
    (table,) = tables.gain_tables(study)
    assert table.title == "Gain over: From scratch"
    assert texts(table) == [["Hashtags", "≈ +0.0 ± 1.0", "▲ +12.0 ± 2.0"]]
    assert [entry.mark for entry in table.rows[0]] == ["", "within spread", "gain"]


def test_lower_is_better_for_calibration_and_errors(write_suite, finish):
    """From scratch: ECE 4, 6; hashtags: 2, 2. Errors missed: 100 and 130."""
    target = {"TITLE": "T", "CONFIG": "boxes.yaml", "METRICS": {"classification/ece": "ECE", "errors-missed": "Missed"}}
    suite = read_suite(write_suite(TARGETS={"t": target}, SEEDS=2))
    values = {"scratch": [(4.0, 100), (6.0, 100)], "hashtag": [(2.0, 130), (2.0, 130)]}
    for cell in expand(suite):
        ece, missed = values[cell.initialisation][cell.seed]
        finish(cell, {"classification": {"ece": ece}, "bbox": {"errors-missed": missed}})
    study = Study(suite, expand(suite))
    transfer, (gains,) = tables.transfer_table(study), tables.gain_tables(study)
    assert transfer.header[1:3] == ["ECE ↓", "Missed ↓"]
    assert [[entry.mark for entry in row[1:3]] for row in transfer.rows] == [["", "best"], ["best", ""]]
    assert texts(gains) == [["Hashtags", "▲ −3.0 ± 1.4", "▼ +30.0 ± 0.0"]]
    assert "$\\downarrow$" in transfer.latex()
    best = [row[1] for row in texts(tables.published_table(study))]
    assert best == ["2.0 ± 0.0 (Hashtags)", "100.0 ± 0.0 (From scratch)"]


@pytest.mark.parametrize(
    ("metric", "lower"),
    [
        ("val/classification/ece", True),
        ("bbox/dAP-missed", True),
        ("bbox/errors-duplicate", True),
        ("keypoints/keypoints-swap", True),
        ("total_loss", True),
        ("loss_cls", True),
        ("top1_error", True),
        ("bbox/AP", False),
        ("keypoints/keypoints-good", False),
        ("classification/top1-lossy", False),
        ("bbox/AP-terrier", False),
        ("hashtags/recall@5", False),
    ],
)
def test_direction_of_metrics(metric, lower):
    assert lower_is_better(metric) is lower


def test_columns_of_the_same_title_name_their_target(write_suite):
    target = {"CONFIG": "boxes.yaml", "METRICS": {"top1": "Top-1"}}
    suite = read_suite(write_suite(TARGETS={"a": {"TITLE": "Birds", **target}, "b": {"TITLE": "Places", **target}}))
    assert [column.title for column in Study(suite, []).columns] == ["Birds: Top-1", "Places: Top-1"]


def test_published_numbers_stand_beside_ours(write_suite, finish):
    target = {"TITLE": "T", "CONFIG": "boxes.yaml", "METRICS": {"keypoints/AP": "Keypoint AP", "segm/AP": "Mask AP"}}
    suite = read_suite(write_suite(TARGETS={"t": target | {"PUBLISHED": "coco_keypoints"}}))
    finish(expand(suite)[1], {"keypoints": {"AP": 12.0}, "segm": {"AP": 3.0}})
    rows = texts(tables.published_table(Study(suite, expand(suite))))
    assert rows[0][:3] == ["Keypoint AP", "12.0 (From scratch)", "66.0"]
    assert rows[1] == ["Mask AP", "3.0 (From scratch)", "", "not published here", ""]


def test_published_numbers_come_with_the_addresses_of_their_sources(write_suite):
    target = {"TITLE": "T", "CONFIG": "boxes.yaml", "METRICS": {"keypoints/AP": "AP"}, "PUBLISHED": "coco_keypoints"}
    suite = read_suite(write_suite(TARGETS={"t": target}))
    note = tables.published_table(Study(suite, expand(suite))).note
    assert note == "the Detectron2 model zoo: https://github.com/facebookresearch/detectron2/blob/main/MODEL_ZOO.md"


def test_findings_of_a_suite_are_told_below_the_published_numbers(write_suite):
    suite = read_suite(write_suite(FINDINGS=["gain"]))
    note = tables.published_table(Study(suite, expand(suite))).note
    assert note.startswith("The network with 84.2 has 4.6 points") and FINDINGS["gain"].source.url in note


def test_published_numbers_all_have_a_source_and_a_plausible_value():
    for results in PUBLISHED.values():
        for result in results:
            assert result.source and result.what
            assert all(0 < value < 100 for value in result.values.values())


def test_pretraining_table(write_suite, finish):
    starts = {"hashtag": {"TITLE": "H", "CONFIG": "pretrain.yaml", "METRICS": {"hashtags/mAP": "mAP"}}}
    suite = read_suite(write_suite(INITIALIZATIONS=starts, BASELINES=[]))
    finish(expand(suite)[0], {"hashtags": {"mAP": 48.04}})
    assert texts(tables.pretraining_table(Study(suite, expand(suite)))) == [["H", "mAP", "48.0"]]


def test_cell_table(study):
    assert texts(tables.cell_table(study))[0] == ["seed0/pretraining/hashtag", "finished", "1:30", "4,000", "2.0 GB"]


def test_markdown_and_latex(study):
    table = tables.transfer_table(study)
    assert "| Hashtags         | 21.0 ± 1.0 | 33.0 ± 3.0 | 3       |" in table.markdown()
    assert r"Hashtags         & 21.0 $\pm$ 1.0 & 33.0 $\pm$ 3.0 & 3       \\" in table.latex()


def test_csv_files_can_be_read_back(study):
    rows = list(csv.DictReader(io.StringIO(transfer_csv(study))))
    assert rows[-1] == {
        "initialisation": "hashtag",
        "target": "linear",
        "metric": "classification/top1",
        "setting": "",
        "mean": "33.0",
        "spread": "3.0",
        "seeds": "3",
    }
    rows = list(csv.DictReader(io.StringIO(results_csv(study))))
    # 3 seeds of 5 cells; 14 metrics each: top-1, AP, AP50, AP75 and ten thresholds. The missing top-5 is left out.
    assert len(rows) == 3 * 5 * 14
    assert rows[0] == {
        "initialisation": "hashtag",
        "target": "pretraining",
        "setting": "",
        "seed": "0",
        "metric": "val/classification/top1",
        "value": "20.0",
    }
