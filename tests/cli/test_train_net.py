"""tools/train_net.py as a process: a run from the command line, and one clear line for what cannot run."""

import json
from itertools import chain

import pytest
from detectron2.engine import default_argument_parser
from python_process import fresh_python

from igdet.cli import train_net

LEARNING = {
    "SOLVER.IMS_PER_BATCH": "8",
    "SOLVER.IMAGES_SEEN": "320",
    "SOLVER.BASE_LR": "0.02",
    "SOLVER.LR_DROPS": "2",
    "SEED": "1",
}


def test_it_learns_to_tell_colours_apart(repository, colour_config, tmp_path):
    command = ["tools/train_net.py", "--config-file", colour_config, *chain.from_iterable(LEARNING.items())]
    process = fresh_python(*command, cwd=repository)
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
def test_what_cannot_run_is_one_clear_line(colour_config, tmp_path, capsys, override, message):
    with pytest.raises(SystemExit, match="2"):
        train_net.train(default_argument_parser().parse_args(["--config-file", str(colour_config), *override]))
    assert capsys.readouterr().err.startswith(message)
    assert not (tmp_path / "run").exists()
