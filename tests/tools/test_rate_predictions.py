"""The command that has predictions rated."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from rate_predictions import main


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command in a folder with two classes of one picture each, of which one is classified wrongly."""
    monkeypatch.chdir(tmp_path)
    for name in ("ant/1.png", "bee/2.png"):
        (tmp_path / name).parent.mkdir()
        Image.new("RGB", (8, 8)).save(name)
    rows = {"image_id": ["ant/1.png", "bee/2.png"], "gt_classes": [[0], [1]], "top_classes": [[0, 1], [0, 1]]}
    pq.write_table(pa.table(rows), "p.parquet")
    (tmp_path / "names.tsv").write_text("ant\tAnt, pismire\nbee\tBee\n")

    def start(*arguments):
        monkeypatch.setattr("sys.argv", ["rate_predictions.py", *arguments])
        try:
            main()
        except SystemExit as end:
            assert end.code == 2
        printed = capsys.readouterr()
        return printed.err or printed.out

    return start


EXPORT = ("export", "out", "--predictions", "p.parquet", "--pictures", ".", "--classes", "classes.txt")


def test_from_predictions_to_a_rectified_accuracy(run, tmp_path):
    (tmp_path / "classes.txt").write_text("ant\nbee\n")
    printed = run(*EXPORT, "--names", "names.tsv")
    assert "1 of 1 disagreements\n1 pages" in printed
    assert "Next: python tools/rate_predictions.py merge out" in printed
    assert "Ant, pismire" in (tmp_path / "out/rating-001.html").read_text()
    asked = json.loads((tmp_path / "out/questions.json").read_text())
    vote = {"image_id": "bee/2.png", "class": 0, "answer": "yes"}
    saved = {"fingerprint": asked["fingerprint"], "rater": "A", "votes": [vote]}
    (tmp_path / "r.json").write_text(json.dumps(saved))
    assert "top-1            50.00%\nrectified top-1  100.00%" in run("merge", "out", "r.json")


def test_errors_are_one_line(run, tmp_path):
    (tmp_path / "classes.txt").write_text("bee\nant\n")
    assert run(*EXPORT).startswith("UserError: the predictions are of another data set: ant/1.png has the labels [0]")
    (tmp_path / "names.tsv").write_text("ant\tAnt\n")
    assert "names.tsv has no line 'folder, tab, name' for 1 classes: ['bee']" in run(*EXPORT, "--names", "names.tsv")
    assert "ReaL labels are for ImageNet's" in run("real", "p.parquet")
    assert "expected the folder of a finished search" in run("bound", "out", "--predictions", "p.parquet")
