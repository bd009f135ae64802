"""Counts which share of a trunk's parameters SOLVER.FSDP makes whole at once, block by block, in a forward pass.

torchrun --standalone --nproc-per-node 2 tools/benchmarks/sharded_memory.py
"""

import torch
from detectron2.utils import comm
from record import report, table
from torch import distributed, nn

from igdet.engine.sharding import share_model
from igdet.modeling import FAMILY, Mixture, build_resnext
from igdet.modeling.trunk import blocks_in

# Name -> trunk; the mixtures are every second block of res4 and res5, with eight experts.
TRUNKS = {
    "R_18 (basic)": lambda: build_resnext(FAMILY["R_18"]),
    "X_50_32x4d (bottleneck)": lambda: build_resnext(FAMILY["X_50_32x4d"]),
    "X_50_32x4d (mixtures)": lambda: build_resnext(
        FAMILY["X_50_32x4d"], mixture=Mixture(num_experts=8, stages=("res4", "res5"))
    ),
}


def numbers(module: nn.Module, whole: bool = False) -> int:
    """The numbers in a module's parameters, or in those that are whole in this process."""
    return sum(p.numel() for p in module.parameters() if not (whole and hasattr(p, "full_tensor")))


def measure(trunk: nn.Module) -> list[float]:
    """Spread a trunk and run it; millions of parameters: all, of the largest block, between steps, most at once."""
    sizes = [numbers(trunk), max(map(numbers, blocks_in(trunk)))]
    share_model(trunk, fsdp=True)
    between = numbers(trunk, whole=True)
    seen = []
    handle = nn.modules.module.register_module_forward_pre_hook(lambda *_: seen.append(numbers(trunk, whole=True)))
    trunk(torch.zeros(2, 3, 64, 64))
    handle.remove()
    return [number / 1e6 for number in (*sizes, between, max(seen))]


def main() -> None:
    """Measure all trunks on all ranks, print and record on one."""
    distributed.init_process_group("gloo")
    rows = [[name, *measure(build())] for name, build in TRUNKS.items()]
    if comm.is_main_process():
        head = ["trunk", "all (million)", "largest block", "whole between steps", "whole at once, at most"]
        report("sharded_memory", parameters=table(head, rows, ["", *[".2f"] * 4]))
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()
