"""Published weights of timm's networks by name: `MODEL.WEIGHTS: timm://NAME`, fetched and cached by timm itself."""

import logging
import textwrap
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from detectron2.config import CfgNode
from torch import Tensor, nn

from igdet.checkpoint.origin import ABOUT, check_fed
from igdet.formats.errors import UnreadableWeights, WeightsError
from igdet.modeling.origin import Origin
from igdet.modeling.timm_networks import Network, find_network
from igdet.modeling.timm_trunks import NAME, NETWORK, name_tensor
from igdet.modeling.trunk import CLASSIFIER
from igdet.modeling.trunk_building import before_building
from igdet.utils.errors import UserError

logger = logging.getLogger(__name__)

PREFIX = "timm://"
_MOST_SAID = 300  # letters
_FILE = "?file="  # before the path of a file that takes the place of the published one


def is_timm(path: str) -> bool:
    """Whether a MODEL.WEIGHTS names weights of timm."""
    return path.startswith(PREFIX)


def timm_payload(path: str) -> dict[str, Any]:
    """Fetch weights, and bring them to what a checkpoint of igdet holds.

    Args:
        path: timm://NAME, with the name as `timm.list_models(pretrained=True)` has it; or timm://NAME?file=PATH for
            weights of that network in a file that timm reads, such as one that was fetched on another machine.

    Returns:
        {"model": tensors by bare name, the classifier's among them, "igdet": how images must be fed}.

    Raises:
        WeightsError: there is no such network, it has no published weights, or they cannot be fetched or do not fit.
    """
    network, file = _parsed(path)
    logger.info(f"{path}: licence {card_of(path)['licence']}")
    try:
        model = network.load(file)
    except Exception as error:  # whatever the hub's client, its downloads, readers and converters raise
        why = textwrap.shorten(str(error) or type(error).__name__, _MOST_SAID)  # PyTorch lists every tensor
        raise UnreadableWeights(f"{path}: timm cannot load it: {why}") from error
    return {"model": _bare(model, network), ABOUT: {"origin": asdict(origin_of(network))}}


def origin_of(network: Network) -> Origin:
    """How images must be fed to a network's weights, from timm's card of them."""
    mean, std = (tuple(255 * value for value in network.card[key]) for key in ("mean", "std"))
    return Origin("RGB", mean, std)


def card_of(path: str) -> dict[str, str]:
    """What timm's card says of weights, by what it is called for people.

    Args:
        path: as `timm_payload` takes it.
    """
    card = _parsed(path)[0].card
    crop = (
        f"{' x '.join(map(str, card['input_size'][1:]))} pixels of a short side {1 / card['crop_pct']:.3g} times that"
    )
    return {
        "from": str(card.get("hf_hub_id") or card.get("url") or "nowhere"),
        "licence": str(card.get("license") or "not stated"),
        "evaluated": f"{crop}, resized by {card['interpolation']}",
    }


@before_building  # too: Detectron2's own checkpointer would not ask
def check_timm(cfg: CfgNode) -> None:
    """Refuse weights of another network than the config's, and a config that feeds them the wrong way, before any work.

    Raises:
        WeightsError: naming the keys.
    """
    path = cfg.MODEL.WEIGHTS
    if not is_timm(path):
        return
    network, _ = _parsed(path)
    ours = cfg.MODEL.TIMM.NAME
    if cfg.MODEL.BACKBONE.NAME.startswith("timm") and ours and find_network(ours).architecture != network.architecture:
        raise WeightsError(
            f"MODEL.WEIGHTS {path} are of {network.architecture}, but MODEL.TIMM.NAME is {ours}: set it to "
            f"{network.name}, or name other weights"
        )
    check_fed(path, origin_of(network), cfg)


def _parsed(path: str) -> tuple[Network, str]:
    name, _, file = path.removeprefix(PREFIX).partition(_FILE)
    file = unquote(file)
    if file and not Path(file).is_file():
        raise UnreadableWeights(f"{path}: there is no file {file}")
    try:
        network = find_network(name)
    except UserError as error:
        raise WeightsError(f"{path}: {error}") from error
    if not file and not network.has_weights:
        raise WeightsError(f"{path}: timm publishes no weights for {name}; timm.list_models(pretrained=True) lists all")
    return network, file


def _bare(model: nn.Module, network: Network) -> dict[str, Tensor]:
    """The network's tensors behind "timm.", those of its linear classifier behind "classifier."."""
    stated = network.card.get("classifier") or ()
    heads = (stated,) if isinstance(stated, str) else tuple(stated)
    linear = len(heads) == 1 and isinstance(model.get_submodule(heads[0]), nn.Linear)
    tensors = {NAME: name_tensor(network)}
    for name, tensor in model.state_dict().items():
        head = next((head for head in heads if name.startswith(f"{head}.")), None)
        if head is None:
            tensors[f"{NETWORK}.{name}"] = tensor
        elif linear:
            tensors[CLASSIFIER + name.removeprefix(f"{head}.")] = tensor
    return tensors
