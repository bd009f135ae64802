"""How images must be fed to weights."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Origin:
    """How images must be fed to weights; wrong values cost accuracy without any other sign.

    Attributes:
        format: "RGB" or "BGR".
        pixel_mean: of each channel in that order, 0..255.
        pixel_std: likewise.
        stride_in_1x1: whether a strided bottleneck block strides in its first 1x1 convolution, not in its 3x3;
            None where there are no such blocks.
        norm: the only MODEL.RESNETS.NORM that can hold them; None where any with the same tensors can.
    """

    format: str
    pixel_mean: tuple[float, ...]
    pixel_std: tuple[float, ...]
    stride_in_1x1: bool | None = None
    norm: str | None = None

    def in_words(self) -> str:
        """Say it in a line, for people."""
        numbers = [" ".join(f"{value:g}" for value in values) for values in (self.pixel_mean, self.pixel_std)]
        stride = {None: "", True: ", stride in the 1x1", False: ", stride in the 3x3"}[self.stride_in_1x1]
        return f"{self.format}, mean {numbers[0]}, std {numbers[1]}{stride}"


# 255 x (0.485, 0.456, 0.406) and 255 x (0.229, 0.224, 0.225): torchvision, timm's ResNets and the hashtag weights.
TORCHVISION = Origin("RGB", (123.675, 116.28, 103.53), (58.395, 57.12, 57.375), stride_in_1x1=False)
# MSRA's ResNets, and FAIR's ResNeXt-101 in Detectron2's model zoo.
MSRA = Origin("BGR", (103.53, 116.28, 123.675), (1.0, 1.0, 1.0), stride_in_1x1=True)
FAIR_RESNEXT = Origin("BGR", (103.53, 116.28, 123.675), (57.375, 57.12, 58.395), stride_in_1x1=False)
