"""The labels of a batch, checked where they come from, on the host, and moved to the device once.

Shapes: N images, L labels, K = sum of the images' numbers of labels k.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class KHotLabels:
    """Targets of 1/k on each of an image's k labels; all others are 0 and not kept.

    Attributes:
        rows: int64 (K,): the image of each label, ascending, 0..N - 1.
        ids: int64 (K,): 0..L - 1, distinct within an image.
        sizes: int64 (K,): k of the label's image.
        num_images: N.
    """

    rows: Tensor
    ids: Tensor
    sizes: Tensor
    num_images: int

    @classmethod
    def of(cls, labels: list[Tensor], num_labels: int, device: torch.device | str = "cpu") -> "KHotLabels":
        """Check and flatten the labels of a batch. Nothing here waits for a GPU.

        Args:
            labels: for each image int64 (k,), on the host.
            num_labels: L.
            device: where the result goes.

        Raises:
            ValueError: an image has no label, one twice, or one outside 0..L - 1.
        """
        counts = torch.tensor([len(ids) for ids in labels])  # (N,)
        if (counts == 0).any():
            empty = (counts == 0).nonzero().flatten().tolist()
            raise ValueError(f"images {empty} of the batch have no label: every image needs at least one")
        rows, ids = torch.arange(len(labels)).repeat_interleave(counts), torch.cat(labels)
        _refuse(ids.lt(0) | ids.ge(num_labels), rows, ids, f"expected 0..{num_labels - 1}")
        _refuse(_repeated(rows * num_labels + ids), rows, ids, "which it has twice: labels must be distinct")
        on_device = (tensor.to(device, non_blocking=True) for tensor in (rows, ids, counts[rows]))
        return cls(*on_device, num_images=len(labels))


def _repeated(values: Tensor) -> Tensor:
    """Which of the values, int64 (K,), have been seen before: bool (K,)."""
    ordered, order = values.sort(stable=True)
    repeated = torch.zeros(len(values), dtype=torch.bool)
    repeated[order[1:][ordered.diff() == 0]] = True
    return repeated


def _refuse(bad: Tensor, rows: Tensor, ids: Tensor, expected: str) -> None:
    if bad.any():
        row, label = int(rows[bad][0]), int(ids[bad][0])
        raise ValueError(f"image {row} of the batch has the label {label}, {expected}")
