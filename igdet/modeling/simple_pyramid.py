"""The simple feature pyramid of plain vision transformers, which have one map of one stride."""

from detectron2.layers import Conv2d, ShapeSpec
from detectron2.modeling import Backbone
from torch import Tensor, nn
from torch.nn import functional

STRIDES = {"p2": 4, "p3": 8, "p4": 16, "p5": 32}  # pixels
TOP = "p6"  # every second cell of p5, as in Detectron2's feature pyramids


class SimplePyramid(Backbone):
    """p2..p5, each made from the last map of a plain trunk, and p6 from p5.

    "Exploring Plain Vision Transformer Backbones for Object Detection" (arXiv 2203.16527, section 3): transposed
    convolutions of stride 2 to the finer maps, max pooling to the coarser ones, then a 1x1 and a 3x3 convolution, each
    with a layer normalisation over channels.
    """

    def __init__(self, bottom_up: Backbone, out_channels: int):
        """Build the pyramid from random numbers.

        Args:
            bottom_up: gives one map, whose stride is one of `STRIDES`.
            out_channels: of each map.
        """
        super().__init__()
        self.bottom_up = bottom_up
        ((self._feature, last),) = bottom_up.output_shape().items()
        self.levels = nn.ModuleDict({name: _level(last, stride, out_channels) for name, stride in STRIDES.items()})
        self._out_channels = out_channels

    @property
    def size_divisibility(self) -> int:
        """What the images' sides are padded to a multiple of, in pixels."""
        return STRIDES["p5"]

    def output_shape(self) -> dict[str, ShapeSpec]:
        """Channels and stride of each map."""
        strides = {**STRIDES, TOP: 2 * STRIDES["p5"]}
        return {name: ShapeSpec(channels=self._out_channels, stride=stride) for name, stride in strides.items()}

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """From float (N, 3, H, W) to {name: float (N, out_channels, H / stride, W / stride)}."""
        last = self.bottom_up(images)[self._feature]
        maps = {name: level(last) for name, level in self.levels.items()}
        return {**maps, TOP: functional.max_pool2d(maps["p5"], kernel_size=1, stride=2)}


class _ChannelNorm(nn.LayerNorm):
    """A layer normalisation over the channels of each place, float (N, C, H, W)."""

    def forward(self, maps: Tensor) -> Tensor:
        return super().forward(maps.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def _level(last: ShapeSpec, stride: int, out_channels: int) -> nn.Sequential:
    """What brings the last map to a stride and a number of channels."""
    layers: list[nn.Module] = []
    channels, at = last.channels, last.stride
    while at > stride:
        layers += [_ChannelNorm(channels), nn.GELU()] if layers else []
        layers.append(nn.ConvTranspose2d(channels, channels // 2, kernel_size=2, stride=2))
        channels, at = channels // 2, at // 2
    if at < stride:
        layers.append(nn.MaxPool2d(kernel_size=stride // at))
    return nn.Sequential(
        *layers,
        Conv2d(channels, out_channels, kernel_size=1, bias=False, norm=_ChannelNorm(out_channels)),
        Conv2d(out_channels, out_channels, kernel_size=3, padding=1, bias=False, norm=_ChannelNorm(out_channels)),
    )
