"""Times, on a GPU, a training step of X_101_32x8d alone, on a batch that lies in memory: igdet's beside timm's network.

  python tools/benchmarks/gpu_step.py --batch 128

bf16, 224 x 224 noise as bytes, 1,500 classes, SGD with momentum. igdet's step is its trainer's own, with two hashtags
an image; timm's network is trained by a plain loop. "GPU busy" is the sum of its kernels in one step, by PyTorch's
profiler: what a step takes beyond it is spent on the host.
"""

import argparse
from collections.abc import Callable

import timm
import torch
from gpu_memory import HASHTAGS, Step, build
from record import report, table
from torch.nn import functional
from torch.profiler import ProfilerActivity, profile

from igdet.modeling.costs import seconds

NETWORK, TIMMS = "X_101_32x8d", "resnext101_32x8d"


def igdet(batch: int, *settings: object) -> Step:
    """igdet's own step, with other keys and their values."""
    return build(NETWORK, False, batch, settings)[1]


def plain(batch: int, last: bool = False, compiled: bool = False) -> Step:
    """A plain loop over timm's network, with channels last and compiled, or not."""
    layout = torch.channels_last if last else torch.contiguous_format
    model = timm.create_model(TIMMS, num_classes=HASHTAGS).to("cuda", memory_format=layout).train()
    if compiled:
        model.compile()
    optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9)
    labels = torch.randint(0, HASHTAGS, (batch,), device="cuda")
    pixels = torch.randint(0, 256, (batch, 3, 224, 224), dtype=torch.uint8)

    def step() -> None:
        images = (pixels.to("cuda").float() / 255).contiguous(memory_format=layout)
        with torch.autocast("cuda", torch.bfloat16):
            loss = functional.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


BATCH_NORM = ("MODEL.RESNETS.NORM_BATCH", 0)
WAYS: dict[str, Callable[[int], Step]] = {
    "igdet": lambda batch: igdet(batch, *BATCH_NORM),
    "igdet, MODEL.CHANNELS_LAST False": lambda batch: igdet(batch, *BATCH_NORM, "MODEL.CHANNELS_LAST", False),
    "igdet, MODEL.COMPILE True": lambda batch: igdet(batch, *BATCH_NORM, "MODEL.COMPILE", True),
    "igdet, MODEL.RESNETS.NORM_BATCH 24": igdet,
    "timm": plain,
    "timm, channels last": lambda batch: plain(batch, last=True),
    "timm, channels last, compiled": lambda batch: plain(batch, last=True, compiled=True),
}


def measure(step: Step) -> tuple[float, float]:
    """Seconds of a step, median of six after four; seconds that the GPU works in one."""
    for _ in range(4):
        step()
    median = seconds(step, 6, "cuda")
    with profile(activities=[ProfilerActivity.CUDA]) as profiled:
        step()
        torch.cuda.synchronize()
    return median, sum(event.self_device_time_total for event in profiled.key_averages()) / 1e6


def main() -> None:
    """Measure one way after the other, print and record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    args = parser.parse_args()
    torch.backends.cudnn.benchmark = True  # as timm's script has it; it changes nothing here
    rows = []
    for way in args.ways:
        median, busy = measure(WAYS[way](args.batch))
        torch.cuda.empty_cache()
        rows.append([way, args.batch / median, median * 1000, busy * 1000])
        print(rows[-1], flush=True)
    report("gpu_step", speed=table(["way", "images/s", "ms a step", "GPU busy, ms"], rows, ["", ",.0f", ".0f", ".0f"]))


if __name__ == "__main__":
    main()
