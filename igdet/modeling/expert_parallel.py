"""Expert parallelism: every rank keeps its share of the experts, and images travel to them and back.

Shapes: M images sent by this rank, R received, C channels, H x W positions, E experts, W ranks.
"""

from typing import Any, cast

import torch
from detectron2.utils import comm
from torch import Tensor, distributed, nn
from torch.distributed.nn.functional import all_to_all_single

from igdet.modeling.moe import Experts, mixture_blocks


class SplitExperts(Experts):
    """This rank's E / W experts, which work for all ranks. All ranks must run it, and its backward pass, together.

    Args:
        whole: all experts; parameters of those that stay are kept, not copied.
        group: of all ranks, for nothing but this: its calls never cross those of data parallelism.
    """

    def __init__(self, whole: Experts, group: distributed.ProcessGroup):
        nn.Module.__init__(self)
        self.group, self.num_experts = group, whole.num_experts
        mine = owned(whole.num_experts)
        self.here = nn.ModuleDict({str(number): whole.here[str(number)] for number in mine})
        # Each rank's loss is the mean over its own images; the sum of their gradients arrives here, but data
        # parallelism means their mean.
        for parameter in self.here.parameters():
            parameter.register_hook(lambda gradient: gradient / comm.get_world_size())

    def forward(self, images: Tensor, experts: Tensor) -> Tensor:
        """As of `Experts`, wherever the experts are."""
        world, mine = comm.get_world_size(), owned(self.num_experts)
        # Images come sorted by expert, and rank r owns the r-th stretch of experts: so they are sorted by rank, too,
        # and go out as they lie. First the counts travel, for the receivers must know how much comes.
        sent = torch.bincount(experts, minlength=self.num_experts).view(world, -1)  # rank x its experts
        received = torch.empty_like(sent)  # rank x my experts
        distributed.all_to_all_single(received, sent, group=self.group)
        out_sizes, in_sizes = received.sum(dim=1).tolist(), sent.sum(dim=1).tolist()
        arrived = self._exchange(images, out_sizes, in_sizes)  # (R, C, H, W)
        # What arrives is sorted by sender, then by expert; each expert wants its images from all senders together, and
        # the inverse of that sorting puts its outputs where the senders expect them.
        numbers = torch.arange(len(mine), device=images.device).repeat(world).repeat_interleave(received.flatten())
        order = numbers.argsort(stable=True)
        parts = arrived[order].split(received.sum(dim=0).tolist())
        outputs = torch.cat([self.here[str(number)](part) for number, part in zip(mine, parts, strict=True)])
        return self._exchange(outputs[order.argsort()], in_sizes, out_sizes)

    def _exchange(self, images: Tensor, out_sizes: list[int], in_sizes: list[int]) -> Tensor:
        output = images.new_empty(sum(out_sizes), *images.shape[1:])
        return all_to_all_single(output, images.contiguous(), out_sizes, in_sizes, group=self.group)


def owned(num_experts: int) -> range:
    """The numbers of this rank's experts."""
    each = num_experts // comm.get_world_size()
    return range(comm.get_rank() * each, (comm.get_rank() + 1) * each)


def split_experts(model: nn.Module) -> None:
    """Divide the experts of a model over the ranks, in place, before it is wrapped for data parallelism.

    All start from rank 0's weights. Every rank must call it; with one rank nothing happens.

    Args:
        model: the same on every rank but for its numbers.

    Raises:
        ValueError: the number of ranks does not divide a mixture's number of experts.
    """
    if comm.get_world_size() == 1:
        return
    group = cast(distributed.ProcessGroup, distributed.new_group())  # of all ranks, so that each is in it
    for block in mixture_blocks(model):
        if block.experts.num_experts % comm.get_world_size():
            raise ValueError(
                f"{block.experts.num_experts} experts cannot be divided equally over {comm.get_world_size()} "
                "processes: make their number a multiple"
            )
        for parameter in block.experts.parameters():
            distributed.broadcast(parameter.data, 0)
        block.experts = SplitExperts(block.experts, group)
    # What DistributedDataParallel reads to leave parameters to their owner.
    cast(Any, model)._ddp_params_and_buffers_to_ignore = _names_of_experts(model)


def whole_state_dict(model: nn.Module) -> dict[str, Tensor]:
    """Return the state_dict of the model with all experts in one process, theirs on the CPU. All ranks must call it.

    A model is filled from it before its experts are split, whatever the number of ranks then.

    Args:
        model: its experts split or not.
    """
    state = model.state_dict()
    mine = {name: state[name].cpu() for name in _names_of_experts(model)}
    return state | {name: tensor for share in comm.all_gather(mine) for name, tensor in share.items()}


def _names_of_experts(model: nn.Module) -> list[str]:
    """This rank's own parameters."""
    modules = [(name, module) for name, module in model.named_modules() if isinstance(module, SplitExperts)]
    return [f"{name}.{parameter}" for name, module in modules for parameter, _ in module.named_parameters()]
