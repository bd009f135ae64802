"""ROIAlign as a sparse product, against torchvision's: values, gradients, and when it is used."""

import pytest
import torch
from detectron2.layers import ROIAlign
from torch import nn
from torchvision.ops import roi_align

from igdet.modeling.roi_align import SparseROIAlign, roi_matrix, use_sparse_roi_align

# Inside, across each edge, smaller than a cell, outside, without extent.
ROIS = [
    [0, 4, 8, 40, 30], [1, -9, -7, 20, 11], [1, 30, 20, 75, 66], [0, 10.2, 11.1, 11.3, 12.9], [0, 90, 90, 99, 99],
    [1, 8, 8, 8, 8], [0, 0, 0, 64, 48],
]  # fmt: skip


def both(layer, maps, rois):
    """What torchvision gives and what the layer gives, with the gradients of the maps."""
    torch.manual_seed(1)
    settings = layer.output_size, layer.spatial_scale, layer.sampling_ratio, layer.aligned
    for pool in (lambda given: roi_align(given, rois, *settings), lambda given: layer.train()(given, rois)):
        given = maps.clone().requires_grad_()
        pooled = pool(given)
        torch.manual_seed(2)
        pooled.backward(torch.randn(pooled.shape, dtype=pooled.dtype))
        yield pooled.detach(), given.grad


@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize(("bins", "sampling"), [((7, 7), 0), ((7, 7), 1), ((3, 5), 2), ((14, 14), 0)])
def test_values_and_gradients_are_torchvisions(bins, sampling, aligned, memory):
    torch.manual_seed(0)
    maps = torch.randn(2, 6, 12, 16, dtype=torch.float64).to(memory_format=memory)
    layer = SparseROIAlign(bins, 0.25, sampling, aligned)
    (expected, of_expected), (found, of_found) = both(layer, maps, torch.tensor(ROIS, dtype=torch.float64))
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(of_found, of_expected)


def test_weights_of_a_bin_are_those_one_counts_by_hand():
    """One bin of one sample at (1.5, 0.5) between cells, then one on a cell's centre."""
    rois = torch.tensor([[0.0, 1.0, 0.0, 3.0, 2.0], [0.0, 1.0, 1.0, 2.0, 2.0]])
    matrix = roi_matrix(rois, ROIAlign((1, 1), 1.0, 1, aligned=True), (1, 2, 4)).to_dense()
    assert matrix.tolist() == [[0, 0.25, 0.25, 0, 0, 0.25, 0.25, 0], [0, 0, 0, 0, 0, 1, 0, 0]]


def test_evaluation_and_empty_lists_take_detectron2s_way():
    layer, maps = SparseROIAlign((7, 7), 0.25, 0, aligned=True), torch.randn(2, 6, 12, 16)
    rois = torch.tensor(ROIS)
    assert torch.equal(layer.eval()(maps, rois), roi_align(maps, rois, 7, 0.25, 0, True))
    assert layer.train()(maps, rois[:0]).shape == (0, 6, 7, 7)


def test_what_would_take_too_many_weights_is_left_to_torchvision(monkeypatch):
    layer, maps = SparseROIAlign((7, 7), 0.25, 0, aligned=True).train(), torch.randn(2, 6, 12, 16)
    monkeypatch.setattr("igdet.modeling.roi_align.MOST_WEIGHTS", 1)
    monkeypatch.setattr("igdet.modeling.roi_align.roi_matrix", None)
    assert torch.equal(layer(maps, torch.tensor(ROIS)), roi_align(maps, torch.tensor(ROIS), 7, 0.25, 0, True))


def test_other_precisions_are_given_back():
    layer, maps = SparseROIAlign((7, 7), 0.25, 0, aligned=True).train(), torch.randn(2, 6, 12, 16)
    expected = layer(maps, torch.tensor(ROIS))
    with torch.autocast("cpu", torch.bfloat16):
        found = layer(maps.bfloat16(), torch.tensor(ROIS))
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), expected, atol=0.05, rtol=0.05)


def test_layers_are_exchanged_in_place():
    model = nn.Sequential(nn.ModuleList([ROIAlign((7, 7), 0.5, 0)]), nn.ReLU())
    use_sparse_roi_align(model)
    assert type(model[0][0]) is SparseROIAlign and model[0][0].spatial_scale == 0.5
