"""Fitting a file's tensors to a model: the trunk wholly or not at all, heads where they fit; what was loaded."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from tabulate import tabulate
from torch import Tensor, nn

from igdet.checkpoint.names import is_classifier, is_counter, is_trunk
from igdet.formats.errors import WeightsError
from igdet.modeling.trunk import BACKBONE, bare_name, family_of_tensors, is_fresh, kinds_of_trunks
from igdet.utils.messages import first_of

NORM = "classifier.norm."  # of a StandardisedLinear
_EPS = nn.BatchNorm1d(1).eps
_NAMES_SHOWN = 4
_HEADERS = ("part", "loaded", "initialised", "left in the file")
_PARTS = {"backbone": "feature pyramid"}  # what is left of a backbone without its trunk


def folded_classifier(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Replace a standardising classifier by the plain one that gives the same logits.

    W (x - m) / s + b = (W / s) x + (b - (W / s) m), with s = sqrt(variance + eps).

    Args:
        tensors: by bare name: "classifier.weight" (L, C), "classifier.bias" (L,), and where the classifier standardises
            "classifier.norm.running_mean" and ".running_var", (C,).

    Returns:
        The tensors without these statistics, in the same dtypes; without statistics, the same tensors.
    """
    if f"{NORM}running_mean" not in tensors:
        return dict(tensors)
    weight, bias = tensors["classifier.weight"], tensors["classifier.bias"]
    mean, variance = (tensors[f"{NORM}running_{statistic}"].double() for statistic in ("mean", "var"))
    plain = weight.double() * torch.rsqrt(variance + _EPS)
    folded = {
        "classifier.weight": plain.to(weight.dtype),
        "classifier.bias": (bias.double() - plain @ mean).to(bias.dtype),
    }
    return {name: tensor for name, tensor in tensors.items() if not name.startswith(NORM)} | folded


def explain_misfit(model: Mapping[str, Tensor], file: Mapping[str, Tensor]) -> str:
    """Compare two trunks that differ.

    Args:
        model: the model's tensors by bare name.
        file: the file's.

    Returns:
        What to change, then the tensors that are missing, too many, or of another shape.
    """
    model, file = _trunk(model), _trunk(file)
    missing = [name for name in model if name not in file]
    surplus = [name for name in file if name not in model]
    misshapen = [
        f"{name} {tuple(file[name].shape)} in the file, {tuple(model[name].shape)} in the model"
        for name in model
        if name in file and file[name].shape != model[name].shape
    ]
    details = {"not in the file": missing, "not in the model": surplus, "of another shape": misshapen}
    lines = [f"  {what}: {first_of(names, _NAMES_SHOWN)}" for what, names in details.items() if names]
    return "\n".join([f"the trunk does not fit: {_advice(model, file, [*missing, *surplus])}", *lines])


def describe_trunk(tensors: Mapping[str, Tensor]) -> str:
    """Name a trunk by what can be seen in its tensors.

    Args:
        tensors: by bare name.

    Returns:
        Such as "X_101_32x8d" or "R_50"; or which parts are absent.
    """
    family = family_of_tensors(tensors)
    if family is None:
        return f"no {kinds_of_trunks()} trunk"
    return family.describe(tensors) if family.marker in tensors else f"a trunk without {family.marker}"


def _trunk(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in tensors.items() if is_trunk(name) and not is_counter(name)}


def _advice(model: Mapping[str, Tensor], file: Mapping[str, Tensor], unmatched: list[str]) -> str:
    if not file:
        return f"the file holds no {kinds_of_trunks()} trunk. Is it the right file?"
    ours, theirs = describe_trunk(model), describe_trunk(file)
    family, other = family_of_tensors(model), family_of_tensors(file)
    if ours != theirs:
        key = other.name_key if other else "MODEL.BACKBONE.NAME"
        return f"the file holds {theirs}, the model has {ours}. Set {key} to the file's network"
    if family and (special := family.explain_misfit(model, file, unmatched)):
        return special
    if not unmatched:
        return "the channels differ. Set MODEL.BACKBONE.NAME to the file's network"
    return "the file or the model lacks some tensors. Is the file complete?"


