"""A bottleneck block whose 3x3 convolution learns where to look: deformable convolution.

Shapes: N images, C channels, H x W positions, D groups of channels that look at places of their own.
"""

from typing import Any

from detectron2.layers import Conv2d
from detectron2.modeling.backbone.resnet import BottleneckBlock
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import deform_conv2d

TAPS = 3 * 3


class DeformableBottleneck(BottleneckBlock):
    """Detectron2's `DeformBottleneckBlock`, by its names and layouts, on torchvision's operator.

    That one needs no compiled extension of Detectron2 and runs on CPUs too. "Deformable Convolutional Networks" (arXiv
    1703.06211); modulated: "Deformable ConvNets v2" (arXiv 1811.11168).
    """

    def __init__(
        self, in_channels: int, out_channels: int, *, modulated: bool = False, offset_groups: int = 1, **others: Any
    ):
        """Build the block with offsets of zero: at first it looks where a plain one does.

        Args:
            in_channels, out_channels, others: as for Detectron2's `BottleneckBlock`.
            modulated: whether what is seen at a place also has a weight, at first 1/2.
            offset_groups: D.
        """
        super().__init__(in_channels, out_channels, **others)
        conv = self.conv2
        self.modulated = modulated
        self.conv2_offset = Conv2d(
            conv.in_channels,
            (3 if modulated else 2) * TAPS * offset_groups,
            kernel_size=3,
            stride=conv.stride,
            padding=conv.padding,
            dilation=conv.dilation,
        )
        nn.init.zeros_(self.conv2_offset.weight)
        nn.init.zeros_(self.conv2_offset.bias)

    def forward(self, features: Tensor) -> Tensor:
        """Run float (N, C, H, W) to (N, C', H / stride, W / stride)."""
        hidden = F.relu_(self.conv1(features))
        hidden = F.relu_(self._deformed(hidden))
        shortcut = features if self.shortcut is None else self.shortcut(features)
        return F.relu_(self.conv3(hidden) + shortcut)

    def _deformed(self, hidden: Tensor) -> Tensor:
        """The 3x3 convolution with its norm."""
        conv, offsets = self.conv2, self.conv2_offset(hidden)  # (N, 18 D or 27 D, H', W'): y and x of each tap, weights
        weights = None
        if self.modulated:
            y_and_x, weights = offsets.split([offsets.shape[1] // 3 * 2, offsets.shape[1] // 3], dim=1)
            offsets, weights = y_and_x, weights.sigmoid()
        # In the weights' precision: half of it would round places to whole cells.
        dtype = conv.weight.dtype
        maps = deform_conv2d(
            hidden.to(dtype),
            offsets.to(dtype),
            conv.weight,
            stride=conv.stride,
            padding=conv.padding,
            dilation=conv.dilation,
            mask=None if weights is None else weights.to(dtype),
        )
        return conv.norm(maps.to(hidden.dtype))
