"""What a model costs: parameters, multiply-adds, activations, memory and time of a step, as a table."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from statistics import median
from typing import Any

import numpy as np
import torch
from detectron2.config import CfgNode
from detectron2.modeling import build_model
from detectron2.structures import Boxes, Instances, PolygonMasks
from detectron2.utils.analysis import FlopCountAnalysis
from detectron2.utils.events import EventStorage
from torch import nn
from torch.func import functional_call
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils.flop_counter import FlopCounterMode

from igdet.modeling.moe import mixture_blocks
from igdet.modeling.trunk import trunks_in
from igdet.reporting.tables import Entry, Table

HEADER = [
    "network",
    "as",
    "pixels",
    "parameters, M",
    "multiply-adds, G",
    "activations, M",
    "training, GB",
    "forward, s",
]
OBJECTS = 7  # of an image of COCO, on average
DAMPING = 0.2


@dataclass(frozen=True)
class Cost:
    """What a model costs at one input.

    Attributes:
        parameters: weights, in millions; running statistics are none.
        multiply_adds: of convolutions and linear layers in one forward pass, in billions.
        activations: numbers that these layers give out in one forward pass, in millions.
    """

    parameters: float
    multiply_adds: float
    activations: float


def count(model: nn.Module, inputs: list[dict]) -> Cost:
    """Count what does not depend on the machine.

    Multiply-adds are counted as in the ResNeXt paper: one for a multiplication with its addition, convolutions and
    linear layers alone. Of a detector they depend on the boxes it proposes, so on its weights.

    Args:
        model: in evaluation mode.
        inputs: one image, as Detectron2's models take it.
    """
    activations = 0

    def note(_: nn.Module, __: tuple, output: torch.Tensor) -> None:
        nonlocal activations
        activations += math.prod(map(int, output.shape))

    layers = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
    hooks = [module.register_forward_hook(note) for module in model.modules() if isinstance(module, layers)]
    counts = FlopCountAnalysis(model, inputs).by_operator()  # runs the model once
    for hook in hooks:
        hook.remove()
    multiply_adds = sum(counts[name] for name in ("conv", "conv_transpose2d", "linear", "addmm", "matmul"))
    parameters = sum(weight.numel() for weight in model.parameters())
    return Cost(parameters / 1e6, multiply_adds / 1e9, activations / 1e6)


def trunk_cost(model: nn.Module, cfg: CfgNode) -> dict[str, Any] | None:
    """Count what a model's trunk costs, without computing anything: on the device "meta".

    Args:
        model: with one trunk.
        cfg: its config, which says how large images are: a classifier's crops of the evaluation, a detector's largest.

    Returns:
        {"parameters": a number, "multiply_adds": of convolutions and products of matrices, attention's among them, for
        one image, "pixels": [height, width]}; None where the trunk is none of igdet's, spread over processes, or has
        mixtures of experts, whose work follows from what an image shows.
    """
    trunk: Any = next((trunk for _, trunk in trunks_in(model)), None)
    if trunk is None or any(type(weight) is not nn.Parameter for weight in trunk.parameters()):
        return None
    if any(mixture_blocks(trunk)):
        return None
    height, width = _evaluated_pixels(cfg)
    named = chain(trunk.named_parameters(), trunk.named_buffers())
    tensors = {name: tensor.detach().to("meta") for name, tensor in named}  # the counter follows what has a gradient
    images = torch.empty(1, len(cfg.MODEL.PIXEL_MEAN), height, width, device="meta")
    state = trunk.training, trunk._compiled_call_impl
    trunk._compiled_call_impl = None  # a compiled one would be compiled once more, for this
    try:
        operators = {torch.ops.torchvision.deform_conv2d: _deformable_flops}
        with FlopCounterMode(display=False, custom_mapping=operators) as counter, torch.no_grad():
            functional_call(trunk.eval(), tensors, (images,))
    finally:
        trunk.train(state[0])._compiled_call_impl = state[1]
    return {
        "parameters": sum(weight.numel() for weight in trunk.parameters()),
        "multiply_adds": counter.get_total_flops() // 2,  # a multiplication and an addition are two operations
        "pixels": [height, width],
    }


def _deformable_flops(_: list[int], weight: list[int], *others: Any, out_shape: list[int], **more: Any) -> int:
    """As of a plain convolution: a multiplication and an addition for each weight that a number of the output has."""
    return 2 * math.prod(out_shape) * math.prod(weight[1:])  # weight: (C', C / groups, height, width)


def _evaluated_pixels(cfg: CfgNode) -> tuple[int, int]:
    if cfg.MODEL.META_ARCHITECTURE == "ImageClassifier":
        return (cfg.INPUT.CLASSIFICATION.TEST_CROP,) * 2
    short, long = (-(-side // 32) * 32 for side in (cfg.INPUT.MIN_SIZE_TEST, cfg.INPUT.MAX_SIZE_TEST))  # as padded
    return short, long


def kept_for_backward(step: Callable[[], object]) -> int:
    """Bytes of the tensors that a forward pass keeps for its backward pass, each storage once, weights not included.

    They are counted, not kept, so that this takes no more memory than inference.

    Args:
        step: runs the forward pass, with gradients.
    """
    # A weak reference holds no memory, yet keeps the storage's identity from being given to another one.
    storages: dict[StorageWeakRef, int] = {}

    def pack(tensor: torch.Tensor) -> None:
        if not isinstance(tensor, nn.Parameter) and not tensor.is_leaf:
            storage = tensor.untyped_storage()
            storages[StorageWeakRef(storage)] = storage.nbytes()

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda nothing: nothing):
        step()
    return sum(storages.values())


def training_bytes(model: nn.Module, step: Callable[[], object]) -> int:
    """Least memory of a training step in float32: weights, gradients, momentum, and what the forward pass keeps.

    Args:
        model: in training mode.
        step: runs its forward pass.
    """
    trained = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    weights = sum(weight.numel() for weight in model.parameters())
    # 4 bytes a number: every weight, and of each that is trained the gradient and SGD's momentum.
    return 4 * (weights + 2 * trained) + kept_for_backward(step)


def seconds(run: Callable[[], object], repeats: int, device: str = "cpu") -> float:
    """Median time of a call that has been made before, so that nothing is set up; on a GPU until it has finished."""
    wait = torch.cuda.synchronize if device.startswith("cuda") else lambda: None
    times = []
    for _ in range(repeats):
        wait()
        started = time.perf_counter()
        run()
        wait()
        times.append(time.perf_counter() - started)
    return median(times)


@dataclass(frozen=True)
class Use:
    """What a network is used as.

    Attributes:
        size: height and width of the usual image, pixels.
        suffix: of the backbone's name.
        base: the config that it is trained with, in `configs`.
        overrides: of that config, so that what is counted does not depend on the weights.
    """

    size: tuple[int, int]
    suffix: str
    base: str
    overrides: tuple[str, ...] = ()


USES = {
    "classifier": Use((224, 224), "", "Base-Classification.yaml"),
    # Without a threshold all 100 detections have masks, whatever the weights.
    "mask_rcnn": Use(
        (800, 1333),
        "_FPN",
        "Base-RCNN-FPN.yaml",
        ("MODEL.MASK_ON", "True", "MODEL.ROI_HEADS.SCORE_THRESH_TEST", "-1.0"),
    ),
}


def cost_row(member: str, use: str, cfg: CfgNode, repeats: int) -> list[Entry]:
    """Measure one network.

    Args:
        member: its name, for the row.
        use: a key of `USES`.
        cfg: what it is built from, on the device of `MODEL.DEVICE`.
        repeats: timed forward passes.

    Returns:
        Entries for `HEADER`.
    """
    torch.manual_seed(0)
    size = USES[use].size
    model, inputs = build_model(cfg).eval(), [noise(use, size)]
    damp(model)
    cost = count(model, inputs)  # warms up for the timed passes too
    with torch.no_grad():
        forward = seconds(lambda: model(inputs), repeats, cfg.MODEL.DEVICE)
    with EventStorage():  # detectors write into it
        memory = training_bytes(model.train(), lambda: model(inputs)) / 1e9
    numbers = (cost.parameters, cost.multiply_adds, cost.activations)
    texts = (*(f"{number:,.1f}" for number in numbers), f"{memory:.2f}", f"{forward:.2f}")
    return [*map(Entry, (member, use, f"{size[0]} x {size[1]}", *texts))]


def damp(model: nn.Module) -> None:
    """Make residual branches of random weights weak, as trained ones are, where their family asks for it."""
    for family, trunk in trunks_in(model):
        for scale in family.residual_scales(trunk):
            scale.data *= DAMPING


def cost_table(rows: list[list[Entry]], device: str) -> Table:
    """Put rows together, with the conditions under which they were measured.

    Args:
        rows: from `cost_row`.
        device: which one it was, such as "cpu".
    """
    place = torch.cuda.get_device_name() if device.startswith("cuda") else f"{torch.get_num_threads()} CPU threads"
    return Table("", HEADER, rows, f"One image in float32; torch {torch.__version__}, {place}.")


def noise(use: str, size: tuple[int, int]) -> dict:
    """An image of noise with what its use is trained on, as Detectron2's models take it.

    Args:
        use: a key of `USES`.
        size: height and width, pixels.
    """
    height, width = size
    sample = {"image": torch.randint(0, 256, (3, *size), dtype=torch.uint8), "height": height, "width": width}
    if use == "classifier":
        return {**sample, "gt_classes": torch.tensor([0])}
    corners = torch.rand(OBJECTS, 2) * torch.tensor([width, height]) / 2
    boxes = torch.cat([corners, corners + torch.tensor([width, height]) / 4], dim=1)
    polygons = [[box[[0, 1, 2, 1, 2, 3, 0, 3]].numpy().astype(np.float64)] for box in boxes]
    fields = {"gt_boxes": Boxes(boxes), "gt_classes": torch.zeros(OBJECTS).long(), "gt_masks": PolygonMasks(polygons)}
    return {**sample, "instances": Instances(size, **fields)}
