"""From a feature map to what the linear layer sees: the mean, or poolings that care for where something is.

Shapes: N images, C channels, a map of H x W cells.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional


class MeanPooling(nn.Module):
    """The mean over all cells, as in the published networks."""

    def forward(self, features: Tensor) -> Tensor:
        """From float (N, C, H, W) to (N, C)."""
        return features.mean(dim=(2, 3))


class LogSumExpPooling(nn.Module):
    """A smooth maximum, 1/r log mean exp(r x): cells with more of a feature weigh more.

    Source: Pinheiro and Collobert, "From Image-level to Pixel-level Labeling with Convolutional Networks" (CVPR 2015,
    arXiv 1411.6228), section 3.1. It tends to the mean for r -> 0 and to the maximum for r -> infinity.
    """

    sharpness: Tensor  # r; with the weights, so that a file tells how its classifier was fed

    def __init__(self, channels: int):
        super().__init__()
        self.register_buffer("sharpness", torch.tensor(5.0))  # the value of that paper

    def forward(self, features: Tensor) -> Tensor:
        """From float (N, C, H, W) to (N, C)."""
        cells = (features * self.sharpness).flatten(2)  # (N, C, H * W)
        return (cells.logsumexp(dim=2) - math.log(cells.shape[2])) / self.sharpness


class AttentionPooling(nn.Module):
    """A weighted mean over cells; a learned linear score of each cell, through a softmax, decides the weights.

    Source: Ilse et al., "Attention-based Deep Multiple Instance Learning" (ICML 2018, arXiv 1802.04712), section 2.4,
    with a linear score. It begins as the mean.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.score = nn.Conv2d(channels, 1, 1, bias=False)  # a bias would change no weight
        nn.init.zeros_(self.score.weight)

    def forward(self, features: Tensor) -> Tensor:
        """From float (N, C, H, W) to (N, C)."""
        weights = self.score(features).flatten(1).softmax(dim=1)  # (N, H * W)
        return torch.einsum("nci,ni->nc", features.flatten(2), weights)


class MaxGridPooling(nn.Module):
    """The mean, over a grid of 2 x 2 parts of the map, of each part's maximum.

    A spatial pyramid's second level ("Beyond Bags of Features", Lazebnik et al. 2006), averaged so that the linear
    layer stays of its size. On a map of 2 x 2 cells it is the mean.
    """

    PARTS = 2  # along each side; Python's own number, so that no step waits for a GPU to read it
    parts: Tensor  # the same with the weights, as `LogSumExpPooling.sharpness`

    def __init__(self, channels: int):
        super().__init__()
        self.register_buffer("parts", torch.tensor(self.PARTS))

    def forward(self, features: Tensor) -> Tensor:
        """From float (N, C, H, W) to (N, C)."""
        return functional.adaptive_max_pool2d(features, self.PARTS).mean(dim=(2, 3))


class DensePooling(MeanPooling):
    """In training every cell by itself, so that each is to name what is in the image; in evaluation the mean."""

    def forward(self, features: Tensor) -> Tensor:
        """From float (N, C, H, W) to (N * H * W, C) in training, image by image, else (N, C)."""
        return features.flatten(2).transpose(1, 2).flatten(0, 1) if self.training else super().forward(features)


# Values of MODEL.CLASSIFIER.POOLING -> the module, of C channels.
POOLINGS: dict[str, Callable[[int], nn.Module]] = {
    "mean": lambda channels: MeanPooling(),
    "logsumexp": LogSumExpPooling,
    "attention": AttentionPooling,
    "max_grid": MaxGridPooling,
    "dense": lambda channels: DensePooling(),
}
