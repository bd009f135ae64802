"""The command that has predictions rated."""

import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from igdet.cli.rate_predictions import main
from igdet.curation.duplicates.result import SCHEMA, Found, Request, write_found
from igdet.curation.duplicates.scanning import Skipped


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command in a folder with two classes of one image each, of which one is classified wrongly."""
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


EXPORT = ("export", "out", "--predictions", "p.parquet", "--images", ".", "--classes", "classes.txt")


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


def test_unreadable_images_are_passed_over_and_named(run, tmp_path):
    wrong = [f"bee/{number}.png" for number in range(2, 15)]
    for name in wrong[1:]:
        Image.new("RGB", (8, 8)).save(name)
    rows = {"image_id": ["ant/1.png", *wrong], "gt_classes": [[0], *[[1]] * 13], "top_classes": [[0, 1]] * 14}
    pq.write_table(pa.table(rows), "p.parquet")
    (tmp_path / "classes.txt").write_text("ant\nbee\n")
    (tmp_path / "bee/2.png").write_bytes(b"")
    printed = run(*EXPORT)
    assert "12 of 13 disagreements\n1 images cannot be read and count as wrong" in printed
    assert "  bee/2.png: is empty (0 bytes)\n1 pages" in printed
    assert "bee/2.png" not in (tmp_path / "out/rating-001.html").read_text()
    vote = {"image_id": "bee/3.png", "class": 0, "answer": "yes"}
    fingerprint = json.loads((tmp_path / "out/questions.json").read_text())["fingerprint"]
    (tmp_path / "r.json").write_text(json.dumps({"fingerprint": fingerprint, "rater": "A", "votes": [vote]}))
    assert "rectified top-1  92.86%" in run("merge", "out", "r.json")  # 13 of 14: all but the one that is empty

    for name in wrong[:11]:
        (tmp_path / name).write_bytes(b"GIF89a")
    assert run(*EXPORT).startswith("UserError: 11 of 13 images to be rated cannot be read, the last one bee/")


@pytest.fixture
def near(run, tmp_path):
    """A finished search for near-duplicates that has found one of each image."""
    pairs = [["ant/1.png", "bee/2.png"], ["x.png", "y.png"], [1, 0.9], ["pdq", "pdq"]]
    (tmp_path / "near").mkdir()
    for name in ("ant", "bee"):
        shutil.copytree(tmp_path / name, tmp_path / "val" / name)
    write_found(tmp_path / "near", Request("training", evaluation="val"), Found(pa.table(pairs, schema=SCHEMA), []))


def test_a_image_with_a_near_duplicate_counts_as_wrong(run, near, tmp_path):
    bound = ("bound", "near", "--predictions", "p.parquet")
    printed = run(*bound)
    assert "top-1 50.00% of 2 images\nat least 0.00%: the 2 with a near-duplicate" in printed
    (tmp_path / "judged.csv").write_text("query,match,verdict\nant/1.png,x.png,different\nbee/2.png,y.png,duplicate\n")
    assert "at least 50.00%: the 1 with a near-duplicate" in run(*bound, "--judged", "judged.csv")
    blank = Found(pa.table([[]] * 4, schema=SCHEMA), [Skipped("ant/1.png", "featureless", "one colour")])
    write_found(tmp_path / "near", Request("training", evaluation="val"), blank)
    assert "at least 0.00%: the 0 with a near-duplicate in training and the 1 that could not be compared" in run(*bound)
    write_found(tmp_path / "near", Request("training"), Found(pa.table([[]] * 4, schema=SCHEMA), []))
    assert "UserError: near compares training images with each other: a bound needs" in run(*bound)


def test_a_search_among_other_images_bounds_nothing(run, near, tmp_path):
    """Found without pairs, it would else vouch for any predictions."""
    nothing = Found(pa.table([[]] * 4, schema=SCHEMA), [])
    write_found(tmp_path / "near", Request("training", evaluation="ant"), nothing)
    printed = run("bound", "near", "--predictions", "p.parquet")
    assert printed.startswith("DuplicatesError: 2 of the 2 predicted images, the first is 'ant/1.png', are none")
    assert "none of the 1 in ant that were searched for" in printed


def test_errors_are_one_line(run, tmp_path):
    (tmp_path / "classes.txt").write_text("bee\nant\n")
    assert run(*EXPORT).startswith("UserError: the predictions are of another data set: ant/1.png has the labels [0]")
    (tmp_path / "names.tsv").write_text("ant\tAnt\n")
    assert "names.tsv has no line 'folder, tab, name' for 1 classes: ['bee']" in run(*EXPORT, "--names", "names.tsv")
    assert "ReaL labels are for ImageNet's" in run("real", "p.parquet")
    assert "expected the folder of a finished search" in run("bound", "out", "--predictions", "p.parquet")
