"""Fitting a file's tensors to a model: the trunk wholly or not at all, heads where they fit, nothing in silence."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from igdet.checkpoint.errors import WeightsError
from igdet.checkpoint.folding import NORM, folded_classifier
from igdet.checkpoint.key_maps import is_classifier, is_counter, is_trunk
from igdet.checkpoint.misfit import explain_misfit
from igdet.modeling.trunk import BACKBONE, bare_name


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
        the match.

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
    if any(map(is_trunk, [*fit.initialised, *fit.left])):
        raise WeightsError(explain_misfit(wanted, file))
    backbone = [name for name in model if name.startswith(BACKBONE)]
    if backbone and not any(name in fit.loaded for name in backbone):
        raise WeightsError(
            f"it fills none of the {len(backbone)} tensors of the model's backbone, such as {backbone[0]}. Is it of "
            "MODEL.BACKBONE.NAME? Names that others give are known of igdet's trunks only: docs/MODELS.md says how to "
            "add one"
        )
    return fit
