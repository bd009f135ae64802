"""The command that finds near-duplicates."""

import json
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image, ImageOps

from igdet.cli.find_duplicates import main
from igdet.curation.shards.id_list import IdList


def scene(seed: int) -> Image.Image:
    cells = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    return Image.fromarray(cells).resize((96, 72), Image.Resampling.BICUBIC)


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command in the temporary folder; gives what it prints, or the error that it ends with."""
    monkeypatch.chdir(tmp_path)

    def start(*arguments):
        monkeypatch.setattr("sys.argv", ["find_duplicates.py", *arguments])
        with suppress(SystemExit):
            main()
        printed = capsys.readouterr()
        return printed.err or printed.out

    return start


@pytest.fixture
def folders(tmp_path):
    """Evaluation images a and b; the training images hold mirrored copies of both, and another image."""
    images = {
        "evaluation": {"a.png": scene(0), "b.png": scene(1)},
        "training": {"a2.png": ImageOps.mirror(scene(0)), "b2.png": ImageOps.mirror(scene(1)), "c.png": scene(2)},
    }
    for folder, named in images.items():
        (tmp_path / folder).mkdir()
        for name, image in named.items():
            image.save(tmp_path / folder / name)


def test_from_images_to_shards(run, folders, tmp_path):
    printed = run("find", "out", "--training", "training", "--evaluation", "evaluation")
    assert "PDQ: 3 of 3 images, 0 skipped" in printed
    assert "2 pairs in out, 0 images skipped\nNext: python tools/find_duplicates.py judge out" in printed

    assert "1 of 2 pairs on 1 pages" in run("judge", "out", "--pairs", "1")
    assert "2 of 2 pairs on 1 pages" in run("judge", "out")
    assert (tmp_path / "out/judging-001.html").is_file()

    (tmp_path / "judged.csv").write_text("query,match,verdict\na.png,a2.png,duplicate\nb.png,b2.png,different\n")
    assert "1 training images to leave out: out/excluded.csv" in run("exclude", "out", "--judged", "judged.csv")
    excluded = IdList.read(tmp_path / "out/excluded.csv")
    assert [excluded.has_post(name, "") for name in ("a2.png", "b2.png", "c.png")] == [True, False, False]


def test_within_the_training_images_one_of_each_group_stays(run, folders, tmp_path):
    scene(2).resize((48, 36)).save(tmp_path / "training/d.png")
    assert "1 pairs" in run("find", "out", "--training", "training")
    assert "1 training images to leave out" in run("exclude", "out")
    assert (tmp_path / "out/excluded.csv").read_text() == "id\nd.png\n"


def test_skipped_images_are_counted_and_said_to_be_compared_with_nothing(run, folders, tmp_path):
    Image.new("RGB", (96, 72), "grey").save(tmp_path / "evaluation/flat.png")
    printed = run("find", "out", "--training", "training", "--evaluation", "evaluation")
    assert "PDQ: 3 of 3 images, 1 skipped" in printed
    assert (
        "2 pairs in out, 1 images skipped\n"
        "Those were compared with nothing; out/skipped.csv names them and says why\nNext: " in printed
    )
    assert "flat.png,featureless," in (tmp_path / "out/skipped.csv").read_text()


def test_without_pairs_there_is_nothing_to_judge(run, folders, tmp_path):
    run("find", "out", "--training", "training", "--evaluation", "evaluation")
    run("judge", "out")
    for name in ("a2.png", "b2.png"):
        (tmp_path / "training" / name).unlink()
    printed = run("find", "out", "--training", "training", "--evaluation", "evaluation")
    assert printed.endswith("0 pairs in out, 0 images skipped\n")
    assert run("judge", "out") == "out lists no pairs: there is nothing to judge\n"
    assert not list(tmp_path.glob("out/judging-*.html"))  # those of the earlier search


def test_what_was_asked_is_written_down(run, folders, tmp_path):
    run("find", "out", "--training", "training", "--max-distance", "10", "--min-score", "0.99")
    request = json.loads((tmp_path / "out/find.json").read_text())
    assert (request["training"], request["max_distance"], request["min_score"]) == ("training", 10, 0.99)


def test_the_plan_for_ten_million_images(run):
    lines = run("plan", "10_000_000", "2048").splitlines()
    assert lines[0] == "10,000,000 images, 2,048 channels: faiss index PCAR256,IVF16384,PQ64np, 256 numbers each"
    sizes = {name.strip(): float(size.split()[0]) for name, size in (line.rsplit("  ", 1) for line in lines[1:])}
    assert sizes["PDQ: memory, within the set"] == 3.6  # 10^7 x 9 x (32 + 8) bytes
    assert sizes["R-MAC: disk, features"] == 40.96  # 10^7 x 2,048 x 2 bytes
    assert sizes["R-MAC: memory, at most"] == 9.01


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["find", "out", "--training", "none"], "DuplicatesError: none: expected shards"),
        (["find", "out", "--training", "training", "--method", "rmac"], "UserError: --method rmac needs a network"),
        (["plan", "0", "2048"], "UserError: 0 images, 2048 channels: expected 1 or more of both"),
        (["judge", "out", "--pairs", "0"], "UserError: 0 pairs to judge: expected 1 or more"),
        (["find", "out", "--training", "training", "--processes", "0"], "DuplicatesError: processes is 0; expected 1"),
        (["judge", "out"], "DuplicatesError: out/find.json: expected the folder of a finished search"),
    ],
)
def test_errors_are_one_line(run, folders, arguments, message):
    error = run(*arguments)
    assert error.startswith(message)
    assert error.count("\n") == 1