@dataclass(frozen=True)
class Fit:
    """What goes where; counters of batches are in `loaded` where both sides have them, and else nowhere.

    Attributes:
        loaded: the model's names -> the file's tensors.
        initialised: bare names of the model's tensors that the file does not fill.
        left: bare names of the file's tensors that the model does not take.
        misshapen: bare names of tensors that both have in different shapes; also in `initialised` and `left`.
    """

    loaded: dict[str, Tensor]
    initialised: list[str]
    left: list[str]
    misshapen: list[str]


def fit_tensors(model: Mapping[str, Tensor], file: Mapping[str, Tensor], new_classifier: bool = False) -> Fit:
    """Match a file's tensors with a model's, by bare name and shape.

    Args:
        model: its state_dict.
        file: tensors by bare name.
        new_classifier: whether the file's classifier is left where it is.

    Returns:
        The match.

    Raises:
        WeightsError: the model's trunk would not be wholly filled, or the file's not wholly used; or no tensor of a
            backbone that is of none of igdet's families would be filled.
    """
    full_names = {bare_name(name): name for name in model}
    wanted = {bare: model[name] for bare, name in full_names.items()}
    if not any(bare.startswith(NORM) for bare in wanted):
        file = folded_classifier(file)
    shared = [bare for bare in wanted if bare in file and not (new_classifier and is_classifier(bare))]
    misshapen = [bare for bare in shared if wanted[bare].shape != file[bare].shape]
    used = set(shared) - set(misshapen)
    fit = Fit(
        loaded={full_names[bare]: file[bare] for bare in shared if bare in used},
        initialised=[bare for bare in wanted if bare not in used and not is_counter(bare)],
        left=[bare for bare in file if bare not in used and not is_counter(bare)],
        misshapen=misshapen,
    )
    family = family_of_tensors(wanted)
    surplus = [] if family and family.leaves_unused else fit.left
    lacking = [bare for bare in fit.initialised if not is_fresh(bare)]
    if any(map(is_trunk, [*lacking, *surplus])):
        raise WeightsError(explain_misfit(wanted, file))
    backbone = [name for name in model if name.startswith(BACKBONE)]
    if backbone and not any(name in fit.loaded for name in backbone):
        raise WeightsError(
            f"it fills none of the {len(backbone)} tensors of the model's backbone, such as {backbone[0]}. Is it of "
            "MODEL.BACKBONE.NAME? Names that other libraries use are known for igdet's trunks only: docs/MODELS.md "
            "says how to add one"
        )
    return fit


def summarise_fit(fit: Fit) -> str:
    """Say what a file gave to a model.

    Args:
        fit: the match.

    Returns:
        a table of numbers of tensors by part of the model, then the modules that are new or left, by name.
    """
    columns = [Counter(map(part_of, names)) for names in (map(bare_name, fit.loaded), fit.initialised, fit.left)]
    parts = dict.fromkeys(part for column in columns for part in column)
    rows = [(part, *(column[part] for column in columns)) for part in parts]
    lists = {
        "New, from random numbers": fit.initialised,
        "Left in the file": fit.left,
        "Of these, in both but of different shapes": fit.misshapen,
    }
    lines = [f"{title}: {', '.join(_modules(names))}" for title, names in lists.items() if names]
    return "\n".join([tabulate(rows, headers=_HEADERS, tablefmt="github"), *lines])


def part_of(bare: str) -> str:
    """The trunk, or a name's first component as a person would call it."""
    first = bare.split(".")[0]
    return "trunk" if is_trunk(bare) else _PARTS.get(first, first)


def _modules(names: Iterable[str]) -> list[str]:
    """Names without their last component, each once: "classifier.weight" and "classifier.bias" are "classifier"."""
    return list(dict.fromkeys(name.rsplit(".", 1)[0] for name in names))
