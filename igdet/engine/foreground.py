"""Noticing that a detector has lost all foreground: its losses are finite, small even, and its AP is 0."""

import logging
from collections.abc import Mapping

from detectron2.engine import HookBase
from detectron2.utils import comm

logger = logging.getLogger(__name__)

# Steps in a row that take every object for background, after which a detector is lost: where in most of them no
# proposal met an object either, and where some did. Measured on 2,061 photos of animals, slim Mask R-CNN from scratch,
# batches of 8: at a rate of 0.06 all foreground is lost after 27 steps, and no proposal met any in 68 of the next 100,
# in 214 of the next 250; at 0.007 and 0.02, which learn, so begin 78 and 35 steps, 5 and 2 of them without a meeting.
PATIENCE, LONG_PATIENCE = 100, 500

# Objects are added to the proposals, so that some foreground is always sampled. Where nothing else is, its boxes are
# right as they are, and this loss is 1e-4 to 5e-3; with a proposal or two that meet an object it is 0.1.
BARELY = 0.01


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
            return  # no foreground was sampled, as in pictures without objects
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
