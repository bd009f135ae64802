"""CLIP as a classifier of a target's classes by their names alone, built and run by open_clip.

"Learning Transferable Visual Models From Natural Language Supervision" (Radford et al. 2021, arXiv 2103.00020).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from detectron2.config import CfgNode
from torch import Tensor, nn

from igdet.checkpoint.download import is_offline
from igdet.engine.setup import fit_to_device, merged_config
from igdet.engine.tagging.classifier import Scorer
from igdet.utils.errors import UserError
from igdet.utils.messages import did_you_mean

_FOLDER, _REPOSITORY = "local-dir:", "hf-hub:"  # of open_clip: a place that has the model's own config, too
_RESIZED = "shortest"  # open_clip's word for what igdet does: the short side is resized, then the centre cropped


class ClipName(NamedTuple):
    """A model of open_clip and its weights."""

    model: str
    weights: str | None

    @classmethod
    def parse(cls, text: str) -> ClipName:
        """Read MODEL:WEIGHTS, WEIGHTS a tag of open_clip or a file; or local-dir:FOLDER, hf-hub:OWNER/NAME.

        Raises:
            UserError: open_clip has no such model or weights, or IGDET_OFFLINE forbids to fetch them.
        """
        open_clip = _open_clip()
        is_named = text.startswith((_FOLDER, _REPOSITORY))
        model, weights = (text, None) if is_named else text.partition(":")[::2]
        is_local = model.startswith(_FOLDER) or Path(weights or "").is_file()
        if not is_named and model not in open_clip.list_models():
            raise UserError(f"open_clip has no model {model!r}{did_you_mean(model, open_clip.list_models())}")
        tags = open_clip.list_pretrained_tags_by_model(model)
        if not (is_named or is_local or weights in tags):
            raise UserError(
                f"--clip {text}: open_clip has no weights {weights!r} of {model}, and there is no such file: expected "
                f"{model}:WEIGHTS, a file or one of {', '.join(tags) or 'none'}"
            )
        if is_offline() and not is_local:
            raise UserError(f"--clip {text}: IGDET_OFFLINE forbids downloads: name a file, or {_FOLDER}FOLDER")
        return cls(model, weights)

    def __str__(self) -> str:
        return ":".join(filter(None, self))


class ClipClassifier(nn.Module):
    """The images' tower of a CLIP model, with the texts of classes as its linear classifier."""

    pixel_mean: Tensor  # (3, 1, 1)
    pixel_std: Tensor  # (3, 1, 1)
    texts: Tensor  # (D, C)

    def __init__(self, clip: Any, texts: Tensor, mean: Sequence[float], std: Sequence[float]):
        """Take the tower over.

        Args:
            clip: open_clip's model.
            texts: float (D, C), an embedding of length 1 for each class.
            mean: of the channels red, green and blue, 0..1.
            std: likewise.
        """
        super().__init__()
        self.clip = clip
        for name, numbers in (("pixel_mean", mean), ("pixel_std", std)):
            self.register_buffer(name, 255 * torch.tensor(numbers)[:, None, None], persistent=False)
        self.register_buffer("texts", texts, persistent=False)

    def forward(self, samples: list[dict]) -> list[dict[str, Tensor]]:
        """Score samples as the data loader gives them, "image" uint8 (3, H, W), RGB.

        Returns:
            A dict a sample with "pred_class_logits", float (C,): cosines times the temperature that CLIP has learnt.
        """
        images = torch.stack([sample["image"] for sample in samples]).to(self.texts.device)
        embedded = self.clip.encode_image((images - self.pixel_mean) / self.pixel_std, normalize=True)
        return [{"pred_class_logits": row} for row in self.clip.logit_scale.exp() * embedded @ self.texts]


def clip_config(opts: Sequence[str]) -> CfgNode:
    """Return the config with which images are read, for this machine, not frozen.

    Args:
        opts: KEY VALUE KEY VALUE ... that override it.

    Raises:
        ConfigError: an override is wrong.
    """
    cfg = merged_config("", ["MODEL.META_ARCHITECTURE", "ImageClassifier", "INPUT.FORMAT", "RGB", *opts])
    fit_to_device(cfg)
    return cfg


def load_clip(name: ClipName, cfg: CfgNode, classes: Sequence[str]) -> Scorer:
    """Build a CLIP classifier of classes.

    Each class is the mean over the 80 prompts that CLIP was published with for ImageNet.

    Args:
        name: of the model.
        cfg: what `clip_config` returns; is set to the size and interpolation of the model's images.
        classes: names of the target's, as a prompt has them.

    Raises:
        UserError: open_clip cannot load it, or it wants images that igdet does not make.
    """
    open_clip = _open_clip()
    try:
        # Some weights were trained with another activation than the model of the plain name has; of a file the name
        # alone tells it.
        quick = bool((open_clip.get_pretrained_cfg(name.model, name.weights) or {}).get("quick_gelu"))
        model = open_clip.create_model(
            name.model, name.weights, device=cfg.MODEL.DEVICE, require_pretrained=True, force_quick_gelu=quick
        )
        tokenize = open_clip.get_tokenizer(name.model)
    except Exception as error:  # whatever open_clip, the hub's client, and readers of files raise
        raise UserError(f"open_clip cannot load {name}: {error}") from error
    model.eval()
    card = open_clip.get_model_preprocess_cfg(model)
    show_as(cfg, card, name)
    prompts = open_clip.OPENAI_IMAGENET_TEMPLATES
    texts = open_clip.build_zero_shot_classifier(model, tokenize, classes, prompts, device=cfg.MODEL.DEVICE)
    return Scorer(cfg, ClipClassifier(model, texts, card["mean"], card["std"]).to(cfg.MODEL.DEVICE).eval())


def show_as(cfg: CfgNode, card: dict[str, Any], name: ClipName) -> None:
    """Have images read as a model's card says.

    Args:
        cfg: is changed.
        card: open_clip's "size", "interpolation" and "resize_mode".
        name: of the model, for the error.

    Raises:
        UserError: it wants images that are squashed or padded, or not square.
    """
    height, width = card["size"] if isinstance(card["size"], Sequence) else [card["size"]] * 2
    resized = card.get("resize_mode", _RESIZED)
    if resized != _RESIZED or height != width:
        raise UserError(
            f"{name.model} wants images of {height} x {width} pixels, resized as {resized!r}: expected a model whose "
            "images are the centre square after the short side is resized"
        )
    crops = cfg.INPUT.CLASSIFICATION
    crops.TEST_SHORT_SIDE = crops.TEST_CROP = height
    crops.INTERPOLATION = card.get("interpolation", "bicubic")


def names_of_imagenet() -> list[str]:
    """Return what CLIP's authors call the classes of ImageNet-1k, in their order."""
    return _open_clip().IMAGENET_CLASSNAMES


def _open_clip() -> Any:
    try:
        import open_clip
    except ImportError as error:
        raise UserError('--clip needs the package open_clip: pip install "igdet[clip]"') from error
    return open_clip
