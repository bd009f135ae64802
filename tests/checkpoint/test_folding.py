"""Folded classifiers give the logits of the standardising ones, in models and in files of other formats."""

import torch
import torchvision

from igdet.checkpoint import IgdetCheckpointer, convert_checkpoint
from igdet.checkpoint.fit import folded_classifier

PROBE = ("MODEL.CLASSIFIER.STANDARDIZE", True, "MODEL.BACKBONE.FREEZE_AT", 5)


def test_the_numbers_of_a_hand_made_classifier():
    tensors = {
        "classifier.weight": torch.tensor([[2.0, 3.0]]),
        "classifier.bias": torch.tensor([1.0]),
        "classifier.norm.running_mean": torch.tensor([5.0, 10.0]),
        "classifier.norm.running_var": torch.tensor([4.0, 9.0]),
        "classifier.norm.num_batches_tracked": torch.tensor(7),
        "stem.conv1.weight": torch.zeros(1),
    }
    folded = folded_classifier(tensors)
    assert set(folded) == {"classifier.weight", "classifier.bias", "stem.conv1.weight"}
    # 2 / 2 and 3 / 3; 1 - 1 x 5 - 1 x 10
    torch.testing.assert_close(folded["classifier.weight"], torch.ones(1, 2), atol=1e-5, rtol=0)
    torch.testing.assert_close(folded["classifier.bias"], torch.tensor([-14.0]), atol=1e-4, rtol=0)


def test_a_plain_classifier_stays_as_it_is():
    tensors = {"classifier.weight": torch.ones(3, 2), "classifier.bias": torch.ones(3)}
    assert folded_classifier(tensors) == tensors


def probe(make_model, tmp_path):
    """A linear probe whose statistics are not those of the start, and its checkpoint."""
    torch.manual_seed(0)
    model, cfg = make_model("classifier", *PROBE)
    for _ in range(3):
        model.classifier(3 + 2 * torch.rand(8, model.classifier.in_features))
    IgdetCheckpointer(model, str(tmp_path), cfg=cfg).save("probe")
    return model.eval(), str(tmp_path / "probe.pth")


def random_images():
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (4, 3, 64, 64), dtype=torch.uint8, generator=generator)


def logits(model, images):
    with torch.no_grad():
        return torch.stack([output["pred_class_logits"] for output in model([{"image": image} for image in images])])


def test_a_plain_model_takes_up_a_probe(make_model, tmp_path):
    """Finetuning may start from a linear probe."""
    model, path = probe(make_model, tmp_path)
    plain, cfg = make_model("classifier", "MODEL.CLASSIFIER.RESET", False, "MODEL.BACKBONE.FREEZE_AT", 0)
    IgdetCheckpointer(plain, cfg=cfg).load(path, checkpointables=[])
    torch.testing.assert_close(logits(plain.eval(), random_images()), logits(model, random_images()))


def test_a_probe_is_evaluated_with_its_own_statistics(make_model, tmp_path):
    model, path = probe(make_model, tmp_path)
    again, cfg = make_model("classifier", *PROBE)
    IgdetCheckpointer(again, cfg=cfg).load_for_evaluation(path)
    assert torch.equal(logits(again.eval(), random_images()), logits(model, random_images()))


def test_a_probe_in_torchvisions_format(make_model, tmp_path):
    model, path = probe(make_model, tmp_path)
    convert_checkpoint(path, tmp_path / "torchvision.pth", "torchvision")
    weights = torch.load(tmp_path / "torchvision.pth", weights_only=True)
    network = torchvision.models.ResNet(torchvision.models.resnet.Bottleneck, [1, 1, 1, 1], groups=8, width_per_group=4)
    network.fc = torch.nn.Linear(*reversed(weights["fc.weight"].shape))
    assert set(weights) == set(network.state_dict())
    features = torch.rand(4, weights["fc.weight"].shape[1])
    torch.testing.assert_close(
        torch.nn.functional.linear(features, weights["fc.weight"], weights["fc.bias"]), model.classifier(features)
    )
