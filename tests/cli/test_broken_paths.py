"""Every tool on paths that are missing, of the wrong kind or below a file: one line and status 2, no traceback."""

import os
import runpy
import sys
from pathlib import Path

import pytest
from PIL import Image

TOOLS = Path(__file__).resolve().parents[2] / "tools"
MISSING, FOLDER, BELOW = "nowhere/x.json", "folder", "file.txt/below"
CONFIG = ("train_net", "probe", "visualize_data")

COMMANDS = [
    *(f"{tool} --config-file {path}" for tool in CONFIG for path in (MISSING, FOLDER, BELOW)),
    *(f"analyze_detections {path} {path}" for path in (MISSING, FOLDER, BELOW)),
    *(f"evaluate_coco {path} {path}" for path in (MISSING, FOLDER, BELOW)),
    *(f"cut_minival {path} --never --out {BELOW}" for path in (MISSING, FOLDER, BELOW)),
    *(f"benchmark {action} {path}" for action in ("run", "status", "report") for path in (MISSING, FOLDER, BELOW)),
    *(f"curate {action} {path}" for action in ("run", "status", "report") for path in (MISSING, FOLDER, BELOW)),
    *(f"curate list {path}" for path in (MISSING, BELOW)),
    *(f"check_configs {path}" for path in (MISSING, FOLDER, BELOW, "file.txt")),
    *(f"check_dataset {path}" for path in (MISSING, BELOW, "config.yaml/", "nowhere.yaml")),
    *(f"build_lexicon --wordnet {path} --out out" for path in (MISSING, FOLDER, BELOW)),
    *(f"find_duplicates find out --training {path}" for path in (MISSING, FOLDER, BELOW)),
    *(f"find_duplicates judge {path}" for path in (MISSING, FOLDER, BELOW)),
    *(f"find_duplicates exclude {path} --judged {path}" for path in (MISSING, FOLDER, BELOW)),
    *(f"list_largest_classes {path} --count 1 --first= --out out.txt" for path in (MISSING, FOLDER, BELOW)),
    f"list_largest_classes images --count 1 --first= --out {BELOW}/x.txt",
    "list_largest_classes images --count 1 --first= --out folder",
    f"make_world --size tiny --out {BELOW}",
    *(f"match_label_space --labels {p} --posts {p} --targets {p} --out out" for p in (MISSING, FOLDER, BELOW)),
    *(f"rate_predictions export out --predictions {p} --images images" for p in (MISSING, FOLDER, BELOW)),
    *(f"rate_predictions merge {path} {path}" for path in (MISSING, FOLDER, BELOW)),
    *(f"rate_predictions real {path}" for path in (MISSING, FOLDER, BELOW)),
    *(f"rate_predictions bound {path} --predictions {path}" for path in (MISSING, FOLDER, BELOW)),
    *(f"study draw {path}" for path in (MISSING, FOLDER, BELOW)),
    *(f"simulate_hashtags --images {path} --out out.csv" for path in (MISSING, FOLDER, BELOW)),
    f"simulate_hashtags --images images --out {BELOW}/posts.csv",
    *(f"weights inspect {path}" for path in (MISSING, FOLDER, BELOW)),
    *(f"weights convert {path} out.pkl --to detectron2" for path in (MISSING, FOLDER, BELOW)),
    *(f"analyze_model X_50_32x4d --document {path}" for path in (MISSING, FOLDER, BELOW)),
    *(f"measure_distance --request {path}" for path in (MISSING, FOLDER, BELOW)),
    *(f"measure_distance --targets images --config-file {path}" for path in (MISSING, FOLDER, BELOW)),
    *(f"measure_style {path}" for path in (MISSING, FOLDER, BELOW)),
    *(f"tag tag --run {path} --images images --out out.parquet" for path in (MISSING, FOLDER, BELOW)),
    *(f"tag tag --run folder --images {path} --out out.parquet" for path in (MISSING, FOLDER, BELOW)),
    *(f"tag calibrate --config-file {path}" for path in (MISSING, FOLDER, BELOW)),
    *(f"tag zero-shot --run folder --target {path} --out out" for path in (MISSING, FOLDER, BELOW)),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_broken_path_is_one_line(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / FOLDER).mkdir()
    (tmp_path / "file.txt").write_text("no table")
    (tmp_path / "images/cat").mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(tmp_path / "images/cat/0.png")
    tool, *arguments = command.split()
    monkeypatch.setattr(sys, "argv", [tool, *arguments])
    monkeypatch.setattr(os, "_exit", sys.exit)
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(TOOLS / f"{tool}.py"), run_name="__main__")
    err = capsys.readouterr().err
    assert end.value.code == 2
    assert "Traceback" not in err and ": " in err.splitlines()[-1]


def test_every_tool_is_tried():
    """Others take no path, install igdet, submit it to a cluster, or are about damaged files themselves."""
    tried = {command.split()[0] for command in COMMANDS}
    others = {"write_tables", "submit", "install_detectron2", "setup_environment", "pip_errors", "detectron2_rewrites"}
    others |= {"check_environments", "docs_site", "draw_demo", "fuzz_readers"}
    assert {path.stem for path in TOOLS.glob("*.py")} == tried | others
