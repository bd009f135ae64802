"""What igdet must know of a network that another library builds: its maps, its sizes, its layers, its weights' card."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from torch import nn

MAPS = {4: "res2", 8: "res3", 16: "res4", 32: "res5"}  # stride in pixels -> Detectron2's name of such a map
# A plain network, such as a vision transformer, has maps of one stride, its patch. Detectors show it images resized so
# that a patch covers as much of them as one of 16 pixels would.
PLAIN_STRIDE = 16
PLAIN_MAP = MAPS[PLAIN_STRIDE]


@dataclass(frozen=True)
class Card:
    """How images were fed to published weights, and what else is said of them.

    Attributes:
        mean: of images in 0..1, RGB.
        std: likewise.
        crop: (height, width) in pixels.
        enlargement: the short side of the image that the crop is cut from, as a multiple of the crop's.
        interpolation: with which it was resized, such as "bicubic".
        licence: "" where none is stated.
        source: where the weights are published; "": nowhere.
        accuracy: on ImageNet-1k, in percent, "top-1" and "top-5"; empty where the library states none.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    crop: tuple[int, int]
    enlargement: float
    interpolation: str
    licence: str
    source: str
    accuracy: Mapping[str, float]


@dataclass(frozen=True)
class LibraryNetwork(ABC):
    """A network of another library.

    Attributes:
        library: the library's name.
        name: as the library has it, with or without the tag of its weights, such as "convnext_tiny.fb_in22k".
        maps: name of a feature map, of `MAPS` -> its place among the maps that the network has, in order; of a plain
            network only `PLAIN_MAP`.
        channels: name of a feature map -> its channels.
        features: channels of the pooled features in front of the classifier.
        patch: side of a plain network's patches in pixels; 0 where there are maps of several strides.
        strides: of all maps, in pixels.
        size: (height, width) in pixels, where it takes images of this size alone, None where it takes any.
        drops_paths: whether it can drop residual branches.
        heads: the modules that turn pooled features into scores of classes.
        card: of its weights.
    """

    library: ClassVar[str]
    name: str
    maps: dict[str, int]
    channels: dict[str, int]
    features: int
    patch: int
    strides: tuple[int, ...]
    size: tuple[int, int] | None
    drops_paths: bool
    heads: tuple[str, ...]
    card: Card

    @property
    def architecture(self) -> str:
        """The name without the tag of its weights: what decides the tensors' shapes."""
        return self.name.split(".")[0]

    @abstractmethod
    def build(self, in_channels: int = 3, drop_path: float = 0.0) -> Any:
        """Build it from random numbers, without the layer that gives scores of classes."""

    @abstractmethod
    def load(self, file: str = "") -> Any:
        """Build it with its classifier and its published weights, or those of a file that the library reads."""

    @abstractmethod
    def cached(self) -> Path | None:
        """Where the library keeps its published weights on this machine; None where they are not there."""

    @abstractmethod
    def groups(self, built: nn.Module) -> list[list[str]]:
        """Return the names of a built network's parameters in groups, from the images on: a layer or a block each."""

    @abstractmethod
    def ends(self, groups: list[list[str]]) -> list[int]:
        """Where the stem, res2, res3 and res4 of a network with maps of several strides end in `groups`."""

    @abstractmethod
    def blocks(self, built: nn.Module) -> list[nn.Module]:
        """Return a built network's blocks, in order."""

    @abstractmethod
    def undecayed(self, built: nn.Module) -> set[str]:
        """Return the names of a built network's parameters, besides norms and biases, that the library decays never."""
