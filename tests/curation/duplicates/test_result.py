"""What was searched and found, in a folder."""

import json

import pytest

from igdet.curation.duplicates.image_sets import DuplicatesError
from igdet.curation.duplicates.result import SCHEMA, Found, Request, read_found, write_csv, write_found
from igdet.curation.duplicates.scanning import Skipped


def test_it_is_read_as_it_was_written(tmp_path):
    request = Request("training", "evaluation", evaluation_root="root", min_score=0.5)
    pairs = SCHEMA.empty_table()
    write_found(tmp_path, request, Found(pairs, [Skipped("a,b", "empty", "0 bytes")]))
    assert read_found(tmp_path) == (request, pairs)
    assert (tmp_path / "skipped.csv").read_text() == 'id,reason,why\n"a,b",empty,0 bytes\n'


def test_without_evaluation_images_the_training_images_are_looked_for(make_folder):
    training, evaluation = (str(make_folder({f"{name}.jpg": b""}, name)) for name in ("training", "evaluation"))
    assert Request(training).open_queries().ids.to_pylist() == ["training.jpg"]
    assert Request(training, evaluation).open_queries().ids.to_pylist() == ["evaluation.jpg"]


def test_a_table_is_written_with_its_column_names(tmp_path):
    write_csv(tmp_path / "ids.csv", ["id"], [["1"], ['"']])
    assert (tmp_path / "ids.csv").read_text() == 'id\n1\n""""\n'


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"max_distance": 256}, "max distance is 256; expected 0 to 255"),
        ({"neighbours": 0}, "neighbours is 0; expected 1 or more"),
        ({"min_score": float("nan")}, "min score is nan; expected -1 to 1"),
        ({"side": 0}, "side is 0; expected 1 or more"),
        ({"processes": -2}, "processes is -2; expected 1 or more"),
        ({"max_bad_share": 7.0}, "max bad share is 7.0; expected 0 to 1"),
    ],
)
def test_numbers_out_of_range_are_refused(setting, message):
    with pytest.raises(DuplicatesError, match=message):
        Request("training", **setting)


@pytest.mark.parametrize("text", [None, "{", json.dumps({"training": "x", "unknown": 1})])
def test_an_unfinished_search_is_named(tmp_path, text):
    if text:
        (tmp_path / "find.json").write_text(text)
    with pytest.raises(DuplicatesError, match=r"find\.json: expected the folder of a finished search"):
        read_found(tmp_path)
