"""The family of torchvision's networks: any of them, by MODEL.TORCHVISION.NAME, as a trunk."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from detectron2.layers import FrozenBatchNorm2d
from torch import Tensor, nn

from igdet.modeling.library_networks import LibraryNetwork
from igdet.modeling.library_trunks import LibraryTrunk, LibraryTrunks
from igdet.modeling.torchvision_networks import Network, find_network, vit_tokens
from igdet.modeling.trunk_building import register_trunks


class TorchvisionTrunk(LibraryTrunk):
    """A network of torchvision, its modules run one after the other."""

    network: Network

    def pruned(self, built: Any) -> nn.Module:
        """Leave out what gives no map that is wanted."""
        if self.plain:
            return built
        passed = {step.name.partition(".")[0] for step in self.network.steps}
        behind = [step.name for step in self.network.steps[self.places[-1] + 1 :]]
        for name in [*behind, *(name for name, _ in built.named_children() if name not in passed)]:
            parent, _, own = name.rpartition(".")
            setattr(built.get_submodule(parent), own, nn.Identity())
        return built

    def pooled(self, images: Tensor) -> Tensor:
        """From float (N, C, H, W) to float (N, C')."""
        return vit_tokens(self.built, images)[0][:, 0] if self.plain else self.built(images)

    def wanted_maps(self, images: Tensor) -> list[Tensor]:
        """From float (N, C, H, W) to those of `places`, in order, each float (N, C', H / stride, W / stride)."""
        if self.plain:
            tokens, size = vit_tokens(self.built, images)
            return [tokens[:, 1:].transpose(1, 2).unflatten(2, size)]
        maps, found = images, []
        for at, step in enumerate(self.network.steps[: self.places[-1] + 1]):
            maps = self.built.get_submodule(step.name)(maps)
            if at in self.places:
                found.append(step.channels_first(maps))
        return found


class TorchvisionTrunks(LibraryTrunks):
    """Networks of torchvision."""

    library = "torchvision"
    example = "regnet_y_16gf.IMAGENET1K_SWAG_E2E_V1"
    listing = "from torchvision import models; print(*models.list_models(models))"
    norms = MappingProxyType(
        {
            "": lambda network: network,
            "FrozenBN": FrozenBatchNorm2d.convert_frozen_batchnorm,
            "SyncBN": nn.SyncBatchNorm.convert_sync_batchnorm,
        }
    )
    module = TorchvisionTrunk

    def find(self, name: str) -> LibraryNetwork:
        """Find a network by its name; raises `UserError` where there is none."""
        return find_network(name)


register_trunks(TorchvisionTrunks())
