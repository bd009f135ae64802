"""What a model costs: parameters, multiply-adds, activations, memory and time of a step.

Shapes: pictures are float (N, 3, H, W) for a classifier, a list of records for a detector.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import torch
from detectron2.utils.analysis import FlopCountAnalysis
from torch import nn
from torch.multiprocessing.reductions import StorageWeakRef


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
        inputs: one picture, as Detectron2's models take it.
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
