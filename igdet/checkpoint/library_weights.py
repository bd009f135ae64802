"""Published weights of other libraries' networks by name: `MODEL.WEIGHTS: timm://NAME` or `torchvision://NAME`."""

import logging
import textwrap
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from detectron2.config import CfgNode
from torch import Tensor, nn

from igdet.checkpoint.download import is_offline
from igdet.checkpoint.origin import ABOUT, check_fed
from igdet.formats.catalog import in_words
from igdet.formats.errors import UnreadableWeights, WeightsError
from igdet.formats.origin import Origin
from igdet.modeling.library_networks import LibraryNetwork
from igdet.modeling.library_trunks import LibraryTrunks, name_tensor
from igdet.modeling.trunk import CLASSIFIER, FAMILIES
from igdet.modeling.trunk_building import before_building
from igdet.utils.errors import UserError

logger = logging.getLogger(__name__)

_MARK = "://"  # after the library's name
_FILE = "?file="  # before the path of a file that takes the place of the published one
_MOST_SAID = 300  # letters


class Named(NamedTuple):
    """What a name of weights stands for.

    Attributes:
        family: of the library.
        network: with the tag of the weights.
        file: that takes the place of the published one; "" where none does.
    """

    family: LibraryTrunks
    network: LibraryNetwork
    file: str


def is_of_library(path: str) -> bool:
    """Whether a MODEL.WEIGHTS names weights of another library."""
    return _library_of(path) is not None


def library_payload(path: str) -> dict[str, Any]:
    """Fetch weights, and bring them to what a checkpoint of igdet holds.

    Args:
        path: LIBRARY://NAME, with the name of the weights that the library has, such as timm://convnext_tiny.fb_in22k;
            or LIBRARY://NAME?file=PATH for weights of that network in a file that the library reads, such as one that
            was fetched on another machine.

    Returns:
        {"model": tensors by bare name, the classifier's among them, "igdet": how images must be fed}.

    Raises:
        WeightsError: there is no such network, it has no published weights, or they cannot be fetched or do not fit.
    """
    family, network, file = _parsed(path)
    if is_offline() and not file:
        file = str(_cached(path))
    logger.info(f"{path}: licence {network.card.licence or 'not stated'}")
    try:
        model = network.load(file)
    except Exception as error:  # whatever the libraries' clients, downloads, readers and converters raise
        why = textwrap.shorten(str(error) or type(error).__name__, _MOST_SAID)  # PyTorch lists every tensor
        raise UnreadableWeights(f"{path}: {family.library} cannot load it: {why}") from error
    return {"model": _bare(model, family, network), ABOUT: {"origin": asdict(origin_of(network))}}


def fetch_from_library(path: str) -> Path:
    """Have the library fetch weights, unless they are in its cache, and read them once.

    Args:
        path: as `library_payload` takes it.

    Returns:
        The file.

    Raises:
        WeightsError: as of `library_payload`.
    """
    library_payload(path)
    return Path(_parsed(path).file or _cached(path))


def _cached(path: str) -> Path:
    family, network, _ = _parsed(path)
    found = network.cached()
    if found is None:
        raise WeightsError(
            f"{path} is not in {family.library}'s cache, and IGDET_OFFLINE forbids downloads: fetch "
            f"{network.card.source} elsewhere, and name the file: {path}{_FILE}PATH"
        )
    return found


def origin_of(network: LibraryNetwork) -> Origin:
    """How images must be fed to a network's weights, from the card of them."""
    mean, std = (tuple(255 * value for value in values) for values in (network.card.mean, network.card.std))
    return Origin("RGB", mean, std)


def card_of(path: str) -> dict[str, str]:
    """What the library says of weights, by what it is called for people.

    Args:
        path: as `library_payload` takes it.
    """
    card = _parsed(path).network.card
    crop = f"{' x '.join(map(str, card.crop))} pixels of a short side {card.enlargement:.3g} times that"
    return {
        "from": card.source or "nowhere",
        "licence": card.licence or "not stated",
        "published": in_words(card.accuracy),
        "evaluated": f"{crop}, resized by {card.interpolation}",
    }


@before_building  # too: Detectron2's own checkpointer would not ask
def check_library_weights(cfg: CfgNode) -> None:
    """Refuse weights of another network than the config's, and a config that feeds them the wrong way, before any work.

    Raises:
        WeightsError: naming the keys.
    """
    path = cfg.MODEL.WEIGHTS
    if not is_of_library(path):
        return
    family, network, _ = _parsed(path)
    ours = family.keys(cfg).NAME
    is_its_own = cfg.MODEL.BACKBONE.NAME.startswith(family.library)
    if is_its_own and ours and family.find(ours).architecture != network.architecture:
        raise WeightsError(
            f"MODEL.WEIGHTS {path} are of {network.architecture}, but {family.name_key} is {ours}: set it to "
            f"{network.name}, or name other weights"
        )
    check_fed(path, origin_of(network), cfg)
    _check_resized(path, network, cfg)


def _check_resized(path: str, network: LibraryNetwork, cfg: CfgNode) -> None:
    wanted, set_to = network.card.interpolation, cfg.INPUT.CLASSIFICATION.INTERPOLATION
    is_known = wanted in ("bilinear", "bicubic")  # "random", of some trainings, fits both
    if cfg.MODEL.META_ARCHITECTURE == "ImageClassifier" and is_known and wanted != set_to:
        raise WeightsError(
            f"{path}: INPUT.CLASSIFICATION.INTERPOLATION is {set_to}, but these weights' images were resized by "
            f"{wanted} interpolation: set it to {wanted}"
        )


def _library_of(path: str) -> LibraryTrunks | None:
    named, mark, _ = path.partition(_MARK)
    libraries = (family for family in FAMILIES if isinstance(family, LibraryTrunks))
    return next((family for family in libraries if mark and family.library == named), None)


def _parsed(path: str) -> Named:
    family = _library_of(path)
    assert family is not None, path
    name, _, file = path.partition(_MARK)[2].partition(_FILE)
    file = unquote(file)
    if file and not Path(file).is_file():
        raise UnreadableWeights(f"{path}: there is no file {file}")
    try:
        network = family.find(name)
    except UserError as error:
        raise WeightsError(f"{path}: {error}") from error
    if not file and not network.card.source:
        raise WeightsError(
            f'{path}: {family.library} publishes no weights for {name}; python -c "{family.listing}" lists all'
        )
    return Named(family, network, file)


def _bare(model: nn.Module, family: LibraryTrunks, network: LibraryNetwork) -> dict[str, Tensor]:
    """The network's tensors behind "LIBRARY.", those of its linear classifier behind "classifier."."""
    heads = network.heads
    linear = len(heads) == 1 and isinstance(model.get_submodule(heads[0]), nn.Linear)
    tensors = {family.marker: name_tensor(network)}
    for name, tensor in model.state_dict().items():
        head = next((head for head in heads if name.startswith(f"{head}.")), None)
        if head is None:
            tensors[f"{family.library}.{name}"] = tensor
        elif linear:
            tensors[CLASSIFIER + name.removeprefix(f"{head}.")] = tensor
    return tensors
