"""Averages that a model is evaluated with: precise batch statistics, the same on all ranks, and averaged weights."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from detectron2.engine import HookBase
from detectron2.engine.hooks import PreciseBN
from detectron2.utils import comm
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from igdet.engine.batches import TrainBatches


class PreciseStatistics(PreciseBN):
    """Detectron2's precise batch norm, of the weights that are evaluated, over the same images every time.

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
    # One message for all layers: hundreds of small ones would each wait for the slowest rank. Variances are averaged
    # like means, without what the ranks' means differ by: they see images of one distribution.
    flat = torch.cat(statistics)
    distributed.all_reduce(flat)
    for stat, average in zip(statistics, flat.split([len(stat) for stat in statistics]), strict=True):
        stat.copy_(average / comm.get_world_size())


def _statistics(module: nn.Module) -> list[Tensor]:
    kept = (module.running_mean, module.running_var) if isinstance(module, _BatchNorm) else ()
    return [stat for stat in kept if stat is not None]  # None: a norm that always uses the batch's own


class WeightAverage(HookBase):
    """Keeps the average, and puts it in the place of the weights while they are evaluated or saved.

    With batch B and half-life H in images, after update t:

        decay = 0.5 ** (B / H), average += (weights - average) * (1 - decay) / (1 - decay ** t)

    so a change of batch size keeps the recipe, and by the correction of Adam (arXiv 1412.6980, section 3) the random
    weights of the start have no share. Statistics of batch normalisation are averaged with the weights they belong to;
    counters are not.

    A checkpoint's model is the average, which is what was evaluated and what a transfer should start from; the weights
    being trained lie in this hook's state, for a resumption.

    Args:
        half_life: H, in images, > 0.
        ims_per_batch: B, images a step over all ranks.
    """

    def __init__(self, half_life: float, ims_per_batch: int):
        self._decay = 0.5 ** (ims_per_batch / half_life)
        self._updates = 0
        self._average: dict[str, Tensor] = {}

    @torch.no_grad()
    def after_step(self) -> None:
        weights = self._weights()
        if not self._average:
            self._average = {name: weight.clone() for name, weight in weights.items()}
        self._updates += 1
        # At the first update the share is 1, and the average the weights themselves; later it falls to 1 - decay.
        share = (1 - self._decay) / (1 - self._decay**self._updates)
        torch._foreach_lerp_(list(self._average.values()), list(weights.values()), share)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the model hold the average meanwhile, and this hook the weights being trained."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def state_dict(self) -> dict:
        """What a checkpoint that is written `in_place` needs beside its model: the weights being trained."""
        return {"updates": self._updates, "weights": dict(self._average)}

    def load_state_dict(self, state: dict) -> None:
        """Take up an average; the model already holds it, as the checkpoint's model."""
        self._updates = state["updates"]
        self._average = {name: weight.clone() for name, weight in self._weights().items()}
        for name, weight in self._average.items():
            weight.copy_(state["weights"][name])
        self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for name, weight in self._weights().items() if self._average else ():
            kept = weight.clone()
            weight.copy_(self._average[name])
            self._average[name].copy_(kept)

    def _weights(self) -> dict[str, Tensor]:
        """Parameters and floating-point buffers of the model, which share its memory."""
        model = self.trainer.model
        if isinstance(model, DistributedDataParallel):
            model = model.module  # the names are the same with one rank and with many
        return {name: tensor for name, tensor in model.state_dict().items() if tensor.is_floating_point()}
