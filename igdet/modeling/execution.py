"""How a network is run, which changes its speed and memory but not what it computes."""

import torch
from detectron2.config import CfgNode
from torch import nn

from igdet.modeling.activation_checkpointing import checkpoint_activations
from igdet.utils.strict_yaml import ConfigError
from igdet.utils.versions import too_old


def apply_execution(model: nn.Module, cfg: CfgNode) -> None:
    """Change, in place, how a model is run; the names of its parameters stay.

    Args:
        model: what Detectron2's `build_model` gives: its trunk is `backbone`.
        cfg: with MODEL.CHANNELS_LAST, MODEL.COMPILE and MODEL.BACKBONE.CHECKPOINT_ACTIVATIONS.
    """
    # The trunk alone, where the time goes: Detectron2's heads count on channels-first maps, and around the trunk are
    # lists of samples and boxes whose number changes every step, nothing to compile.
    if cfg.MODEL.CHANNELS_LAST:
        model.backbone.to(memory_format=torch.channels_last)
    if cfg.MODEL.BACKBONE.CHECKPOINT_ACTIVATIONS:
        checkpoint_activations(model.backbone)
    if cfg.MODEL.COMPILE:
        model.backbone.compile()


def check_execution(cfg: CfgNode) -> None:
    """Refuse ways of running a network that compute something else with this PyTorch.

    Raises:
        ConfigError: naming the keys and both versions.
    """
    both = cfg.MODEL.COMPILE and cfg.MODEL.BACKBONE.CHECKPOINT_ACTIVATIONS
    if both and (reason := too_old("MODEL.COMPILE with MODEL.BACKBONE.CHECKPOINT_ACTIVATIONS")):
        raise ConfigError(reason)
