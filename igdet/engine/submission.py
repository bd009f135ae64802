"""Trainings as jobs of a SLURM cluster: a rank a GPU, put back in the queue when they are preempted."""

import argparse
import random
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import cast

from igdet.utils.errors import UserError

try:
    import submitit
except ImportError:  # an extra
    submitit = None

TRAIN_NET = "-m", "igdet.cli.train_net"
GRACE = 120  # seconds between the cluster's warning and the end of the job, in which a checkpoint is written
LOOK = 0.2  # seconds between two looks at the training
PORTS = 20_000, 32_767  # where the ranks of a job meet; from 32,768 on, Linux hands ports out to others by itself


class SubmissionError(UserError):
    """A job cannot be submitted from here."""


class TrainingJob:
    """What each task of a job does: it runs one rank of the training as a process.

    A process of its own, so that a warning of the cluster, which submitit gets as a signal, becomes the SIGTERM that
    every training understands.

    Args:
        arguments: of train_net.
        program: what Python runs with them.
    """

    def __init__(self, arguments: list[str], program: Sequence[str] = TRAIN_NET):
        self.arguments = arguments
        self.program = program
        self._process: subprocess.Popen | None = None

    def __call__(self) -> None:
        """Train to the end, or until the cluster gives warning.

        Raises:
            CalledProcessError: the training failed.
        """
        job = submitit.JobEnvironment()
        environment = submitit.helpers.TorchDistributedEnvironment()
        environment.master_port = random.Random(job.job_id).randint(*PORTS)
        environment.export(set_cuda_visible_devices=False, overwrite=True)
        warning = signal.Signals(job._usr_sig())
        requeue = signal.getsignal(warning)
        warned = []
        signal.signal(warning, lambda number, frame: warned.append(number))
        # The cluster signals all processes of the job: the training inherits the mask, and so hears of SIGTERM alone.
        signal.pthread_sigmask(signal.SIG_BLOCK, {warning})
        self._process = subprocess.Popen([sys.executable, *self.program, *self.arguments])
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {warning})
        while self._process.poll() is None:
            if warned:
                self._process.terminate()
                cast(Callable, requeue)(warning, None)  # on rank 0 it does not return
                self._process.wait()
            time.sleep(LOOK)
        if self._process.returncode and not warned:
            raise subprocess.CalledProcessError(self._process.returncode, self._process.args)

    def checkpoint(self) -> "submitit.helpers.DelayedSubmission":
        """Wait until the training has written its checkpoint; submitit calls it on rank 0, after a warning.

        Returns:
            The job that goes on from there.
        """
        if self._process is not None:  # else the warning came before the training
            self._process.wait()
        resume = [] if "--resume" in self.arguments else ["--resume"]
        return submitit.helpers.DelayedSubmission(TrainingJob([*resume, *self.arguments], self.program))


def submit(args: argparse.Namespace) -> "submitit.Job":
    """Put a training in the queue.

    Args:
        args: `nodes`, `gpus_per_node`, `hours`, `partition` ("" for the cluster's own), `requeues`, `logs` (a folder),
            `on` (a key of `CLUSTERS`) and `arguments` of train_net.

    Returns:
        The job.

    Raises:
        SubmissionError: submitit is missing, or there is no such cluster here.
    """
    if submitit is None:
        raise SubmissionError("submitit is missing: pip install 'igdet[slurm]'")
    try:
        executor = submitit.AutoExecutor(args.logs, cluster=args.on, slurm_max_num_timeout=args.requeues)
    except RuntimeError as error:
        raise SubmissionError(f"{error} To try a job out on this machine, add --on local") from error
    executor.update_parameters(
        name="igdet",
        nodes=args.nodes,
        tasks_per_node=args.gpus_per_node,
        timeout_min=round(60 * args.hours),
        **CLUSTERS[args.on](args),
    )
    return executor.submit(TrainingJob(args.arguments))


def describe(job: "submitit.Job", args: argparse.Namespace) -> str:
    """What a submitted job will do, for the person who has submitted it."""
    watch, cancel = COMMANDS[args.on]
    return (
        f"Job {job.job_id}: {args.nodes} x {args.gpus_per_node} processes for up to {args.hours:g} hours\n"
        f"  runs    {shlex.join(['python', *TRAIN_NET, *args.arguments])}\n"
        f"  logs    {args.logs}/{job.job_id}_<rank>_log.out and .err\n"
        f"  state   {watch.format(job=job.job_id)}\n"
        f"  cancel  {cancel.format(job=job.job_id)}\n"
        f"When the cluster preempts it or its time is up, it goes back in the queue and continues with --resume, "
        f"at most {args.requeues} times"
    )


def _on_slurm(args: argparse.Namespace) -> dict:
    # A rank that dies takes the others with it at once; the heartbeat is there for whole machines.
    settings = {"slurm_srun_args": ["--kill-on-bad-exit=1"], "slurm_signal_delay_s": GRACE}
    return (
        settings
        | {"gpus_per_node": args.gpus_per_node}
        | ({"slurm_partition": args.partition} if args.partition else {})
    )


def _on_this_machine(args: argparse.Namespace) -> dict:
    return {"gpus_per_node": 0}  # for trying out, on the CPU


CLUSTERS: dict[str, Callable[[argparse.Namespace], dict]] = {"slurm": _on_slurm, "local": _on_this_machine}
# Cluster -> how to look at a job, and how to end it.
COMMANDS = {"slurm": ("squeue --job {job}", "scancel {job}"), "local": ("ps {job}", "kill -INT {job}")}
