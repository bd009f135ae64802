"""An exponential moving average of a run's weights, with a memory in images seen."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from detectron2.engine import HookBase
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel


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
