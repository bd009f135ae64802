"""Detectron2's SGD, with a learning rate of its own for the trunk."""

from collections.abc import Mapping, Sequence

import torch
from detectron2.config import CfgNode
from detectron2.solver.build import get_default_optimizer_params, maybe_add_gradient_clipping
from torch import nn

from igdet.formats.errors import WeightsError
from igdet.modeling.trunk import trunk_in


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


def parameter_names(optimizer: torch.optim.Optimizer, model: nn.Module) -> list[str]:
    """Return the names of an optimizer's parameters, in the order in which its state numbers them."""
    names = {id(weight): name for name, weight in getattr(model, "module", model).named_parameters()}
    return [names[id(weight)] for group in optimizer.param_groups for weight in group["params"]]


def continued_state(
    saved: Mapping, names: Sequence[str] | None, optimizer: torch.optim.Optimizer, model: nn.Module
) -> dict:
    """Return an optimizer's state with the momentum of a checkpoint and the settings of now.

    Settings such as SOLVER.WEIGHT_DECAY_NORM divide the parameters into groups, and with them change their numbers.

    Args:
        saved: the checkpoint's `optimizer.state_dict()`.
        names: the checkpoint's `parameter_names`; None: it was written before they were saved.
        optimizer: of now, with its settings.
        model: whose parameters it has.

    Returns:
        For `optimizer.load_state_dict`.

    Raises:
        WeightsError: the checkpoint does not tell which momentum belongs to which parameter.
    """
    ours = optimizer.state_dict()["param_groups"]
    if names is None and [len(group["params"]) for group in saved["param_groups"]] != [len(g["params"]) for g in ours]:
        raise WeightsError(
            "the checkpoint does not name its optimizer's parameters, which were grouped otherwise: resume with the "
            "old SOLVER.WEIGHT_DECAY_NORM, WEIGHT_DECAY_BIAS, BIAS_LR_FACTOR and BACKBONE_LR_FACTOR"
        )
    current = parameter_names(optimizer, model)
    numbers = {name: number for number, name in enumerate(current)}
    names = current if names is None else names
    state = {numbers[names[number]]: values for number, values in saved["state"].items()}
    return {"state": state, "param_groups": ours}


def scale_trunk(groups: list[dict], model: nn.Module, factor: float) -> list[dict]:
    """Put the trunk's weights into groups of their own, with another learning rate.

    Args:
        groups: parameter groups with "params" and "lr".
        model: as `build_optimizer` has it.
        factor: of the trunk's learning rate.
    """
    backbone = model.get_submodule("module.backbone" if hasattr(model, "module") else "backbone")
    trunk = {id(weight) for weight in trunk_in(backbone).parameters()}
    scaled = []
    for group in groups:
        for is_trunk, of_these in ((True, factor), (False, 1.0)):
            weights = [weight for weight in group["params"] if (id(weight) in trunk) == is_trunk]
            if weights:
                scaled.append({**group, "params": weights, "lr": group["lr"] * of_these})
    return scaled
