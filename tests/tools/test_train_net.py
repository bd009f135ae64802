"""tools/train_net.py as a process: a run from the command line, and one clear line for what cannot run."""

import json
import subprocess
import sys

import pytest
from detectron2.engine import default_argument_parser

CONFIG = """
_BASE_: {repository}/configs/quick_schedules/Base-World-Classification.yaml
MODEL:
  BACKBONE: {{NAME: X_14_8x4d}}
  CLASSIFIER: {{NUM_CLASSES: 3}}
INPUT:
  CLASSIFICATION: {{TRAIN_CROP: 32, TEST_SHORT_SIDE: 32, TEST_CROP: 32}}
DATASETS:
  OWN:
    colours_train: {{KIND: image_folder, ROOT: {data}/train}}
    colours_val: {{KIND: image_folder, ROOT: {data}/val}}
  TRAIN: [colours_train]
  TEST: [colours_val]
SOLVER: {{IMS_PER_BATCH: 8, IMAGES_SEEN: 320, LR_DROPS: 2, BASE_LR: 0.02}}
OUTPUT_DIR: {output}
"""


@pytest.fixture
def config_file(repository, colour_folders, tmp_path):
    """A config that learns to tell three colours apart."""
    path = tmp_path / "colours.yaml"
    path.write_text(CONFIG.format(repository=repository, data=colour_folders, output=tmp_path / "run"))
    return path


def test_it_learns_to_tell_colours_apart(repository, config_file, tmp_path):
    command = [sys.executable, "tools/train_net.py", "--config-file", str(config_file)]
    process = subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=300)
    assert process.returncode == 0, process.stderr
    record = json.loads((tmp_path / "run/results.json").read_text())
    assert record["results"]["colours_val"]["classification"]["top1"] > 90
    assert "320 images: 40 iterations of 8" in process.stdout
    assert "images/s" in process.stdout
    assert "--eval-only MODEL.WEIGHTS" in process.stdout


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (("SOLVER.BASE_RL", "0.1"), "ConfigError: command line: unknown key 'SOLVER.BASE_RL'; did you mean"),
        (
            ("DATASETS.OWN.colours_val.ROOT", "absent"),
            "DatasetError: DATASETS.OWN.colours_val.ROOT: absent does not exist",
        ),
    ],
)
def test_what_cannot_run_is_one_clear_line(repository, config_file, tmp_path, monkeypatch, override, message):
    monkeypatch.syspath_prepend(repository / "tools")
    import train_net

    with pytest.raises(SystemExit) as stop:
        train_net.main(default_argument_parser().parse_args(["--config-file", str(config_file), *override]))
    assert str(stop.value).startswith(message)
    assert not (tmp_path / "run").exists()
