"""A mixture of experts as a residual block: each image is worked on by the few experts that a router picks for it.

Shapes: N images, C channels, H x W positions, E experts, k of which an image goes to.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from detectron2.layers import CNNBlockBase, Conv2d, get_norm
from detectron2.utils import comm
from fvcore.nn import weight_init
from torch import Tensor, distributed, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Routing:
    """Which experts a batch's images go to.

    Attributes:
        experts: int64 (N, k): distinct within an image.
        gates: float (N, k): > 0, their sum over an image is 1.
        shares: float (E,): of all assignments of the batch, in training over all ranks; their sum is 1.
        balance: scalar, 1 where all experts are used alike and more where they are not.
    """

    experts: Tensor
    gates: Tensor
    shares: Tensor
    balance: Tensor


class Router(nn.Module):
    """Scores experts by an image's averaged features and picks the best k.

    Args:
        in_channels: C.
        num_experts: E.
        top_k: k, 2..E: with one, its gate would always be 1 and the scores would learn nothing.
    """

    def __init__(self, in_channels: int, num_experts: int, top_k: int):
        super().__init__()
        self.top_k = top_k
        self.scores = nn.Linear(in_channels, num_experts, bias=False)
        nn.init.normal_(self.scores.weight, std=0.01)

    def forward(self, features: Tensor) -> Routing:
        """Route float (N, C, H, W), whole images, in float32 or better: a choice by half precision would waver."""
        pooled = features.mean(dim=(2, 3))
        with torch.autocast(features.device.type, enabled=False):
            scores = self.scores(pooled.to(self.scores.weight.dtype))
        probs = scores.softmax(dim=1)  # (N, E)
        gates, experts = probs.topk(self.top_k, dim=1)
        shares = _shares(experts, probs.shape[1], over_ranks=self.training).to(probs.dtype)
        # f_i: share of the assignments, which has no gradient; P_i: mean probability, which has. By it the router is
        # pushed away from experts that are used too much; alike, f_i = P_i = 1 / E, and the sum is 1.
        # E * sum_i f_i P_i: "Switch Transformers" (arXiv 2101.03961), equations 4-6, for k choices an image.
        balance = len(shares) * (shares * probs.mean(dim=0)).sum()
        # The k gates are scaled to a sum of 1: else what is left out of the top k would shrink the block's output.
        return Routing(experts, gates / gates.sum(dim=1, keepdim=True), shares, balance)


def _shares(experts: Tensor, num_experts: int, over_ranks: bool) -> Tensor:
    """Count the assignments; in training over all ranks: the mean of their losses is then that of the whole batch."""
    counts = F.one_hot(experts, num_experts).sum(dim=(0, 1)).double()
    if over_ranks and comm.get_world_size() > 1:
        distributed.all_reduce(counts)
    return counts / counts.sum()


class Expert(nn.Sequential):
    """The grouped 3x3 and the second 1x1 convolution of a bottleneck.

    Group normalisation between them: it looks at one image at a time, so neither how many images an expert gets nor
    which rank it lives on changes what it does to an image; batch statistics over a handful of images would.
    """

    def __init__(self, channels: int, out_channels: int, stride: int, groups: int):
        # As many groups as the convolution has: what a path of a ResNeXt block computes is normalised by itself.
        norm = nn.GroupNorm(groups, channels)
        grouped = Conv2d(channels, channels, 3, stride=stride, padding=1, groups=groups, bias=False, norm=norm)
        weight_init.c2_msra_fill(grouped)
        super().__init__(grouped, nn.ReLU(inplace=True), _pointwise(channels, out_channels))


def _pointwise(in_channels: int, out_channels: int, stride: int = 1, norm: nn.Module | None = None) -> Conv2d:
    layer = Conv2d(in_channels, out_channels, 1, stride=stride, bias=False, norm=norm)
    weight_init.c2_msra_fill(layer)
    return layer


class Experts(nn.Module):
    """All experts, in each process; SOLVER.FSDP spreads their weights.

    Args:
        num_experts: E.
        build: makes one.
    """

    def __init__(self, num_experts: int, build: Callable[[], nn.Module]):
        super().__init__()
        self.num_experts = num_experts
        self.here = nn.ModuleDict({str(number): build() for number in range(num_experts)})

    def forward(self, images: Tensor, experts: Tensor) -> Tensor:
        """Send each of float (M, C, H, W) through the expert that int64 (M,) names, ascending.

        An expert without images still takes part: its gradients are zero, not absent, as data parallelism needs.
        """
        counts = torch.bincount(experts, minlength=self.num_experts).tolist()
        parts = images.split(counts)
        return torch.cat([expert(parts[int(number)]) for number, expert in self.here.items()])


class MixtureBlock(CNNBlockBase):
    """A bottleneck block whose 3x3 and second 1x1 convolution are a mixture of experts.

    The best few work, as in "Scaling Vision with Sparse Mixture of Experts" (arXiv 2106.05974), chosen by image, as in
    "Deep Mixture of Experts via Shallow Embedding" (arXiv 1806.01531). The first 1x1 convolution, the shortcut and the
    normalisation of the sum are every image's.

    Args:
        num_experts: E.
        top_k: k, 2..E.
        others: those of Detectron2's `BottleneckBlock`; the stride sits in the 3x3.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        bottleneck_channels: int,
        num_experts: int,
        top_k: int,
        stride: int = 1,
        num_groups: int = 1,
        norm: str | Callable[[int], nn.Module] = "BN",
    ):
        super().__init__(in_channels, out_channels, stride)
        self.shortcut = None
        if in_channels != out_channels:
            self.shortcut = _pointwise(in_channels, out_channels, stride, get_norm(norm, out_channels))
        self.conv1 = _pointwise(in_channels, bottleneck_channels, norm=get_norm(norm, bottleneck_channels))
        self.router = Router(bottleneck_channels, num_experts, top_k)
        self.experts = Experts(
            num_experts, lambda: Expert(bottleneck_channels, out_channels, stride, groups=num_groups)
        )
        self.norm = get_norm(norm, out_channels)
        self.routing: Routing | None = None  # of the last forward pass

    def forward(self, features: Tensor) -> Tensor:
        """Run float (N, C, H, W) to (N, C', H / stride, W / stride)."""
        hidden = F.relu_(self.conv1(features))
        self.routing = self.router(hidden)
        is_exported = torch.onnx.is_in_onnx_export() or torch.jit.is_tracing()
        mixing = mix_densely if is_exported else mix
        mixed = self.norm(mixing(hidden, self.routing, self.experts))
        shortcut = features if self.shortcut is None else self.shortcut(features)
        return F.relu_(mixed + shortcut)


