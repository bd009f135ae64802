"""Stopping in time: a run that is asked to end writes a checkpoint first."""

import logging
import signal
from collections.abc import Callable
from types import FrameType

import torch
from detectron2.engine import HookBase
from detectron2.utils import comm

logger = logging.getLogger(__name__)

# What SLURM, Kubernetes, spot instances and torchrun send to processes that have to go; they wait 30 s or so.
REQUEST = signal.SIGTERM


class StopOnRequest(HookBase):
    """Ends a training after the step in which SIGTERM came to any rank, with a checkpoint and status 143 (128 + 15).

    A second SIGTERM ends the process at once.

    Args:
        check: raises an error where the weights should not be saved.
    """

    def __init__(self, check: Callable[[], None]):
        self._check = check
        self._asked = False

    def before_train(self) -> None:
        self._earlier = signal.signal(REQUEST, self._ask)

    def after_step(self) -> None:
        last = self.trainer.iter + 1 >= self.trainer.max_iter  # it ends by itself
        if last or not self._agreed():
            return
        self._check()
        name = f"model_{self.trainer.iter:07d}"
        self.trainer.checkpointer.save(name, iteration=self.trainer.iter)
        logger.warning(
            f"Stopped by SIGTERM after iteration {self.trainer.iter}: go on with the same command and --resume"
        )
        raise SystemExit(128 + REQUEST)

    def after_train(self) -> None:
        signal.signal(REQUEST, self._earlier)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True
        signal.signal(REQUEST, self._earlier)
        logger.warning("SIGTERM: this step is brought to its end, then a checkpoint is written")

    def _agreed(self) -> bool:
        """Whether any rank was asked, on all ranks at the same iteration; no GPU is waited for."""
        if comm.get_world_size() == 1:
            return self._asked
        asked = torch.tensor(self._asked, dtype=torch.int32)
        torch.distributed.all_reduce(asked, torch.distributed.ReduceOp.MAX, comm._get_global_gloo_group())
        return bool(asked)
