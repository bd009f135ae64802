"""Attention of plain vision transformers confined to windows, which large images make affordable.

Shape shorthand: N: images, P: tokens that are no places (class, registers), H, W: of the grid of patches, C: channels,
K: windows of an image, D: numbers of a place's rotation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

GLOBAL = 4  # blocks that see the whole image, the last of each quarter (ViTDet, arXiv 2203.16527, section 3)


def confine(blocks: Sequence[nn.Module], embedding: nn.Module, patch: int, prefix: int, side: int) -> None:
    """Have the blocks attend within windows, but for `GLOBAL` of them; names and weights stay as they are.

    A grid that is no multiple of the windows is padded with zeros, as in ViTDet. Each window has the tokens that are
    no places to itself; they go on as the mean over the windows.

    Args:
        blocks: each with its attention as `attn`, from (N, P + H W, C) to the same; "rope", where it is given, rotates
            queries and keys by place, linearly, so that what counts is how far apart two are.
        embedding: takes the images, float (N, 3, H patch, W patch), before the blocks.
        patch: side of a patch in pixels.
        prefix: P.
        side: of a window, in patches.
    """
    windows = _Windows(patch, prefix, side)
    embedding.register_forward_pre_hook(windows.measure)
    whole = {len(blocks) * quarter // GLOBAL - 1 for quarter in range(1, GLOBAL + 1)}
    for at, block in enumerate(blocks):
        if at not in whole:
            attention: Any = block.attn
            attention.register_forward_pre_hook(windows.divide, with_kwargs=True)
            attention.register_forward_hook(windows.unite)


class _Windows:
    """What the hooks of a network share: the grid of the images that it looks at."""

    def __init__(self, patch: int, prefix: int, side: int):
        self.patch, self.prefix, self.side = patch, prefix, side
        self.grid = self.window = (0, 0)  # (height, width) in patches

    def measure(self, embedding: nn.Module, given: tuple[Tensor, ...]) -> None:
        """Note the grid of float (N, 3, H patch, W patch)."""
        height, width = (side // self.patch for side in given[0].shape[2:])
        self.grid = height, width
        self.window = min(self.side, height), min(self.side, width)

    @property
    def padding(self) -> tuple[int, int]:
        """Rows and columns by which the grid is short of a multiple of the windows."""
        (height, width), (h, w) = self.grid, self.window
        return -height % h, -width % w

    def divide(self, attention: nn.Module, given: tuple, named: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        """Turn (N, P + H W, C) into (N K, P + h w, C), and rotations (..., H W, D) into (..., h w, D)."""
        tokens, *rest = given
        (h, w), (rows, columns) = self.window, self.padding
        places = functional.pad(tokens[:, self.prefix :].unflatten(1, self.grid), (0, 0, 0, columns, 0, rows))
        places = places.unflatten(2, (-1, w)).unflatten(1, (-1, h)).transpose(2, 3).flatten(3, 4).flatten(1, 2)
        shared = tokens[:, None, : self.prefix].expand(-1, places.shape[1], -1, -1)
        if named.get("rope") is not None:  # those of the first window: in all of them distances are the same
            named["rope"] = named["rope"].unflatten(-2, self.grid)[..., :h, :w, :].flatten(-3, -2)
        return (torch.cat([shared, places], dim=2).flatten(0, 1), *rest), named

    def unite(self, attention: nn.Module, given: tuple, tokens: Tensor) -> Tensor:
        """Turn (N K, P + h w, C) back into (N, P + H W, C)."""
        (height, width), (h, w), (rows, columns) = self.grid, self.window, self.padding
        down, across = (height + rows) // h, (width + columns) // w
        tokens = tokens.unflatten(0, (-1, down * across))
        places = tokens[:, :, self.prefix :].unflatten(2, (h, w)).unflatten(1, (down, across)).transpose(2, 3)
        places = places.flatten(3, 4).flatten(1, 2)[:, :height, :width].flatten(1, 2)
        return torch.cat([tokens[:, :, : self.prefix].mean(dim=1), places], dim=1)
