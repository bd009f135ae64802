"""The batch statistics that a model is evaluated and saved with: precise where asked for, and the same on all ranks."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from detectron2.engine import HookBase
from detectron2.engine.hooks import PreciseBN
from detectron2.utils import comm
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm

from igdet.engine.batches import TrainBatches


class PreciseStatistics(PreciseBN):
    """Detectron2's precise batch norm, of the weights that are evaluated, over the same pictures every time.

    Args:
        period: iterations between two computations; 0: at the end of the training only.
        model: in training mode.
        batches: training batches of their own, whose first `num_iter` are used.
        num_iter: number of batches.
        in_place: puts the weights that are evaluated into the model.
    """

    def __init__(
        self,
        period: int,
        model: nn.Module,
        batches: TrainBatches,
        num_iter: int,
        in_place: Callable[[], AbstractContextManager],
    ):
        super().__init__(period, model, batches, num_iter)
        self._in_place = in_place

    def update_stats(self) -> None:
        """Compute the statistics and put them into the model."""
        self._data_iter = None  # from the first batch again: a resumed run computes what the unbroken one would have
        with self._in_place(), _uncompiled():
            super().update_stats()


def _uncompiled() -> AbstractContextManager:
    """What fvcore changes in each layer for a few batches is not worth a compilation (torch before 2.6 makes it)."""
    return torch.compiler.set_stance("force_eager") if hasattr(torch.compiler, "set_stance") else nullcontext()


class SharedStatistics(HookBase):
    """Averages the running statistics over the ranks, each of which has seen other images, before they are used.

    Args:
        periods: iterations after which they are used, besides the end of the training; 0: never.
        in_place: puts the weights that are evaluated into the model; they have statistics of their own.
    """

    def __init__(self, periods: tuple[int, ...], in_place: Callable[[], AbstractContextManager] = nullcontext):
        self._periods = periods
        self._in_place = in_place

    def after_step(self) -> None:
        done = self.trainer.iter + 1
        if done == self.trainer.max_iter or any(period and done % period == 0 for period in self._periods):
            average_over_ranks(self.trainer.model)
            with self._in_place():
                average_over_ranks(self.trainer.model)


@torch.no_grad()
def average_over_ranks(model: nn.Module) -> None:
    """Replace the running means and variances of batch normalisation by their averages over all ranks, in place."""
    statistics = [stat for module in model.modules() for stat in _statistics(module)]
    if not statistics or comm.get_world_size() == 1:
        return
    flat = torch.cat(statistics)
    distributed.all_reduce(flat)
    for stat, average in zip(statistics, flat.split([len(stat) for stat in statistics]), strict=True):
        stat.copy_(average / comm.get_world_size())


def _statistics(module: nn.Module) -> list[Tensor]:
    return [module.running_mean, module.running_var] if isinstance(module, _BatchNorm) else []
