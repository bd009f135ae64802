"""Starting a run's processes: Detectron2's `launch`, or a rank that torchrun, SLURM or another starter has begun."""

import argparse
import atexit
import os
import sys
from collections.abc import Callable, Mapping

import torch
from detectron2.engine import launch
from detectron2.engine.launch import DEFAULT_TIMEOUT
from detectron2.utils import comm
from torch import distributed
from torch.distributed.elastic.multiprocessing.errors import record
from torch.distributed.rendezvous import rendezvous
from torch.multiprocessing import ProcessExitedException

from igdet.utils.command_lines import command_line, program
from igdet.utils.errors import UserError

# What torchrun sets in each process that it starts, and tools/submit.py likewise.
RANK_VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


class LaunchError(UserError):
    """Processes cannot be started in the way that was asked for."""


def start(main: Callable[[argparse.Namespace], object], args: argparse.Namespace) -> None:
    """Run `main(args)` in every process of a run.

    Args:
        main: what one process does.
        args: the command line, as Detectron2's `default_argument_parser` returns it.

    Raises:
        LaunchError: the command line, the environment and this machine's GPUs contradict each other.
    """
    check_start(args, os.environ, torch.cuda.device_count())
    _join(main, args) if "RANK" in os.environ else _launch(main, args)


def check_start(args: argparse.Namespace, environment: Mapping[str, str], gpus: int) -> None:
    """Refuse a start that would fail later, or train other than meant.

    Args:
        args: as for `start`.
        environment: of this process.
        gpus: that PyTorch sees on this machine.

    Raises:
        LaunchError: naming what contradicts what, and how to fix it.
    """
    if "RANK" in environment:
        _check_rank(args, environment, gpus)
    elif int(environment.get("SLURM_STEP_NUM_TASKS", 1)) > 1:
        raise LaunchError(
            f"srun has started {environment['SLURM_STEP_NUM_TASKS']} copies of this command that know nothing of each "
            f"other: submit it with `{command_line('submit')}`, or let srun start one torchrun a node"
        )
    elif args.num_gpus > max(gpus, 1):
        raise LaunchError(
            f"--num-gpus {args.num_gpus}, but PyTorch sees {gpus} GPUs on this machine: lower it, or for processes "
            f"on the CPU use torchrun --nproc-per-node {args.num_gpus} {program('train_net')} ..."
        )


def _check_rank(args: argparse.Namespace, environment: Mapping[str, str], gpus: int) -> None:
    missing = [name for name in RANK_VARIABLES if name not in environment]
    if missing:
        raise LaunchError(f"RANK is set, but not {', '.join(missing)}: unset RANK, or start with torchrun")
    if (args.num_gpus, args.num_machines) != (1, 1):
        raise LaunchError("torchrun or SLURM has started the processes: leave --num-gpus and --num-machines out")
    local = int(environment["LOCAL_WORLD_SIZE"])
    if 0 < gpus < local:
        raise LaunchError(f"{local} processes on this machine, but PyTorch sees {gpus} GPUs: one process a GPU")
    if int(environment.get("TORCHELASTIC_MAX_RESTARTS", 0)) and not (args.resume or args.eval_only):
        raise LaunchError(
            "torchrun --max-restarts starts this command again when a process fails, and the training would begin "
            "again: add --resume (where there is no checkpoint yet, it starts from the beginning)"
        )


def _launch(main: Callable, args: argparse.Namespace) -> None:
    try:
        launch(main, args.num_gpus, args.num_machines, args.machine_rank, args.dist_url, (args,))
    except ProcessExitedException as error:  # a process that ended by itself has said why, in one line
        if error.exit_code <= 0:  # a signal
            raise
        sys.exit(error.exit_code)


@record  # torchrun's summary of a failure then shows the error of the rank that failed first
def _join(main: Callable, args: argparse.Namespace) -> None:
    has_gpu = torch.cuda.is_available()
    if has_gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    store, rank, world_size = next(rendezvous("env://", timeout=DEFAULT_TIMEOUT))
    # torchrun keeps its store over restarts: without a name of its own, an attempt finds addresses of the one before.
    store = distributed.PrefixStore(f"attempt {os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)}", store)
    backend = "nccl" if has_gpu else "gloo"
    distributed.init_process_group(backend, store=store, rank=rank, world_size=world_size, timeout=DEFAULT_TIMEOUT)
    # What Detectron2's launch does for its own processes; 0.6 has no function for it.
    comm._LOCAL_PROCESS_GROUP, _ = distributed.new_subgroups(int(os.environ["LOCAL_WORLD_SIZE"]))
    comm.synchronize()
    main(args)
    distributed.destroy_process_group()
    _leave()


def _leave() -> None:
    """End this rank without taking the interpreter down.

    Threads of gloo outlive their group; one that still drops a tensor while the interpreter ends aborts the process
    (github.com/pytorch/pytorch/pull/179291), and a finished run would count as failed.
    """
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