def mix(features: Tensor, routing: Routing, experts: nn.Module) -> Tensor:
    """Sum, weighted by their gates, what its experts make of each image of float (N, C, H, W)."""
    chosen, order = routing.experts.flatten().sort(stable=True)  # (N k,): all images of expert 0, of expert 1, ...
    # Place p of the flattened (N, k) is image p // k. An image is gathered k times, and its k outputs are added up
    # where it came from, each by its gate.
    rows = order // routing.experts.shape[1]
    outputs = experts(features[rows], chosen)  # (N k, C', H', W')
    gates = routing.gates.flatten()[order].to(outputs.dtype).view(-1, 1, 1, 1)
    return outputs.new_zeros(len(features), *outputs.shape[1:]).index_add(0, rows, outputs * gates)


def mix_densely(features: Tensor, routing: Routing, experts: Experts) -> Tensor:
    """The same sum from all experts, most of them with gate 0: a graph of fixed operations, as exported files need."""
    gates = routing.gates.new_zeros(features.shape[0], experts.num_experts)
    gates = gates.scatter(1, routing.experts, routing.gates)  # (N, k) -> (N, E)
    weighted = [expert(features) * gates[:, int(number)].view(-1, 1, 1, 1) for number, expert in experts.here.items()]
    return torch.stack(weighted).sum(dim=0)


def mixture_blocks(model: nn.Module) -> Iterator[MixtureBlock]:
    """All mixtures of a model, in order."""
    return (module for module in model.modules() if isinstance(module, MixtureBlock))
