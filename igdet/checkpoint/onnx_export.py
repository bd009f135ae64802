"""Checkpoints as ONNX files: images in, logits out, mean and standard deviation inside the graph.

Shapes: N images, H x W pixels, C channels of the last stage, L classes.
"""

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from detectron2.config import CfgNode, get_cfg
from detectron2.layers import ShapeSpec
from detectron2.modeling import Backbone, build_backbone
from torch import Tensor, nn

from igdet.checkpoint.fit import describe_trunk, fit_tensors
from igdet.checkpoint.names import is_trunk
from igdet.checkpoint.weights_file import WeightsFile
from igdet.checkpoint.writing import failures_explained
from igdet.config.defaults import add_igdet_config
from igdet.formats.errors import WeightsError
from igdet.formats.origin import Origin
from igdet.modeling.trunk import family_of_member, family_of_tensors, traced_images
from igdet.utils.files import atomic_write_together
from igdet.utils.versions import too_old

logger = logging.getLogger(__name__)

_NEEDED = ("onnx", "onnxscript")
ONE_FILE = 2**31 - 2**24  # bytes of weights: what the protocol buffer that an ONNX file is holds beside the graph
_OPSET = 18


class Exported(nn.Module):
    """What the file computes."""

    mean: Tensor  # (3, 1, 1)
    std: Tensor  # (3, 1, 1)

    def __init__(self, trunk: Backbone, classifier: nn.Module | None, origin: Origin):
        """Put the parts together.

        Args:
            trunk: returns one feature map.
            classifier: of averaged features; None: these are the output.
            origin: what images the trunk expects.
        """
        super().__init__()
        self.trunk, self.classifier = trunk, classifier or nn.Identity()
        (self.feature,) = trunk.output_shape()
        self.register_buffer("mean", torch.tensor(origin.pixel_mean).view(-1, 1, 1))
        self.register_buffer("std", torch.tensor(origin.pixel_std).view(-1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """From float (N, 3, H, W), 0..255 in the origin's order of channels, to logits (N, L) or features (N, C)."""
        features = self.trunk((images - self.mean) / self.std)[self.feature]
        return self.classifier(features.mean(dim=(2, 3)))  # (N, C, H / stride, W / stride) -> (N, C)


def to_onnx(tensors: dict[str, Tensor], file: WeightsFile) -> Any:
    """Make an ONNX program of a trunk and, where there is one, its classifier.

    Args:
        tensors: by bare name.
        file: where they come from.

    Returns:
        What `write_onnx` writes.

    Raises:
        WeightsError: packages are missing or too old, the network is none of igdet's, or the file does not
            say what images it expects.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise WeightsError(f"ONNX needs {' and '.join(missing)}: pip install 'igdet[export]'")
    if reason := too_old("ONNX export"):
        raise WeightsError(reason)
    if file.origin is None:
        raise WeightsError(f"{file.path}: it does not say what images it expects, which an ONNX file must know")
    model = _exported(tensors, file, file.origin)
    (height, width), any_size = traced_images(model.trunk)
    open_sides = dict.fromkeys((0, 2, 3) if any_size else (0,), torch.export.Dim.DYNAMIC)
    if not any_size:
        logger.info(f"The file takes images of {height} x {width} pixels alone")
    with _quiet():
        program: Any = torch.onnx.export(
            model,
            (torch.zeros(2, 3, height, width),),  # two images: of one, the exporter would make a constant
            input_names=["images"],
            output_names=["features" if isinstance(model.classifier, nn.Identity) else "logits"],
            opset_version=_OPSET,
            dynamic_shapes=(open_sides,),
            dynamo=True,
            verbose=False,
        )
    program.model.metadata_props.update(
        channels=file.origin.format, network=describe_trunk(tensors), class_names=json.dumps(file.class_names)
    )
    return program


def write_onnx(program: Any, path: Path) -> None:
    """Write what `to_onnx` made: one file, or two where the weights are too large for it.

    Args:
        program: the graph with its weights.
        path: of the graph; where the weights lie apart, they are in <path>.data beside it.

    Raises:
        WeightsError: it could not be written.
    """
    num_bytes = sum(value.const_value.nbytes for value in program.model.graph.initializers.values())
    apart = num_bytes > ONE_FILE
    with failures_explained(path, num_bytes), atomic_write_together(path) as folder:
        if apart:
            program.save(folder / path.name, external_data=True)
        else:
            (folder / path.name).write_bytes(program.model_proto.SerializeToString())
    if apart:
        logger.info(f"The weights are in {path}.data: keep it beside {path.name}, which looks for it under that name")
    else:
        Path(f"{path}.data").unlink(missing_ok=True)  # of a larger network that was here before


def _exported(tensors: dict[str, Tensor], file: WeightsFile, origin: Origin) -> Exported:
    """Build the network that the tensors belong to, with them, ready to evaluate."""
    cfg, name = _config(tensors, file.mixture or {}), describe_trunk(tensors)
    if cfg is None or origin.stride_in_1x1:
        stride = " with the stride in the 1x1 convolution" if origin.stride_in_1x1 else ""
        raise WeightsError(f"{file.path}: it holds {name}{stride}, which is no member of igdet's family")
    if file.mixture is None and any(".router." in name for name in tensors):
        raise WeightsError(f"{file.path}: it has experts, but does not say how many of them an image goes to")
    trunk = build_backbone(cfg, ShapeSpec(channels=3))
    try:
        fit = fit_tensors(trunk.state_dict(), {n: t for n, t in tensors.items() if is_trunk(n)})
    except WeightsError as error:
        raise WeightsError(f"{file.path}: {error}") from error
    trunk.load_state_dict(fit.loaded)
    return Exported(trunk, _classifier(tensors), origin).eval()


def _classifier(tensors: dict[str, Tensor]) -> nn.Linear | None:
    weight, bias = (tensors.get(f"classifier.{leaf}") for leaf in ("weight", "bias"))
    if weight is None:
        return None
    classifier = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
    classifier.load_state_dict({"weight": weight} | ({} if bias is None else {"bias": bias}))
    return classifier


def _config(tensors: dict[str, Tensor], mixture: dict[str, Any]) -> CfgNode | None:
    """The config of the network that the tensors belong to; None where it is no member of a family."""
    family = family_of_tensors(tensors)
    if family is None or family.marker not in tensors:
        return None
    cfg = get_cfg()
    add_igdet_config(cfg)
    for key, value in mixture.items():
        cfg.MODEL.MOE[key] = value
    family.configure(cfg, tensors)
    if family_of_member(cfg.MODEL.BACKBONE.NAME) is None:
        return None
    family.set_classifier(cfg)
    cfg.MODEL.BACKBONE.FREEZE_AT = 0
    return cfg


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's own remarks away: they are about PyTorch's code, which no user of igdet can fix."""
    names = ("torch.onnx", "onnxscript", "onnx_ir")
    levels = [logging.getLogger(name).level for name in names]
    try:
        for name in names:
            logging.getLogger(name).setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in zip(names, levels, strict=True):
            logging.getLogger(name).setLevel(level)
