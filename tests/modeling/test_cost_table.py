"""What the costs are measured on."""

import torch

from igdet.modeling.costs import OBJECTS, damp, noise
from igdet.modeling.resnet_networks import FAMILY, build_resnext


def test_noise_for_a_classifier_has_one_label():
    sample = noise("classifier", (20, 30))
    assert sample["image"].shape == (3, 20, 30)
    assert sample["image"].dtype == torch.uint8
    assert sample["gt_classes"].tolist() == [0]


def test_noise_for_a_detector_has_objects_within_the_image():
    sample = noise("mask_rcnn", (20, 30))
    instances = sample["instances"]
    assert (sample["height"], sample["width"]) == instances.image_size == (20, 30)
    boxes = instances.gt_boxes.tensor
    assert len(instances) == OBJECTS
    assert (boxes >= 0).all() and (boxes[:, 2] <= 30).all() and (boxes[:, 3] <= 20).all()
    assert torch.allclose(instances.gt_masks.get_bounding_boxes().tensor, boxes)


def test_damped_branches_keep_a_deep_network_of_random_weights_finite():
    torch.manual_seed(0)
    trunk, image = build_resnext(FAMILY["R_101"], norm="FrozenBN").eval(), torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert trunk(image)["res5"].max() > 1e4
        damp(trunk)
        assert trunk(image)["res5"].max() < 1e2
