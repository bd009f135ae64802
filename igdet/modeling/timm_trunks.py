"""The family of timm's networks: any of them, by MODEL.TIMM.NAME, as a trunk."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from detectron2.config import CfgNode
from torch import Tensor, nn

from igdet.modeling.library_networks import LibraryNetwork
from igdet.modeling.library_trunks import LibraryTrunk, LibraryTrunks
from igdet.modeling.timm_networks import find_network
from igdet.modeling.trunk_building import register_trunks
from igdet.modeling.windows import confine
from igdet.utils.yaml import ConfigError


class TimmTrunk(LibraryTrunk):
    """A network of timm, behind timm's own ways to its features."""

    def pruned(self, built: Any) -> nn.Module:
        """Leave out what gives no map that is wanted."""
        built.prune_intermediate_layers(self.places, prune_norm=not self.plain, prune_head=True)
        return built

    def pooled(self, images: Tensor) -> Tensor:
        """From float (N, C, H, W) to float (N, C')."""
        return self.built.forward_head(self.built.forward_features(images), pre_logits=True)

    def wanted_maps(self, images: Tensor) -> list[Tensor]:
        """From float (N, C, H, W) to those of `places`, in order, each float (N, C', H / stride, W / stride)."""
        return self.built.forward_intermediates(
            images, indices=self.places, norm=self.plain, output_fmt="NCHW", intermediates_only=True
        )


def _freeze_norms(network: nn.Module) -> nn.Module:
    from timm.layers.norm_act import freeze_batch_norm_2d

    return freeze_batch_norm_2d(network)


def _share_norms(network: nn.Module) -> nn.Module:
    from timm.layers.norm_act import convert_sync_batchnorm

    return convert_sync_batchnorm(network)


class TimmTrunks(LibraryTrunks):
    """Networks of timm."""

    library = "timm"
    example = "convnext_tiny.fb_in22k"
    listing = "import timm; print(*timm.list_models(pretrained=True))"
    norms = MappingProxyType({"": lambda network: network, "FrozenBN": _freeze_norms, "SyncBN": _share_norms})
    module = TimmTrunk

    def find(self, name: str) -> LibraryNetwork:
        """Find a network by its name; raises `UserError` where there is none."""
        return find_network(name)

    def build(self, cfg: CfgNode, name: str, in_channels: int, out_features: list[str]) -> LibraryTrunk:
        """With attention in windows where MODEL.TIMM.WINDOW asks for it."""
        trunk = super().build(cfg, name, in_channels, out_features)
        if side := self.keys(cfg).WINDOW:
            built = trunk.built
            confine(built.blocks, built.patch_embed, trunk.network.patch, built.num_prefix_tokens, side)
        return trunk

    def check(self, cfg: CfgNode) -> None:
        """Refuse windows where attention has none to be confined to, and in classifiers, whose files do not tell."""
        super().check(cfg)
        if self.keys(cfg).WINDOW and cfg.MODEL.META_ARCHITECTURE == "ImageClassifier":
            raise ConfigError(f"MODEL.TIMM.WINDOW is {self.keys(cfg).WINDOW}: windows are for detectors; set 0")
        if self.keys(cfg).WINDOW and not find_network(self.keys(cfg).NAME).windows:
            raise ConfigError(
                f"MODEL.TIMM.WINDOW is {self.keys(cfg).WINDOW}, but {self.keys(cfg).NAME} is no plain vision "
                "transformer whose attention knows places by their positions alone: set 0"
            )


register_trunks(TimmTrunks())
