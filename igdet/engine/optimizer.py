"""Detectron2's SGD, with a learning rate of its own for the trunk."""

import torch
from detectron2.config import CfgNode
from detectron2.solver.build import get_default_optimizer_params, maybe_add_gradient_clipping
from torch import nn


def build_optimizer(cfg: CfgNode, model: nn.Module) -> torch.optim.Optimizer:
    """Build the optimizer of a config.

    Args:
        cfg: its SOLVER says everything, as in Detectron2; BACKBONE_LR_FACTOR is igdet's.
        model: a classifier or detector with a `backbone`, perhaps wrapped for several processes.
    """
    solver = cfg.SOLVER
    groups = get_default_optimizer_params(
        model,
        base_lr=solver.BASE_LR,
        weight_decay_norm=solver.WEIGHT_DECAY_NORM,
        bias_lr_factor=solver.BIAS_LR_FACTOR,
        weight_decay_bias=solver.WEIGHT_DECAY_BIAS,
    )
    if solver.BACKBONE_LR_FACTOR != 1:
        groups = scale_trunk(groups, model, solver.BACKBONE_LR_FACTOR)
    return maybe_add_gradient_clipping(cfg, torch.optim.SGD)(
        groups,
        lr=solver.BASE_LR,
        momentum=solver.MOMENTUM,
        nesterov=solver.NESTEROV,
        weight_decay=solver.WEIGHT_DECAY,
    )


def scale_trunk(groups: list[dict], model: nn.Module, factor: float) -> list[dict]:
    """Give the trunk's weights groups of their own, with another learning rate.

    Args:
        groups: parameter groups with "params" and "lr".
        model: as `build_optimizer` has it.
        factor: of the trunk's learning rate.
    """
    backbone = getattr(model, "module", model).backbone
    trunk = {id(weight) for weight in getattr(backbone, "bottom_up", backbone).parameters()}
    scaled = []
    for group in groups:
        for is_trunk, of_these in ((True, factor), (False, 1.0)):
            weights = [weight for weight in group["params"] if (id(weight) in trunk) == is_trunk]
            if weights:
                scaled.append({**group, "params": weights, "lr": group["lr"] * of_these})
    return scaled
