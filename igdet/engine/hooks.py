"""Hooks of igdet's training: images seen, finite weights, and the run's record at its end."""

import logging
import time
from collections.abc import Callable

import torch
from detectron2.engine import HookBase
from detectron2.utils import comm
from detectron2.utils.events import EventWriter, get_event_storage

from igdet.checkpoint.pieces import local_part
from igdet.engine.results import utc_now


class ImagesSeen(HookBase):
    """Counts images and training time, over all resumptions of a run, into the event storage.

    Args:
        ims_per_batch: images a step, over all ranks.
    """

    def __init__(self, ims_per_batch: int):
        self._batch = ims_per_batch
        self.started = utc_now()
        self._earlier_seconds = 0.0

    def before_train(self) -> None:
        self._resumed_at = time.perf_counter()

    def before_step(self) -> None:
        self._step_started = time.perf_counter()

    def after_step(self) -> None:
        storage, seconds = self.trainer.storage, time.perf_counter() - self._step_started
        # Without the warm-up of caches and compilers in the first steps, the median over the window is the honest rate.
        storage.put_scalar("images_per_second", self._batch / seconds)
        if "data_time" in storage.histories():  # on the main rank: of the rank that waited longest
            storage.put_scalar("data_share", storage.history("data_time").latest() / seconds)
        storage.put_scalar("images_seen", self.images_seen, smoothing_hint=False)

    def after_train(self) -> None:
        if self.trainer.iter >= self.trainer.max_iter:  # once more, beside the metrics of the last evaluation
            self.trainer.storage.put_scalar("images_seen", self.images_seen, smoothing_hint=False)

    @property
    def images_seen(self) -> int:
        """Images trained on so far, the current step's included."""
        return min(self.trainer.iter + 1, self.trainer.max_iter) * self._batch

    @property
    def seconds(self) -> float:
        """Wall time of the training so far, evaluation included, over all resumptions that came to a checkpoint."""
        return self._earlier_seconds + time.perf_counter() - self._resumed_at

    def state_dict(self) -> dict:
        return {"started": self.started, "seconds": self.seconds}

    def load_state_dict(self, state: dict) -> None:
        self.started, self._earlier_seconds = state["started"], state["seconds"]


class FiniteWeights(HookBase):
    """Stops a run before it would save weights that are not finite: they would become the last checkpoint.

    Args:
        period: iterations between checkpoints.
    """

    def __init__(self, period: int):
        self._period = period

    def after_step(self) -> None:
        done = self.trainer.iter + 1
        if done % self._period == 0 or done >= self.trainer.max_iter:
            self.check()

    def check(self) -> None:
        """Look at all weights; to be called by all ranks together.

        Raises:
            FloatingPointError: some are not finite.
        """
        weights = self.trainer.model.state_dict().items()
        broken = [name for name, weight in weights if not torch.isfinite(local_part(weight)).all()]
        # Ranks may hold different parts and statistics; they stop together.
        broken = list(dict.fromkeys(name for names in comm.all_gather(broken) for name in names))
        if broken:
            raise FloatingPointError(
                f"{len(broken)} weights are not finite after iteration {self.trainer.iter}, {broken[0]} among them; "
                "no checkpoint is written, the last good one is kept. A lower SOLVER.BASE_LR or gradient clipping "
                "(SOLVER.CLIP_GRADIENTS) usually helps"
            )


class AtTheEnd(HookBase):
    """Calls a function once when the training has come to its end, not when it broke.

    Args:
        function: what to do.
    """

    def __init__(self, function: Callable[[], None]):
        self._function = function

    def after_train(self) -> None:
        if self.trainer.iter >= self.trainer.max_iter:
            self._function()


class ThroughputPrinter(EventWriter):
    """Logs images seen, images per second and the share of waiting beside Detectron2's line of losses and ETA.

    Args:
        max_iter: iterations of the whole run.
        ims_per_batch: images an iteration.
    """

    def __init__(self, max_iter: int, ims_per_batch: int):
        self._max_iter = max_iter
        self._total = max_iter * ims_per_batch
        self._logger = logging.getLogger(__name__)

    def write(self) -> None:
        storage = get_event_storage()
        # Called once more after the last evaluation, and when the first step breaks: there is no rate to tell then.
        if storage.iter >= self._max_iter or "images_per_second" not in storage.histories():
            return
        seen = int(storage.history("images_seen").latest())
        rate = storage.history("images_per_second").median(20)
        waiting = storage.history("data_share").median(20)
        self._logger.info(
            f" images seen: {seen:,} of {self._total:,} ({seen / self._total:.0%})  images/s: {rate:.1f}  "
            f"waiting for data: {waiting:.0%}"
        )
