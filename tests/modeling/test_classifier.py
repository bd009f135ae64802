"""The classifier: losses, logits, and what each of its uses trains."""

import pytest
import torch
from torch.nn import functional as F

from igdet.modeling import FAMILY, ImageClassifier, KHotLabels, build_resnext
from igdet.modeling.losses import khot_softmax_loss, sigmoid_loss


def build(freeze_at=0, norm="BN", **options):
    torch.manual_seed(0)
    backbone = build_resnext(FAMILY["X_14_8x4d"], norm=norm, freeze_at=freeze_at)
    return ImageClassifier(backbone=backbone, num_classes=5, pixel_mean=[120.0] * 3, pixel_std=[60.0] * 3, **options)


@pytest.fixture
def samples():
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(0, 256, (3, 3, 64, 64), dtype=torch.uint8, generator=generator)
    labels = [torch.tensor([0]), torch.tensor([1, 4]), torch.tensor([2, 3])]
    return [{"image": image, "gt_classes": ids} for image, ids in zip(images, labels, strict=True)]


def test_logits_are_those_of_the_parts(samples):
    model = build().eval()
    images = torch.stack([sample["image"] for sample in samples])
    with torch.no_grad():
        found = torch.stack([output["pred_class_logits"] for output in model(samples)])
        features = model.backbone((images.float() - 120) / 60)["res5"]
        expected = model.classifier(F.adaptive_avg_pool2d(features, 1).flatten(1))
    torch.testing.assert_close(found, expected)


def test_training_gives_a_finite_loss_and_the_share_of_hits(samples):
    outputs = build()(samples)
    assert list(outputs) == ["loss_cls", "train_top1"] and torch.isfinite(outputs["loss_cls"])
    assert not outputs["train_top1"].requires_grad
    assert any(float(outputs["train_top1"]) == pytest.approx(100 * hits / 3) for hits in range(4))


def test_any_label_of_an_image_counts_as_a_hit(samples):
    model = build()
    with torch.no_grad():
        model.classifier.weight.zero_()
        model.classifier.bias.copy_(torch.tensor([0.0, 0.0, 0.0, 9.0, 0.0]))  # always says 3
    assert float(model(samples)["train_top1"]) == pytest.approx(100 / 3)  # the third image, whose second label is 3


def test_each_cell_is_trained_by_itself_and_the_mean_is_evaluated(samples):
    mean, dense = build(), build(pooling="dense")
    dense.load_state_dict(mean.state_dict())
    with torch.no_grad():
        # Evaluation as with the mean; the loss of the 2 x 2 cells of 64 x 64 images.
        for model in (mean, dense):
            model.backbone.eval()
        images = torch.stack([sample["image"] for sample in samples])
        cells = mean.backbone((images.float() - 120) / 60)["res5"].flatten(2).transpose(1, 2)  # (3, 4, C)
        labels = KHotLabels.of([sample["gt_classes"] for sample in samples], 5)
        losses = [khot_softmax_loss(mean.classifier(cells[:, cell]), labels) for cell in range(4)]
        torch.testing.assert_close(dense(samples)["loss_cls"], torch.stack(losses).mean())
        found, expected = (model.eval()(samples)[1]["pred_class_logits"] for model in (dense, mean))
        torch.testing.assert_close(found, expected)


STATISTICS = {f"classifier.norm.{leaf}" for leaf in ("running_mean", "running_var", "num_batches_tracked")}


@pytest.mark.parametrize("standardise", [False, True])
def test_a_linear_probe_trains_the_classifier_alone(samples, standardise):
    model = build(freeze_at=5, standardise=standardise)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    model(samples)["loss_cls"].backward()
    torch.optim.SGD(trained, lr=1.0).step()
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    # No batch statistic of the trunk either.
    assert changed == {"classifier.weight", "classifier.bias"} | (STATISTICS if standardise else set())


def test_sigmoids_begin_at_the_share_of_one_label(samples):
    model = build(loss="sigmoid")
    assert torch.sigmoid(model.classifier.bias).tolist() == pytest.approx([1 / 5] * 5)
    labels = KHotLabels.of([sample["gt_classes"] for sample in samples], 5)
    logits = model.classifier(model.pooled_features(samples))
    torch.testing.assert_close(model(samples)["loss_cls"], sigmoid_loss(logits, labels), rtol=1e-3, atol=0)
