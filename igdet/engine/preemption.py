"""Stopping in time: a run that is asked to end writes a checkpoint first."""

import logging
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

import torch
from detectron2.engine import HookBase
from detectron2.utils import comm

from igdet.data.workers import STOP_SIGNALS

logger = logging.getLogger(__name__)


class StopOnRequest(HookBase):
    """Ends a training after the step in which any rank was asked to stop, with a checkpoint and status 128 + signal.

    SIGTERM gives 143, SIGINT (Ctrl-C) 130, SIGHUP (a closed terminal) 129; one that nohup or a shell had ignored stays
    ignored. The same signal once more ends the process at once.

    Args:
        check: raises an error where the weights should not be saved.
    """

    def __init__(self, check: Callable[[], None]):
        self._check = check
        self._asked = 0  # the signal's number
        self._earlier: dict[int, Any] = {}

    def before_train(self) -> None:
        for number in STOP_SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._earlier[number] = signal.signal(number, self._ask)

    def after_step(self) -> None:
        last = self.trainer.iter + 1 >= self.trainer.max_iter  # it ends by itself
        asked = 0 if last else self._agreed()
        if not asked:
            return
        self._check()
        name = f"model_{self.trainer.iter:07d}"
        self.trainer.checkpointer.save(name, iteration=self.trainer.iter)
        logger.warning(
            f"Stopped by {signal.Signals(asked).name} after iteration {self.trainer.iter}: "
            "go on with the same command and --resume"
        )
        raise SystemExit(128 + asked)

    def after_train(self) -> None:
        for number, earlier in self._earlier.items():
            signal.signal(number, earlier)

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        self._asked = number
        signal.signal(number, self._earlier[number])
        logger.warning(f"{signal.Signals(number).name}: this step is brought to its end, then a checkpoint is written")

    def _agreed(self) -> int:
        """The signal that any rank got, on all ranks at the same iteration, or 0; no GPU is waited for."""
        if comm.get_world_size() == 1:
            return self._asked
        asked = torch.tensor(self._asked, dtype=torch.int32)
        torch.distributed.all_reduce(asked, torch.distributed.ReduceOp.MAX, comm._get_global_gloo_group())
        return int(asked)
