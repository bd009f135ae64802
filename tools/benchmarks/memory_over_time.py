"""Trains a config for many short steps, evaluations and checkpoints, and tells whether memory and open files grow.

  python tools/make_world.py --out runs/world --size demo --seed 0
  python tools/benchmarks/memory_over_time.py --config-file configs/quick_schedules/finetune_world.yaml \\
    OUTPUT_DIR runs/memory MODEL.WEIGHTS "''"

Counted are this process and its loaders. The first quarter, in which caches and memory pools fill, does not count.
"""

import argparse
import multiprocessing
import os
import sys
from pathlib import Path

import numpy as np
from detectron2.engine import HookBase
from record import report, table

from igdet.engine import Trainer
from igdet.engine.setup import setup

SAMPLES = 40  # over the whole run
FLAT = 5.0  # MB in 1,000 steps, 5 kB a step: a tenth of one 64 x 64 image in float32 (49 kB) that is not let go


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config-file", required=True)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--evaluations", type=int, default=20)
    parser.add_argument("opts", nargs=argparse.REMAINDER, help="KEY VALUE overrides of the config")
    return parser.parse_args()


class Watch(HookBase):
    """Notes memory and open files now and then.

    Args:
        period: iterations between two notes.

    Attributes:
        rows: (iteration, MB of this process, MB of its loaders, open files).
    """

    def __init__(self, period: int):
        self._period = period
        self.rows: list[tuple[int, float, float, int]] = []

    def after_step(self) -> None:
        if (self.trainer.iter + 1) % self._period == 0:
            loaders = sum(resident(child.pid) for child in multiprocessing.active_children())
            files = sum(1 for _ in Path("/proc/self/fd").iterdir())
            self.rows.append((self.trainer.iter + 1, resident(os.getpid()), loaders, files))


def resident(pid: int) -> float:
    """The memory that a process has resident, in MB (Linux)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def growth(rows: np.ndarray, column: int) -> float:
    """The growth of a column in 1,000 steps, from the most in the second quarter of the rows to the most in the last.

    Not a fitted slope: where memory is short, the system takes pages from a process and gives them back later.
    """
    quarter = len(rows) // 4
    second, last = rows[quarter : 2 * quarter], rows[-quarter:]
    return 1000 * float(last[:, column].max() - second[:, column].max()) / (last[-1, 0] - second[-1, 0])


def main(args: argparse.Namespace) -> bool:
    """Train, print and record the notes and the verdict; True: flat."""
    each = str(args.steps // args.evaluations)
    schedule = ["SOLVER.IMAGES_SEEN", "0", "SOLVER.WARMUP_IMAGES", "0", "SOLVER.LR_DROPS", "0", "SOLVER.STEPS", "()"]
    schedule += ["SOLVER.LR_REFERENCE_BATCH", "0", "SOLVER.WARMUP_ITERS", "0", "SOLVER.MAX_ITER", str(args.steps)]
    periods = ["TEST.EVAL_PERIOD", each, "SOLVER.CHECKPOINT_PERIOD", each]
    opts = [*schedule, *periods, *args.opts]
    trainer = Trainer(setup(argparse.Namespace(config_file=args.config_file, opts=opts, resume=False, eval_only=False)))
    trainer.resume_or_load(resume=False)
    watch = Watch(args.steps // SAMPLES)
    trainer.register_hooks([watch])
    trainer.train()
    own, loaders, files = (growth(np.array(watch.rows), column) for column in (1, 2, 3))
    flat = max(own, loaders) < FLAT and files <= 0
    verdict = "flat" if flat else "it grows"
    formats = [",d", ".1f", ".1f", "d"]
    report(
        "memory_over_time",
        notes=table(["step", "MB", "MB of loaders", "open files"], watch.rows, formats),
        growth=table(
            ["MB in 1,000 steps", "MB of loaders", "open files", ""], [(own, loaders, files, verdict)], ["+.2f"] * 4
        ),
    )
    return flat


if __name__ == "__main__":
    sys.exit(0 if main(parse_args()) else 1)
