"""The heads of C4 detectors: res5 of the trunk's own network, run on each region of res4."""

from detectron2.config import CfgNode
from detectron2.modeling import ROI_HEADS_REGISTRY
from detectron2.modeling.roi_heads import Res5ROIHeads
from torch import nn

from igdet.modeling.resnet_networks import FAMILY, build_stage
from igdet.modeling.resnets import deformation_of
from igdet.modeling.trunk_building import refuse_gaps
from igdet.utils.yaml import ConfigError


@ROI_HEADS_REGISTRY.register()
class TrunkRes5ROIHeads(Res5ROIHeads):
    """Detectron2's C4 heads with the res5 of the network that MODEL.BACKBONE.NAME names.

    Detectron2's own always has three bottlenecks, of the groups and widths of MODEL.RESNETS. This one is filled from
    the file that fills the trunk: its tensors have the bare names that a trunk's res5 has.
    """

    @classmethod
    def _build_res5_block(cls, cfg: CfgNode) -> tuple[nn.Sequential, int]:
        """Return res5 and the number of channels that it gives."""
        name = cfg.MODEL.BACKBONE.NAME
        if name not in FAMILY:
            raise ConfigError(
                f"MODEL.ROI_HEADS.NAME TrunkRes5ROIHeads needs a ResNet or ResNeXt, such as X_101_32x8d, in "
                f"MODEL.BACKBONE.NAME, without a pyramid: {name} is none"
            )
        blocks = build_stage(FAMILY[name], "res5", cfg.MODEL.RESNETS.NORM, deformation=deformation_of(cfg))
        res5 = nn.Sequential(*blocks)
        refuse_gaps(res5)
        return res5, blocks[-1].out_channels
