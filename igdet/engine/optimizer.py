"""SGD as Detectron2's or AdamW, with learning rates of their own for the trunk and its layers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from detectron2.config import CfgNode
from detectron2.solver.build import get_default_optimizer_params, maybe_add_gradient_clipping
from torch import nn

from igdet.formats.errors import WeightsError
from igdet.modeling.trunk import trunk_in, trunks_in
from igdet.utils.yaml import ConfigError


def build_optimizer(cfg: CfgNode, model: nn.Module) -> torch.optim.Optimizer:
    """Build the optimizer of a config.

    Args:
        cfg: its SOLVER says everything, as in Detectron2; OPTIMIZER, ADAM_BETAS, LAYER_DECAY and BACKBONE_LR_FACTOR are
            igdet's.
        model: a classifier or detector with a `backbone`, perhaps wrapped for several processes.

    Raises:
        ConfigError: LAYER_DECAY is not 1, and no layers are known of the backbone.
    """
    solver = cfg.SOLVER
    groups = get_default_optimizer_params(
        model,
        base_lr=solver.BASE_LR,
        weight_decay=solver.WEIGHT_DECAY,
        weight_decay_norm=solver.WEIGHT_DECAY_NORM,
        bias_lr_factor=solver.BIAS_LR_FACTOR,
        weight_decay_bias=solver.WEIGHT_DECAY_BIAS,
    )
    if solver.BACKBONE_LR_FACTOR != 1:
        trunk = trunk_in(_backbone(model)).parameters()
        groups = changed(groups, "lr", dict.fromkeys(trunk, solver.BACKBONE_LR_FACTOR))
    if solver.LAYER_DECAY != 1:
        groups = changed(groups, "lr", layer_factors(model, solver.LAYER_DECAY))
    groups = changed(groups, "weight_decay", {w: 0.0 for family, t in trunks_in(model) for w in family.undecayed(t)})
    kind, options = OPTIMIZERS[solver.OPTIMIZER]
    return maybe_add_gradient_clipping(cfg, kind)(groups, lr=solver.BASE_LR, **options(solver))


# Value of SOLVER.OPTIMIZER -> its class, and what else of SOLVER it is made with.
OPTIMIZERS: dict[str, tuple[type[torch.optim.Optimizer], Callable[[CfgNode], dict[str, Any]]]] = {
    "SGD": (torch.optim.SGD, lambda solver: {"momentum": solver.MOMENTUM, "nesterov": solver.NESTEROV}),
    "AdamW": (torch.optim.AdamW, lambda solver: {"betas": tuple(solver.ADAM_BETAS)}),
}


def layer_factors(model: nn.Module, decay: float) -> dict[nn.Parameter, float]:
    """Return the factor of each trunk weight's learning rate: a layer's is `decay` times that of the layer above it.

    "ELECTRA" (arXiv 2003.10555, section A.1) has it, and BEiT, ConvNeXt and ViTDet for detectors. All that is no trunk
    counts as the layer above the trunk's last, and has no factor.

    Args:
        model: as `build_optimizer` has it.
        decay: above 0, at most 1.

    Raises:
        ConfigError: no trunk of the model is of one of igdet's families.
    """
    factors = {
        weight: decay ** (len(layers) - at)
        for family, trunk in trunks_in(model)
        for layers in [family.layers(trunk)]
        for at, layer in enumerate(layers)
        for weight in layer
    }
    if not factors:
        raise ConfigError(
            f"SOLVER.LAYER_DECAY is {decay}, but igdet knows no layers of MODEL.BACKBONE.NAME: set it to 1"
        )
    return factors


def changed(groups: list[dict], setting: str, factors: Mapping[nn.Parameter, float]) -> list[dict]:
    """Multiply a setting of some weights, which are put into groups of their own.

    Args:
        groups: parameter groups with "params" and the setting.
        setting: such as "lr".
        factors: of the weights whose setting changes.

    Returns:
        The groups; those of weights that do not change are as they were.
    """
    found = []
    for group in groups:
        by_factor: dict[float, list[nn.Parameter]] = {}
        for weight in group["params"]:
            by_factor.setdefault(factors.get(weight, 1.0), []).append(weight)
        found += [
            {**group, "params": weights, setting: group[setting] * factor} for factor, weights in by_factor.items()
        ]
    return found


def _backbone(model: nn.Module) -> nn.Module:
    return model.get_submodule("module.backbone" if hasattr(model, "module") else "backbone")


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
            "old SOLVER.WEIGHT_DECAY_NORM, WEIGHT_DECAY_BIAS, BIAS_LR_FACTOR, LAYER_DECAY and BACKBONE_LR_FACTOR"
        )
    current = parameter_names(optimizer, model)
    numbers = {name: number for number, name in enumerate(current)}
    names = current if names is None else names
    state = {numbers[names[number]]: values for number, values in saved["state"].items()}
    return {"state": state, "param_groups": ours}
