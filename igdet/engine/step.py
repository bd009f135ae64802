"""One step of training: micro-batches, mixed precision, and what is logged of it without holding the device up."""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import reduce

import torch
from detectron2.config import CfgNode
from detectron2.engine import SimpleTrainer
from detectron2.utils import comm
from detectron2.utils.events import get_event_storage
from torch import Tensor, distributed, nn

AMP_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}  # by SOLVER.AMP.DTYPE


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
            Each averaged over ranks, and "data_time" of the rank that waited longest.

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


class TrainStep(SimpleTrainer):
    """Detectron2's step with the batch in parts and each part in the precision that was asked for.

    Outputs of the model with "loss" in their name are summed and minimised, others are logged beside them.

    Args:
        model: it may be wrapped for distributed training.
        data_loader: iterable of this rank's batches, lists of samples.
        optimizer: any.
        accumulate: n >= 1, a divisor of a batch's size: gradients are averaged over n micro-batches before each update.
        amp_dtype: of the autocast forward pass; None: everything in the weights' own precision. float16 scales the
            loss, so that small gradients survive.
    """

    def __init__(
        self,
        model: nn.Module,
        data_loader: Iterable[list[dict]],
        optimizer: torch.optim.Optimizer,
        accumulate: int = 1,
        amp_dtype: torch.dtype | None = None,
    ):
        super().__init__(model, data_loader, optimizer)
        self._accumulate = accumulate
        self._amp_dtype = amp_dtype
        self._device_type = next(model.parameters()).device.type
        self.scaler = torch.amp.GradScaler(self._device_type, enabled=amp_dtype == torch.float16)

    def run_step(self) -> None:
        """Draw a batch and take one step of the optimizer.

        Raises:
            NonFiniteLoss: on every rank, before the weights change.
        """
        start = time.perf_counter()
        batch = next(self._data_loader_iter)
        metrics = StepMetrics(time.perf_counter() - start)
        self.optimizer.zero_grad()
        parts = split(batch, self._accumulate)
        for number, part in enumerate(parts, start=1):
            with self._gradient_exchange(number == len(parts)):
                outputs = self._forward(part)
                loss = reduce(torch.add, (value for name, value in outputs.items() if "loss" in name))
                metrics.add({name: value / len(parts) for name, value in outputs.items()})
                if number == len(parts):
                    metrics.send()  # before the backward pass: they travel while it runs
                self.scaler.scale(loss / len(parts)).backward()
        self._log(metrics.receive())
        self.scaler.step(self.optimizer)
        self.scaler.update()

    def _forward(self, part: Sequence[dict]) -> Mapping[str, Tensor]:
        with torch.autocast(self._device_type, self._amp_dtype, enabled=self._amp_dtype is not None):
            return self.model(part)

    def _gradient_exchange(self, now: bool) -> AbstractContextManager:
        """DistributedDataParallel exchanges gradients once a step, with the last micro-batch."""
        return nullcontext() if now or not hasattr(self.model, "no_sync") else self.model.no_sync()

    def _log(self, metrics: Mapping[str, float]) -> None:
        if not comm.is_main_process():
            return
        losses = [value for name, value in metrics.items() if "loss" in name]
        storage = get_event_storage()
        storage.put_scalars(total_loss=sum(losses), **metrics)
        if self.scaler.is_enabled():
            storage.put_scalar("grad_scale", self.scaler.get_scale(), smoothing_hint=False)

    def state_dict(self) -> dict:
        """Iteration, optimizer and the scale of the loss."""
        return {**super().state_dict(), "grad_scaler": self.scaler.state_dict()}

    def load_state_dict(self, state_dict: dict) -> None:
        """The inverse of `state_dict`; a run that turns to float16 only now begins with the usual scale."""
        super().load_state_dict(state_dict)
        if self.scaler.is_enabled() and state_dict.get("grad_scaler"):
            self.scaler.load_state_dict(state_dict["grad_scaler"])


def build_step(
    cfg: CfgNode, model: nn.Module, data_loader: Iterable[list[dict]], optimizer: torch.optim.Optimizer
) -> TrainStep:
    """Build the step of a config, from SOLVER.ACCUMULATE and SOLVER.AMP."""
    amp = cfg.SOLVER.AMP
    dtype = AMP_DTYPES[amp.DTYPE] if amp.ENABLED else None
    return TrainStep(model, data_loader, optimizer, cfg.SOLVER.ACCUMULATE, dtype)


def split(batch: Sequence, parts: int) -> list[Sequence]:
    """Cut a batch into parts of equal size, in order.

    Raises:
        ValueError: its size is no multiple of their number.
    """
    size, left = divmod(len(batch), parts)
    if left or not size:
        raise ValueError(f"SOLVER.ACCUMULATE {parts} does not divide a batch of {len(batch)} images")
    return [batch[start : start + size] for start in range(0, len(batch), size)]
