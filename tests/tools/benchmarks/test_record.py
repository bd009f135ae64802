"""Result files of benchmarks: what is measured is what the pages show."""

import json

import pytest
from benchmarks import record
from benchmarks.record import Result, Table, read_result, report, table, wrapped, write_result


def test_numbers_are_rounded_and_texts_stay():
    made = table(["way", "ms", "images"], [["igdet", 1.256, 2048], ["peer", 2, "-"]], ["", ".2f", ",d"])
    assert made.rows == [["igdet", "1.26", "2,048"], ["peer", "2.00", "-"]]


def test_a_report_is_read_back_as_it_was_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["tools/benchmarks/loss.py", "--ways", "polars, join"])
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    measured = table(["way", "ms"], [["igdet", "1.2"]])
    report("loss", times=measured)
    result = read_result(tmp_path / "runs/benchmarks/loss.json")
    assert measured.markdown() in capsys.readouterr().out
    assert result.tables["times"] == measured
    assert result.commands == ["OMP_NUM_THREADS=2 python tools/benchmarks/loss.py --ways 'polars, join'"]
    assert "Python" in result.versions and "cores of" in result.hardware


def test_what_was_not_recorded_is_said(tmp_path):
    write_result(tmp_path / "a.json", Result(["make demo"], None, "2026-11-26", None, None, {}))
    *_, last = read_result(tmp_path / "a.json").how().splitlines()
    assert last == "| 2026-11-26 | not recorded | not recorded | not recorded |"


@pytest.mark.parametrize("content", ["{", "[]", "{}", json.dumps({"tables": {"a": {"rows": []}}})])
def test_another_file_is_refused_by_name(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"a\.json is no result file"):
        read_result(path)


def test_a_long_command_is_broken_before_an_option(monkeypatch):
    monkeypatch.setattr(record, "WIDTH", 20)
    assert wrapped("python run.py --steps 3 SEED 0") == "python run.py \\\n  --steps 3 SEED 0"


def test_markdown_has_a_row_a_line():
    assert Table(["a", "b"], [["1", "2"]]).markdown() == "| a | b |\n| --- | --- |\n| 1 | 2 |"
