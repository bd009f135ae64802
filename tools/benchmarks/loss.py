"""Compares the sparse k-hot softmax loss with PyTorch's cross-entropy of dense targets: time and memory.

  python tools/benchmarks/loss.py                        batches of 256 and 2,048 over 17,000 labels
  python tools/benchmarks/loss.py --batch 4096 --labels 1500

Each way starts from the same logits and sparse labels and ends with the gradient of the logits; ways take turns.
Memory is what a fresh process needs at most for one such step beyond what it held before, logits included.
"""

import argparse
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from tabulate import tabulate
from torch import Tensor
from torch.nn import functional as F

from igdet.modeling import khot_softmax_loss


def dense(logits: Tensor, ids: Tensor, offsets: Tensor) -> Tensor:
    """PyTorch's cross-entropy against an N x L target."""
    counts = offsets.diff()
    rows = torch.repeat_interleave(counts)
    target = torch.zeros_like(logits, requires_grad=False)
    target[rows, ids] = (1 / counts.to(logits.dtype))[rows]
    return F.cross_entropy(logits, target)


def sparse(logits: Tensor, ids: Tensor, offsets: Tensor) -> Tensor:
    """The same without a target, left to autograd."""
    counts = offsets.diff()
    rows = torch.repeat_interleave(counts)
    losses = logits.logsumexp(dim=1)[rows] - logits[rows, ids]
    return (losses / counts.to(logits.dtype)[rows]).sum() / len(logits)


WAYS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "F.cross_entropy, dense target": dense,
    "logsumexp - logit, autograd": sparse,
    "igdet": khot_softmax_loss,
}


def make_batch(images: int, labels: int) -> tuple[Tensor, Tensor, Tensor]:
    """Logits of a normal distribution, and one to three distinct labels an image."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(images, labels, generator=generator)
    per_image = [torch.randperm(labels, generator=generator)[: 1 + i % 3] for i in range(images)]
    counts = torch.tensor([0, *map(len, per_image)])
    return logits, torch.cat(per_image), counts.cumsum(0)


def step(way: str, logits: Tensor, ids: Tensor, offsets: Tensor) -> Tensor:
    """Forward and backward; gives the gradient."""
    logits = logits.detach().requires_grad_()
    WAYS[way](logits, ids, offsets).backward()
    return logits.grad


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, nargs="+", default=[256, 2048], help="images")
    parser.add_argument("--labels", type=int, default=17_000)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--memory-of", choices=WAYS, help=argparse.SUPPRESS)
    return parser.parse_args()


def peak() -> int:
    """Most memory that this process has held, in bytes (Linux); what getrusage tells includes the parent's."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])


def memory(way: str, images: int, labels: int) -> float:
    """Measure in a fresh process how much memory a step needs, in MB."""
    command = [sys.executable, __file__, "--memory-of", way, "--batch", str(images), "--labels", str(labels)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def print_memory(way: str, images: int, labels: int) -> None:
    """Do one small step, so that libraries are loaded, then the one that counts."""
    step(way, *make_batch(8, 100))
    before = peak()
    step(way, *make_batch(images, labels))
    print((peak() - before) / 1e6)


def compare(images: int, labels: int, repeats: int) -> list[list]:
    """Rows of the table for one batch size."""
    batch = make_batch(images, labels)
    expected = step(next(iter(WAYS)), *batch)
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(repeats):
        for way, measured in seconds.items():
            start = time.perf_counter()
            grad = step(way, *batch)
            measured.append(time.perf_counter() - start)
            torch.testing.assert_close(grad, expected, rtol=0, atol=1e-6)
    first = statistics.median(next(iter(seconds.values())))
    medians = {way: statistics.median(measured) for way, measured in seconds.items()}
    return [
        [images, way, 1000 * median, first / median, memory(way, images, labels)] for way, median in medians.items()
    ]


def main() -> None:
    """Print the table."""
    args = parse_args()
    if args.memory_of:
        print_memory(args.memory_of, args.batch[0], args.labels)
        return
    rows = [row for images in args.batch for row in compare(images, args.labels, args.repeats)]
    header = ["batch", "way", "ms (median)", "times as fast", "MB at most, logits included"]
    print(tabulate(rows, header, floatfmt=("d", "", ".1f", ".2f", ".0f"), tablefmt="github"))


if __name__ == "__main__":
    main()
