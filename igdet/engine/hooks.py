"""Hooks of igdet's training: images seen, finite weights, lost foreground, written history, and the run's record."""

import json
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from detectron2.engine import HookBase
from detectron2.utils import comm
from detectron2.utils.events import EventWriter, get_event_storage

from igdet.checkpoint.sharded import local_part
from igdet.engine.results import utc_now
from igdet.utils.files import atomic_write, read_json_lines

logger = logging.getLogger(__name__)
# Steps in a row that take every object for background, after which a detector is lost: where in most of them no
# proposal met an object either, and where some did. Measured on 2,061 photos of animals, slim Mask R-CNN from scratch,
# batches of 8: at a rate of 0.06 all foreground is lost after 27 steps, and no proposal met any in 68 of the next 100,
# in 214 of the next 250; at 0.007 and 0.02, which learn, so begin 78 and 35 steps, 5 and 2 of them without a meeting.
PATIENCE, LONG_PATIENCE = 100, 500
# Objects are added to the proposals, so that some foreground is always sampled. Where nothing else is, its boxes are
# right as they are, and this loss is 1e-4 to 5e-3; with a proposal or two that meet an object it is 0.1.
BARELY = 0.01


def forget_metrics(path: Path, first_iter: int) -> None:
    """Leave out of a metrics.json what belongs to iterations that come again, and a line that a kill has cut short.

    Args:
        path: a file of one JSON object a line, with its "iteration"; it may be missing.
        first_iter: the iteration at which the run goes on.
    """
    if not path.is_file():
        return
    kept = [line for line in read_json_lines(path) if line["iteration"] < first_iter]
    with atomic_write(path, "w") as file:
        file.writelines(json.dumps(line, sort_keys=True) + "\n" for line in kept)


class StartedLate(EventWriter):
    """A writer that opens its files when it first writes: by then it is known where the run goes on.

    Args:
        make: makes the writer.
    """

    def __init__(self, make: Callable[[], EventWriter]):
        self._make = make
        self._writer: EventWriter | None = None

    def write(self) -> None:
        self._writer = self._writer or self._make()
        self._writer.write()

    def close(self) -> None:
        if self._writer:
            self._writer.close()


class LostForeground(HookBase):
    """Says once in the log when a detector is lost; the training goes on, for its end is a result like others.

    Args:
        settings: of the run, as the remedy names them.

    Attributes:
        since: the iteration from which on no object was found; None: the detector finds some, or has not had the time.
    """

    def __init__(self, settings: str):
        self._settings = settings
        self._missed = self._unmet = 0  # steps in a row without a find, and those among them without a meeting
        self.since: int | None = None

    def after_step(self) -> None:
        if not comm.is_main_process():
            return  # it alone has the losses
        now = self.trainer.storage.latest().items()
        self._count({name: value for name, (value, iteration) in now if iteration == self.trainer.iter})
        is_lost = self._missed >= (PATIENCE if 2 * self._unmet >= self._missed else LONG_PATIENCE)
        if is_lost and self.since is None:
            self.since = self.trainer.iter + 1 - self._missed
            self._warn()
        elif self.since is not None and not self._missed:
            self.since = None
            logger.warning(f"The detector finds objects again, from iteration {self.trainer.iter} on")

    def _count(self, scalars: Mapping[str, float]) -> None:
        """Look at the scalars of one step, by the names that Detectron2's box heads log, a cascade's included."""
        missed = [value for name, value in scalars.items() if name.endswith("fast_rcnn/false_negative")]
        if not missed:
            return  # no foreground was sampled, as in images without objects
        if min(missed) < 1:
            self._missed = self._unmet = 0
            return
        offsets = sum(value for name, value in scalars.items() if name.startswith("loss_box_reg"))
        self._missed += 1
        self._unmet += offsets < BARELY

    def _warn(self) -> None:
        logger.warning(
            f"The detector has lost all foreground: in iterations {self.since} to {self.trainer.iter} it took every "
            f"object for background, and in {self._unmet} of these {self._missed} no proposal met one. It rarely "
            "recovers, and an AP of 0 is likely: stop it, and start again with a lower SOLVER.BASE_LR or a longer "
            f"warm-up ({self._settings})"
        )

    def state_dict(self) -> dict:
        return {"missed": self._missed, "unmet": self._unmet, "since": self.since}

    def load_state_dict(self, state: dict) -> None:
        self._missed, self._unmet, self.since = state["missed"], state["unmet"], state["since"]


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
