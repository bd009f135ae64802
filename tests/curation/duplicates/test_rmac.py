"""R-MAC features; only where torch and Detectron2 are."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("detectron2")

from igdet.curation.duplicates.rmac import RmacDescriber, regions, rmac  # noqa: E402  needs both


def test_regions_of_a_square_map():
    starts_of_scales = {7: [0], 4: [0, 3], 3: [0, 2, 4]}  # sides 7, 14 // 3, 14 // 4
    expected = [(top, left, side) for side, starts in starts_of_scales.items() for top in starts for left in starts]
    assert regions(7, 7) == expected
    assert len(expected) == 1 + 4 + 9


def test_a_wide_map_has_one_more_region_a_row_where_they_then_overlap_by_about_40_percent():
    # 6 x 10: two regions of side 6 start 4 apart, an overlap of 33%; with three it were 67%.
    assert [(top, left) for top, left, side in regions(6, 10) if side == 6] == [(0, 0), (0, 4)]
    assert {(left, top, side) for top, left, side in regions(10, 6)} == set(regions(6, 10))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 7), (7, 1), (2, 3), (7, 5)])
def test_regions_lie_inside_small_maps(height, width):
    for top, left, side in regions(height, width):
        assert side >= 1
        assert 0 <= top <= height - side
        assert 0 <= left <= width - side


def test_it_agrees_with_the_definition_worked_out_image_by_image():
    features = torch.rand(2, 5, 4, 6, generator=torch.Generator().manual_seed(0))
    for maps, described in zip(features.numpy(), rmac(features).numpy(), strict=True):
        total = np.zeros(5)
        for top, left, side in regions(4, 6):
            maxima = np.array([channel[top : top + side, left : left + side].max() for channel in maps])
            total += maxima / np.linalg.norm(maxima)
        assert described == pytest.approx(total / np.linalg.norm(total), abs=1e-6)


def test_an_empty_map_has_no_direction():
    assert rmac(torch.zeros(1, 3, 4, 4)).tolist() == [[0, 0, 0]]


@pytest.fixture
def config(repository, tmp_path):
    path = tmp_path / "network.yaml"
    path.write_text(
        f"_BASE_: {repository}/configs/Base-Classification.yaml\n"
        "MODEL: {DEVICE: cpu, WEIGHTS: '', BACKBONE: {NAME: X_14_8x4d}, CLASSIFIER: {NUM_CLASSES: 3}}\n"
    )
    return str(path)


@pytest.fixture
def images():
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (*size, 3), dtype=np.uint8) for size in ((64, 96), (96, 64), (64, 96))]


def test_each_image_is_described_as_if_alone(config, images):
    torch.manual_seed(0)
    describe = RmacDescriber.from_config(config)
    described = describe(images)
    assert described.shape == (3, describe.dim) == (3, 512)
    assert np.linalg.norm(described, axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    for image, row in zip(images, described, strict=True):
        assert describe([image])[0] == pytest.approx(row, abs=1e-5)


def test_channels_come_in_the_order_of_the_network(config, images):
    torch.manual_seed(0)
    describe = RmacDescriber.from_config(config)
    reverse = RmacDescriber(describe._model, is_bgr=True)
    assert reverse([image[..., ::-1] for image in images]) == pytest.approx(describe(images), abs=1e-6)
    assert np.abs(reverse(images) - describe(images)).max() > 1e-4


def test_weights_of_a_trunk_are_loaded_whatever_its_classifier(config, images, tmp_path):
    torch.manual_seed(0)
    trained = RmacDescriber.from_config(config)
    state = {f"backbone.{name}": value for name, value in trained._model.backbone.state_dict().items()}
    torch.save({"model": state | {"classifier.weight": torch.zeros(7, 512)}}, tmp_path / "weights.pth")
    loaded = RmacDescriber.from_config(config, str(tmp_path / "weights.pth"))
    assert loaded(images) == pytest.approx(trained(images), abs=1e-6)
