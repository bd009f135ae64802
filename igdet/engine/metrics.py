"""What a step logs, averaged over micro-batches and ranks, and read from the device while it is busy with more."""

from collections.abc import Mapping

import torch
from detectron2.utils import comm
from torch import Tensor, distributed


class NonFiniteLoss(FloatingPointError):
    """A loss is infinite or not a number.

    Attributes:
        ranks: the processes whose share of the batch gave it.
    """

    def __init__(self, message: str, ranks: list[int]):
        super().__init__(message)
        self.ranks = ranks


class StepMetrics:
    """The scalars of one step.

    On a GPU, `send` only queues a copy behind the forward pass and `receive` waits for that copy, not for the backward
    pass that was queued after it: reading the losses costs no idle time of the device.

    Args:
        data_time: seconds that this rank waited for its batch.
    """

    def __init__(self, data_time: float):
        self._data_time = data_time
        self._sums: dict[str, Tensor] = {}

    def add(self, values: Mapping[str, Tensor]) -> None:
        """Add a micro-batch's scalars, each already divided by the number of micro-batches."""
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0) + value.detach().float()

    def send(self) -> None:
        """Gather all ranks' scalars and start their way to the CPU; called once, on all ranks."""
        values = torch.stack([*self._sums.values()])
        values = torch.cat([values, values.new_tensor([self._data_time])])
        rows = values.new_zeros(comm.get_world_size(), len(values))  # a row a rank
        rows[comm.get_rank()] = values
        if len(rows) > 1:
            distributed.all_reduce(rows)
        self._rows = rows.to("cpu", non_blocking=True)
        self._arrived = torch.cuda.Event() if rows.is_cuda else None
        if self._arrived:
            self._arrived.record()

    def receive(self) -> dict[str, float]:
        """Wait for the scalars.

        Returns:
            each averaged over ranks, and "data_time" of the rank that waited longest.

        Raises:
            NonFiniteLoss: on every rank, if one has a loss that is not finite.
        """
        if self._arrived:
            self._arrived.synchronize()
        *columns, data_times = self._rows.T
        means = {name: float(column.mean()) for name, column in zip(self._sums, columns, strict=True)}
        broken = (~self._rows.isfinite()).any(dim=1).nonzero().flatten().tolist()
        if broken:
            raise NonFiniteLoss(f"A loss is infinite or not a number: {means}", broken)
        return means | {"data_time": float(data_times.max())}
