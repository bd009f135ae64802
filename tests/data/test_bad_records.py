"""Tests of counting, naming and limiting bad records."""

import json

import pytest

from igdet.data.bad_records import BadRecordLog, BadRecordsError, CheckedLoader


def test_each_bad_record_is_named_once(tmp_path):
    log = BadRecordLog(tmp_path / "run", "posts", max_share=0.5)
    log.add(4, [("a.jpg", "empty"), ("b.jpg", "truncated")])
    log.add(4, [("a.jpg", "empty")])
    lines = [json.loads(line) for line in log.path.read_text().splitlines()]
    assert lines == [
        {"data_set": "posts", "name": "a.jpg", "why": "empty"},
        {"data_set": "posts", "name": "b.jpg", "why": "truncated"},
    ]
    assert (log.seen, log.bad) == (8, 3)


def test_no_bad_record_leaves_no_log(tmp_path):
    log = BadRecordLog(tmp_path / "run", "posts", max_share=0.0)
    log.add(100, [])
    assert not log.path.exists()


def test_a_rank_that_names_nothing_counts_all_the_same(tmp_path):
    log = BadRecordLog(tmp_path / "run", "posts", max_share=0.0, names=False)
    with pytest.raises(BadRecordsError, match="11 of 11 records are bad"):
        log.add(11, [(f"{index}.jpg", "empty") for index in range(11)])
    assert not log.path.exists()


def test_too_large_a_share_stops_with_the_log_written(tmp_path):
    log = BadRecordLog(tmp_path, "posts", max_share=0.01)
    log.add(500, [(f"{i}.jpg", "empty") for i in range(10)])
    with pytest.raises(BadRecordsError, match=r"posts: 11 of 501 records are bad, the last one x\.jpg: no image"):
        log.add(1, [("x.jpg", "no image")])
    assert len(log.path.read_text().splitlines()) == 11


def test_the_loader_takes_the_reports_out_of_the_samples(tmp_path):
    log = BadRecordLog(tmp_path, "posts", max_share=0.5)
    batches = [[{"id": 1, "bad_records": [("a.jpg", "empty")]}, {"id": 2, "bad_records": []}], [{"id": 3}]]
    loader = CheckedLoader(batches, log)
    assert len(loader) == 2
    assert list(loader) == [[{"id": 1}, {"id": 2}], [{"id": 3}]]
    assert (log.seen, log.bad) == (3, 1)
