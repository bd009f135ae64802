"""Jobs on this machine in the place of a cluster: a training by two tasks, and one that is preempted."""

import argparse
import json
import os
import signal
import subprocess
import threading
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from igdet.engine import submission
from igdet.engine.submission import SubmissionError, describe, submit

pytest.importorskip("submitit")

# Stands in for a long training: it stops at SIGTERM, as one does that writes a checkpoint first.
TRAINING = """
import os, pathlib, signal, sys
rank = "{RANK}_of_{WORLD_SIZE}".format(**os.environ)
mark = lambda what: pathlib.Path(f"{what}_{rank}").write_text(" ".join(sys.argv[1:]))
if "--resume" in sys.argv:
    mark("resumed")
else:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # kept for sigwait, should it come before that
    mark("started")
    signal.sigwait({signal.SIGTERM})
    mark("saved")
"""


def job_arguments(folder, *arguments, on="local"):
    return argparse.Namespace(
        nodes=1,
        gpus_per_node=2,
        hours=1,
        partition="",
        requeues=3,
        logs=str(folder / "logs"),
        on=on,
        arguments=list(arguments),
    )


def finish(job):
    """Wait for the controller of a local job; the limit is for what hangs, not for a machine that is busy."""
    try:
        assert job._process.wait(timeout=600) == 0
    except subprocess.TimeoutExpired:
        job.cancel()
        pytest.fail("\n".join(log.read_text() for log in sorted(job.paths.folder.glob("*_log.*"))))


def wait_for(*paths):
    """Wait until the job's processes have written these files."""
    for _ in range(6000):
        if all(path.exists() for path in paths):
            return
        threading.Event().wait(0.1)
    raise AssertionError(f"not written: {paths}")


def test_two_tasks_train_together_from_any_folder(colour_config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    args = job_arguments(tmp_path, "--config-file", str(colour_config))
    job = submit(args)
    finish(job)
    assert job.exception() is None
    assert json.loads((tmp_path / "run/results.json").read_text())["images_seen"] == 24
    assert (tmp_path / "run/log.txt.rank1").is_file()
    text = describe(job, args)
    assert f"Job {job.job_id}: 1 x 2 processes for up to 1 hours" in text
    assert f"python -m igdet.cli.train_net --config-file {colour_config}" in text
    assert "images/s" in (tmp_path / f"logs/{job.job_id}_0_log.out").read_text()


def test_a_preempted_job_saves_goes_back_in_the_queue_and_resumes(tmp_path, monkeypatch):
    (tmp_path / "training.py").write_text(TRAINING)
    monkeypatch.chdir(tmp_path)
    program = [str(tmp_path / "training.py")]
    monkeypatch.setattr(submission.TrainingJob.__init__, "__defaults__", (program,))  # the job's process gets a copy
    job = submit(job_arguments(tmp_path, "--config-file", "a.yaml"))
    marks = lambda what: [tmp_path / f"{what}_{rank}_of_2" for rank in (0, 1)]  # noqa: E731
    wait_for(*marks("started"))
    for task in Path(f"/proc/{job.job_id}/task/{job.job_id}/children").read_text().split():
        os.kill(int(task), signal.SIGUSR2)  # the cluster's warning
    finish(job)
    assert all(path.exists() for path in marks("saved"))
    assert [path.read_text() for path in marks("resumed")] == ["--resume --config-file a.yaml"] * 2


def test_a_warning_while_the_training_starts_is_passed_on(monkeypatch):
    class Starting:
        """The training's process; the cluster gives warning before it is there."""

        args, returncode, terminated = "training", None, 0

        def __init__(self, command):
            os.kill(os.getpid(), signal.SIGUSR2)

        def terminate(self):
            Starting.terminated += 1
            self.returncode = -signal.SIGTERM

        def poll(self):
            return self.returncode

        wait = poll

    requeued, cluster = [], MagicMock(job_id="7", _usr_sig=lambda: signal.SIGUSR2)
    monkeypatch.setattr(submission.submitit.helpers, "TorchDistributedEnvironment", MagicMock())
    monkeypatch.setattr(submission.submitit, "JobEnvironment", lambda: cluster)
    monkeypatch.setattr(submission.subprocess, "Popen", Starting)
    before = signal.signal(signal.SIGUSR2, lambda number, frame: requeued.append(number))
    try:
        submission.TrainingJob([])()
    finally:
        signal.signal(signal.SIGUSR2, before)
    assert Starting.terminated == len(requeued) == 1


def test_a_warning_before_the_training_puts_the_job_back_in_the_queue():
    assert submission.TrainingJob(["--config-file", "a.yaml"]).checkpoint().function.arguments[0] == "--resume"


def test_without_a_cluster_the_message_tells_what_can_be_done(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SubmissionError, match="add --on local"):
        submit(job_arguments(tmp_path, "--config-file", "a.yaml", on="slurm"))


def test_slurm_is_asked_for_what_was_said(tmp_path, monkeypatch):
    """A stand-in for sbatch keeps the script that it is given."""
    for name, script in {"srun": "", "sbatch": f'cp "$1" {tmp_path}/script\necho "Submitted batch job 12"'}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    args = job_arguments(tmp_path, "--config-file", "a.yaml", on="slurm")
    args.nodes, args.gpus_per_node, args.partition = 4, 8, "night"
    job = submit(args)
    script = (tmp_path / "script").read_text()
    for flag in ("nodes=4", "ntasks-per-node=8", "gpus-per-node=8", "partition=night", "time=60", "signal=USR2@120"):
        assert f"#SBATCH --{flag}\n" in script
    assert "--kill-on-bad-exit=1" in script
    assert "scancel 12" in describe(job, args)
