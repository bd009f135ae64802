"""ROIAlign for training on CPUs, as the sparse linear map that it is.

torchvision's backward pass on a CPU adds one number at a time, on one thread: a quarter to a third of a training step
of Mask R-CNN. Each output of ROIAlign is a weighted sum of a few cells of the map, the same for all channels, so both
passes are products of one sparse matrix.

Shape shorthand: N: images, C: channels, H, W: of the map in cells, R: regions, B: bins of a region on one axis, S:
samples on one axis, all regions together, T: cells with a weight on one axis, likewise.
"""

import warnings
from typing import Any, NamedTuple

import torch
from detectron2.layers import ROIAlign
from torch import Tensor, nn

# 1,024 regions in bins of 7 x 7 have up to half a million. Large regions on one fine map can have thousands of times as
# many; at some 75 bytes each while the matrix is made, this is 0.4 GB, and more are left to torchvision.
MOST_WEIGHTS = 5_000_000


class SparseROIAlign(ROIAlign):
    """Detectron2's layer; in training on a CPU another way to the same numbers, up to the order of sums."""

    def forward(self, maps: Tensor, rois: Tensor) -> Tensor:
        """Pool regions.

        Args:
            maps: float (N, C, H, W).
            rois: float (R, 5): the number of the image, then x1, y1, x2, y2 in pixels.

        Returns:
            float (R, C, B, B).
        """
        if not (self.training and maps.device.type == "cpu" and len(rois)) or self._weights(rois) > MOST_WEIGHTS:
            return super().forward(maps, rois)
        count, channels, height, width = maps.shape
        with torch.autocast("cpu", enabled=False):
            cells = maps.permute(0, 2, 3, 1).reshape(-1, channels)
            cells = cells if cells.dtype == torch.float64 else cells.float()
            matrix = roi_matrix(rois.detach().to(cells.dtype), self, (count, height, width))
            pooled = _Product.apply(matrix, cells)
        pooled = pooled.view(len(rois), *self.output_size, channels).permute(0, 3, 1, 2)
        return pooled.to(maps.dtype).contiguous()  # Detectron2's heads count on channels-first maps

    def _weights(self, rois: Tensor) -> float:
        """About how many weights the matrix has: a bin takes the cells under it and, on each axis, one more."""
        tall, wide = self.output_size
        extents = (rois[:, 3:] - rois[:, 1:3]).clamp(min=0) * self.spatial_scale
        return float(((extents[:, 0] + 2 * wide) * (extents[:, 1] + 2 * tall)).sum())


def use_sparse_roi_align(model: nn.Module) -> None:
    """Let every ROIAlign of a model be a `SparseROIAlign`, in place."""
    for module in model.modules():
        if type(module) is ROIAlign:
            module.__class__ = SparseROIAlign


class _Product(torch.autograd.Function):
    """The product with a sparse matrix that is constant."""

    @staticmethod
    def forward(ctx: Any, matrix: Tensor, cells: Tensor) -> Tensor:
        ctx.save_for_backward(matrix)
        return matrix @ cells

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor]:
        (matrix,) = ctx.saved_tensors
        return None, matrix.t() @ gradient


class _Axis(NamedTuple):
    """What each bin takes of the cells along one axis.

    Attributes:
        counts: int64 (R, B): cells with a weight.
        cells: int64 (T,): their positions on the axis, bin by bin.
        weights: float (T,).
    """

    counts: Tensor
    cells: Tensor
    weights: Tensor

    def starts(self) -> Tensor:
        """int64 (R, B): where each bin's cells begin."""
        return (self.counts.flatten().cumsum(0) - self.counts.flatten()).view_as(self.counts)


def roi_matrix(rois: Tensor, layer: ROIAlign, size: tuple[int, int, int]) -> Tensor:
    """Return ROIAlign's weights, sparse (R B B, N H W): its rows are bins, its columns cells.

    "Mask R-CNN" (He et al. 2017, arXiv 1703.06870, section 3): a bin is the mean of samples at regular places, each
    interpolated between four cells. The places are a grid, so a weight is that of its row times that of its column.

    Args:
        rois: float (R, 5).
        layer: says how many bins and samples there are, and at what scale.
        size: N, H, W.
    """
    count, height, width = size
    shift = 0.5 if layer.aligned else 0.0
    left, top, right, bottom = (rois[:, 1:] * layer.spatial_scale - shift).unbind(1)
    extents = torch.stack([bottom - top, right - left])
    extents = extents if layer.aligned else extents.clamp(min=1)
    tall, wide = layer.output_size
    rows = _axis(top, extents[0], tall, layer.sampling_ratio, height)
    columns = _axis(left, extents[1], wide, layer.sampling_ratio, width)

    # The weights of bin (y, x) are all pairs of a row's and a column's, rows outermost.
    pairs = (rows.counts[:, :, None] * columns.counts[:, None, :]).flatten()
    ends = pairs.cumsum(0)
    of_bin = torch.repeat_interleave(torch.arange(len(pairs)), pairs)
    place = torch.arange(len(of_bin)) - (ends - pairs)[of_bin]
    roi, y, x = of_bin // (tall * wide), of_bin // wide % tall, of_bin % wide
    across = columns.counts[roi, x]
    row, column = rows.starts()[roi, y] + place // across, columns.starts()[roi, x] + place % across
    cells = (rois[:, 0].long()[roi] * height + rows.cells[row]) * width + columns.cells[column]
    values = rows.weights[row] * columns.weights[column]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # PyTorch calls all of this layout beta
        return torch.sparse_csr_tensor(
            torch.cat([ends.new_zeros(1), ends]), cells, values, (len(pairs), count * height * width)
        )


def _axis(start: Tensor, extent: Tensor, bins: int, sampling: int, length: int) -> _Axis:
    """Find what each bin takes along one axis.

    Args:
        start, extent: float (R,), of each region in cells.
        bins: B.
        sampling: samples of a bin; 0: as many as it has cells, rounded up.
        length: of the map in cells.
    """
    samples = torch.full_like(start, sampling) if sampling > 0 else (extent / bins).ceil().clamp(min=0)
    of_roi = samples.long() * bins
    roi = torch.repeat_interleave(torch.arange(len(start)), of_roi)  # S
    number = torch.arange(len(roi)) - (of_roi.cumsum(0) - of_roi)[roi]
    each = samples[roi]
    place = start[roi] + extent[roi] / bins * ((number + 0.5) / each)
    # A sample within a cell's length around the map counts as one on its edge, any other outside as 0.
    weight = ((place >= -1) & (place <= length)).to(place.dtype) / each
    place = place.clamp(0, length - 1)
    low = place.long()
    share = place - low
    dense = start.new_zeros(len(start) * bins * length)
    base = (roi * bins + number // each.long()) * length
    dense.index_add_(0, base + low, weight * (1 - share))
    dense.index_add_(0, base + (low + 1).clamp(max=length - 1), weight * share)
    dense = dense.view(len(start), bins, length)
    taken = dense != 0
    return _Axis(taken.sum(dim=2), taken.nonzero()[:, 2], dense[taken])
