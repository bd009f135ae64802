"""Measures the hashtag loss, forward and backward, against PyTorch's cross-entropy with dense targets.

  python tools/benchmarks/loss.py [--device cuda]

Every way starts from the same logits and label ids on the host; making its targets from the ids is part of the way.
Times are medians over repeats in which the ways take turns. The extra memory is the highest resident memory of a fresh
process during one forward and backward pass, less what was resident before it, logits included: what the way needs
beyond them, the gradient of the logits among it; on a GPU, its highest allocated memory. Linux only.
"""

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from record import report, table
from torch import Tensor
from torch.nn import functional as F

from igdet.modeling import KHotLabels, khot_softmax_loss

Labels = list[Tensor]


def dense(logits: Tensor, labels: Labels) -> Tensor:
    """PyTorch's cross-entropy with probabilities as targets."""
    target = torch.zeros_like(logits)
    for row, ids in zip(target, labels, strict=True):
        row[ids] = 1 / len(ids)
    return F.cross_entropy(logits, target)


def dense_at_once(logits: Tensor, labels: Labels) -> Tensor:
    """The same, the targets written by one indexed assignment."""
    khot, target = KHotLabels.of(labels, logits.shape[1], logits.device), torch.zeros_like(logits)
    target[khot.rows, khot.ids] = 1 / khot.sizes.to(logits.dtype)
    return F.cross_entropy(logits, target)


def sparse_autograd(logits: Tensor, labels: Labels) -> Tensor:
    """Normalisers less the labels' logits, left to autograd."""
    khot = KHotLabels.of(labels, logits.shape[1], logits.device)
    own = (logits[khot.rows, khot.ids] / khot.sizes).sum()
    return (logits.logsumexp(dim=1).sum() - own) / len(logits)


def igdet(logits: Tensor, labels: Labels) -> Tensor:
    """igdet's loss."""
    return khot_softmax_loss(logits, KHotLabels.of(labels, logits.shape[1], logits.device))


WAYS: dict[str, Callable[[Tensor, Labels], Tensor]] = {
    "`F.cross_entropy`, targets made row by row": dense,
    "`F.cross_entropy`, targets made at once": dense_at_once,  # what the ratios are against
    "sparse, plain autograd": sparse_autograd,
    "igdet": igdet,
}
PEER = list(WAYS)[1]


def batch(num_images: int, num_labels: int, device: str) -> tuple[Tensor, Labels]:
    """Random logits and 1, 2 or 3 labels an image, 2 on average."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(num_images, num_labels, generator=generator).to(device).requires_grad_()
    return logits, [torch.randint(num_labels, (1 + i % 3,), generator=generator).unique() for i in range(num_images)]


def times(num_images: int, num_labels: int, repeats: int, device: str) -> dict[str, float]:
    """Median milliseconds of each way."""
    logits, labels = batch(num_images, num_labels, device)
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    seconds = {name: [] for name in WAYS}
    for repeat in range(repeats + 1):  # the first is to warm up
        for name, way in WAYS.items():
            wait()
            start = time.perf_counter()
            way(logits, labels).backward()
            wait()
            if repeat:
                seconds[name].append(time.perf_counter() - start)
            logits.grad = None
    return {name: 1000 * statistics.median(values) for name, values in seconds.items()}


def extra_memory(name: str, num_images: int, num_labels: int, device: str) -> float:
    """MB (10^6 bytes) that one pass of a way needs beyond the logits; to be called in a fresh process."""
    small, few = batch(2, num_labels, device)
    WAYS[name](small, few).backward()  # code and thread pools are loaded
    logits, labels = batch(num_images, num_labels, device)
    now, highest = MEMORY[device]
    before = now()
    WAYS[name](logits, labels).backward()
    return (highest() - before) / 1e6


def resident() -> int:
    """Bytes; the highest starts again from here."""
    Path("/proc/self/clear_refs").write_text("5")
    return _resident("VmRSS")


def allocated() -> int:
    """Likewise on the GPU."""
    torch.cuda.reset_peak_memory_stats()
    return torch.cuda.memory_allocated()


def _resident(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(field + ":"))


MEMORY = {
    "cpu": (resident, lambda: _resident("VmHWM")),
    "cuda": (allocated, lambda: torch.cuda.max_memory_allocated()),
}


def main() -> None:
    """Measure, print and record one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, nargs="+", default=[256, 2048], help="images (default: %(default)s)")
    parser.add_argument("--labels", type=int, default=17_000, help="hashtags (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=15, help="of each way (default: %(default)s)")
    parser.add_argument("--device", choices=MEMORY, default="cpu")
    args = parser.parse_args()
    threads = torch.get_num_threads()
    print(f"torch {torch.__version__}, {args.device}, {threads} threads, {args.labels} labels, float32\n")
    rows = []
    for num_images in args.batches:
        with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as fresh:
            what = num_images, args.labels, args.device
            memory = {name: fresh.apply(extra_memory, (name, *what)) for name in WAYS}
        median = times(num_images, args.labels, args.repeats, args.device)
        for name in WAYS:
            speed, share = median[PEER] / median[name], memory[name] / memory[PEER]
            rows.append([num_images, name, median[name], speed, memory[name], share])
    columns = ["Images", "Way", "ms", "times as fast", "extra memory, MB", "share of the memory"]
    report("loss", times=table(columns, rows, [",d", "", ".1f", ".2f", ".0f", ".2f"]))


if __name__ == "__main__":
    main()
