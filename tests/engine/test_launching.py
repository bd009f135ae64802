"""torchrun, and starts that contradict themselves."""

import argparse
import json
import os

import pytest
from python_process import ON_CPU, forked_python, fresh_python
from torch.multiprocessing import ProcessExitedException

from igdet.engine import launching
from igdet.engine.launching import LaunchError, check_start

TORCHRUN = {"RANK": "0", "WORLD_SIZE": "8", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "4", "MASTER_ADDR": "a"}
TORCHRUN |= {"MASTER_PORT": "1"}


def arguments(**changes):
    return argparse.Namespace(**{"num_gpus": 1, "num_machines": 1, "resume": False, "eval_only": False} | changes)


@pytest.mark.parametrize(
    ("args", "environment", "gpus"),
    [
        (arguments(), {}, 0),
        (arguments(num_gpus=4), {}, 4),
        (arguments(), TORCHRUN, 0),
        (arguments(), TORCHRUN, 4),
        (arguments(resume=True), TORCHRUN | {"TORCHELASTIC_MAX_RESTARTS": "3"}, 4),
        (arguments(), TORCHRUN | {"SLURM_STEP_NUM_TASKS": "2"}, 4),  # srun starts a torchrun a node
    ],
)
def test_starts_that_can_go_ahead(args, environment, gpus):
    check_start(args, environment, gpus)


@pytest.mark.parametrize(
    ("args", "environment", "gpus", "message"),
    [
        (arguments(num_gpus=8), {}, 4, "--num-gpus 8, but PyTorch sees 4 GPUs"),
        (arguments(num_gpus=2), {}, 0, "torchrun --nproc-per-node 2 tools/train_net.py"),
        (arguments(num_gpus=2), TORCHRUN, 4, "leave --num-gpus and --num-machines out"),
        (arguments(), TORCHRUN, 2, "4 processes on this machine, but PyTorch sees 2 GPUs"),
        (arguments(), {"RANK": "0"}, 0, "RANK is set, but not WORLD_SIZE, LOCAL_RANK"),
        (arguments(), TORCHRUN | {"TORCHELASTIC_MAX_RESTARTS": "3"}, 4, "add --resume"),
        (arguments(), {"SLURM_STEP_NUM_TASKS": "16"}, 4, "srun has started 16 copies"),
    ],
)
def test_starts_that_contradict_themselves(args, environment, gpus, message):
    with pytest.raises(LaunchError, match=message):
        check_start(args, environment, gpus)


def torchrun(folder, *command, python=forked_python):
    """Start ranks, each a fresh interpreter, and see what comes of them."""
    command = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *command)
    return python(*command, cwd=folder, env={**os.environ, **ON_CPU})


def test_torchrun_trains_on_two_cpu_processes(colour_config, tmp_path):
    process = torchrun(tmp_path, "-m", "igdet.cli.train_net", "--config-file", colour_config, python=fresh_python)
    assert process.returncode == 0, process.stderr
    record = json.loads((tmp_path / "run/results.json").read_text())
    assert record["images_seen"] == 24
    assert "colours_val" in record["results"]
    assert (tmp_path / "run/log.txt.rank1").is_file()


LAST_WORDS = """
import argparse, atexit, os, pathlib
from igdet.engine.launching import start

atexit.register(lambda: pathlib.Path(f"left_{os.environ['LOCAL_RANK']}").touch())
start(lambda args: print("done\\n", end=""), argparse.Namespace(num_gpus=1, num_machines=1))
"""


def test_a_rank_ends_with_its_exit_functions_and_last_words(tmp_path):
    (tmp_path / "last_words.py").write_text(LAST_WORDS)
    process = torchrun(tmp_path, "last_words.py")
    assert process.returncode == 0, process.stderr
    assert process.stdout.count("done\n") == 2
    assert len(list(tmp_path.glob("left_*"))) == 2


KILLED_ONCE = """
import argparse, os, pathlib, signal
from detectron2.utils import comm
from igdet.engine.launching import start

def main(args):
    attempt = int(os.environ["TORCHELASTIC_RESTART_COUNT"])
    comm.synchronize()
    if attempt == 0 and comm.get_rank() == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    comm.synchronize()
    pathlib.Path(f"attempt_{attempt}_{comm.get_local_rank()}_of_{comm.get_local_size()}").touch()

start(main, argparse.Namespace(num_gpus=1, num_machines=1, resume=True, eval_only=False))
"""


def test_a_restart_finds_its_own_ranks_and_not_those_of_the_attempt_before(tmp_path):
    (tmp_path / "killed_once.py").write_text(KILLED_ONCE)
    process = torchrun(tmp_path, "--max-restarts", "1", "killed_once.py")
    assert process.returncode == 0, process.stderr
    assert {path.name for path in tmp_path.glob("attempt_*")} == {"attempt_1_0_of_2", "attempt_1_1_of_2"}


def test_a_process_that_has_said_why_it_ends_gives_its_status(monkeypatch):
    def launch(*_):
        raise ProcessExitedException("process 1 terminated with exit code 2", 1, 99, exit_code=2)

    monkeypatch.setattr(launching, "launch", launch)
    with pytest.raises(SystemExit) as end:
        launching._launch(print, arguments(machine_rank=0, dist_url="auto"))
    assert end.value.code == 2
