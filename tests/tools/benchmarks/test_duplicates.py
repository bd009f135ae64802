"""The measurement of near-duplicates on planted edits."""

import re

import numpy as np
import pyarrow as pa
import pytest
from benchmarks.duplicates import EDITS, at_precision, main, plant, report
from benchmarks.record import read_result
from PIL import Image

from igdet.curation.duplicates.image_sets import open_image_set
from igdet.curation.duplicates.scanning import decode

KEPT_BY_PDQ = {"mirrored", "JPEG 30", "half the size", "brighter by 40%"}


@pytest.fixture
def folder(tmp_path):
    for seed in range(12):
        cells = np.random.default_rng(seed).integers(30, 170, (9, 12, 3), dtype=np.uint8)
        Image.fromarray(cells).resize((120, 90), Image.Resampling.BICUBIC).save(tmp_path / f"{seed:02}.png")
    return tmp_path


def test_every_query_has_one_edit_of_each_kind_and_no_other_image_is_a_query(folder):
    evaluation, training = plant(open_image_set(folder), queries=3, others=100, seed=0)
    names = training.ids.to_pylist()
    assert names[: 3 * len(EDITS)] == [f"{kind}:{name}" for kind in EDITS for name in evaluation.ids.to_pylist()]
    assert sorted(names[3 * len(EDITS) :] + evaluation.ids.to_pylist()) == [f"{i:02}.png" for i in range(12)]


def test_edits_are_what_they_are_called(folder):
    evaluation, training = plant(open_image_set(folder), queries=1, others=1, seed=0)
    original = decode(evaluation.read(0), 512).astype(float)
    edits = {kind: decode(training.read(row), 512).astype(float) for row, kind in enumerate(EDITS)}
    area = 120 * 90
    for kind, share in {"crop to 90%": 0.9, "crop to 70%": 0.7, "crop to 50%": 0.5, "half the size": 0.25}.items():
        assert edits[kind].shape[0] * edits[kind].shape[1] == pytest.approx(share * area, rel=0.02)
    assert np.abs(edits["mirrored"][:, ::-1] - original).mean() < 5
    assert 0 < np.abs(edits["JPEG 30"] - original).mean() < 10
    assert edits["brighter by 40%"].mean() == pytest.approx(1.4 * original.mean(), rel=0.02)
    changed = np.abs(edits["text overlay"] - original).max(axis=(1, 2)) > 60
    assert 10 <= changed.sum() <= 15  # a bar of 90 / 7 rows
    assert decode(training.read(len(EDITS)), 512).shape == (90, 120, 3)  # the other image


def measure(folder, out, monkeypatch, capsys, *arguments):
    """Return the recall of each edit and the precision, as printed; the result file goes to a folder of its own."""
    monkeypatch.setattr("sys.argv", ["duplicates.py", str(folder), *arguments])
    monkeypatch.chdir(out)
    main()
    printed = capsys.readouterr().out
    return dict(re.findall(r"recall of (.+?) +(\S+%)$", printed, re.MULTILINE)), re.search(
        r"precision (\S+%)", printed
    )[1]


def test_a_small_measurement_of_pdq(folder, tmp_path_factory, monkeypatch, capsys):
    out = tmp_path_factory.mktemp("out")
    recalls, precision = measure(folder, out, monkeypatch, capsys, "--queries", "4")
    assert {kind for kind, recall in recalls.items() if recall == "100.0%"} >= KEPT_BY_PDQ
    assert recalls["crop to 50%"] == "0.0%"  # no perceptual hash survives it: that is what R-MAC is for
    assert precision == "100.0%"
    recorded = read_result(out / "runs/benchmarks/duplicates_pdq.json").tables["recall"]
    assert [f"{recall}%" for _, recall in recorded.rows] == [*recalls.values(), precision]


def test_pdq_on_real_images(real_data, tmp_path, monkeypatch, capsys):
    recalls, precision = measure(
        real_data / "tiny-imagenet/val", tmp_path, monkeypatch, capsys, "--queries=50", "--others=200"
    )
    assert all(float(recalls[kind].rstrip("%")) >= 90 for kind in KEPT_BY_PDQ)
    assert precision == "100.0%"


def test_errors_are_one_line(tmp_path, monkeypatch, capsys):
    with pytest.raises(SystemExit, match="2"):
        measure(tmp_path / "none", tmp_path, monkeypatch, capsys)
    assert re.fullmatch(r"DuplicatesError: .*none: expected shards.*\n", capsys.readouterr().err)


PAIRS = pa.table(
    {
        "query": ["a", "a", "b", "b"],
        "match": ["mirrored:a", "crop to 50%:a", "mirrored:a", "mirrored:b"],  # right, right, wrong, right
    }
)


@pytest.mark.parametrize(("precision", "kept"), [(1, 2), (0.75, 4), (0.7, 4), (0.9, 2)])
def test_the_list_is_cut_where_it_is_right_often_enough(precision, kept):
    assert len(at_precision(PAIRS, precision)) == kept


def test_a_list_that_begins_wrong_is_cut_to_nothing():
    assert len(at_precision(PAIRS.slice(2, 1), 0.5)) == 0


def test_recall_and_precision_are_counted_by_hand(capsys):
    report(PAIRS, queries=2, name="list")
    printed = " ".join(capsys.readouterr().out.split())
    assert "list: 4 pairs, precision 75.0%" in printed
    assert "recall of mirrored 100.0%" in printed
    assert "recall of crop to 50% 50.0%" in printed
    assert f"recall of all {3 / 2 / len(EDITS):.1%}" in printed
