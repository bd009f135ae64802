"""One classifier for hashtag pretraining, finetuning and linear probing, as a Detectron2 meta-architecture.

Shapes: N images, H x W pixels, L classes or hashtags, k labels of an image.
"""

import torch
from detectron2.config import CfgNode, configurable
from detectron2.modeling import META_ARCH_REGISTRY, Backbone, build_backbone
from torch import Tensor, nn

from igdet.modeling.losses import khot_softmax_loss


@META_ARCH_REGISTRY.register()
class ImageClassifier(nn.Module):
    """A trunk, global average pooling and a linear layer.

    The three uses differ in the config only: labels (many hashtags or one class), weights to start from, and
    MODEL.BACKBONE.FREEZE_AT (5 freezes the whole trunk, which makes a linear probe).
    """

    @configurable
    def __init__(self, *, backbone: Backbone, num_classes: int, pixel_mean: list[float], pixel_std: list[float]):
        """Build the classifier with new weights.

        Args:
            backbone: its last feature, res5, is pooled.
            num_classes: L.
            pixel_mean: of each channel, in INPUT.FORMAT order, 0..255.
            pixel_std: likewise.
        """
        super().__init__()
        self.backbone = backbone
        (self.feature,) = backbone.output_shape()
        self.classifier = nn.Linear(backbone.output_shape()[self.feature].channels, num_classes)
        # The 0.01 of "Accurate, Large Minibatch SGD" (arXiv 1706.02677, section 5.1).
        nn.init.normal_(self.classifier.weight, std=0.01)
        nn.init.zeros_(self.classifier.bias)
        self.register_buffer("pixel_mean", torch.tensor(pixel_mean).view(-1, 1, 1), persistent=False)
        self.register_buffer("pixel_std", torch.tensor(pixel_std).view(-1, 1, 1), persistent=False)

    @classmethod
    def from_config(cls, cfg: CfgNode) -> dict:
        """Read the constructor's arguments from a config."""
        return {
            "backbone": build_backbone(cfg),
            "num_classes": cfg.MODEL.CLASSIFIER.NUM_CLASSES,
            "pixel_mean": cfg.MODEL.PIXEL_MEAN,
            "pixel_std": cfg.MODEL.PIXEL_STD,
        }

    @property
    def device(self) -> torch.device:
        """Where the pictures must go."""
        return self.pixel_mean.device

    def forward(self, batched_inputs: list[dict]) -> dict[str, Tensor] | list[dict[str, Tensor]]:
        """Give losses in training, logits in evaluation.

        Args:
            batched_inputs: N samples with "image", uint8 (3, H, W), all of one size, and in training "gt_classes",
                int64 (k,), k >= 1, distinct ids 0..L - 1.

        Returns:
            in training {"loss_cls": scalar, "train_top1": the share of images whose best guess is one of their
            labels, in percent, scalar without gradient}, else for each image {"pred_class_logits": float (L,)}.
        """
        logits = self.classifier(self.pooled_features(batched_inputs))  # (N, C) -> (N, L)
        if not self.training:
            return [{"pred_class_logits": row} for row in logits]
        labels = [sample["gt_classes"] for sample in batched_inputs]
        counts = torch.tensor([0] + [len(ids) for ids in labels])
        ids, offsets = torch.cat(labels).to(self.device), counts.cumsum(0).to(self.device)
        return {"loss_cls": khot_softmax_loss(logits, ids, offsets), "train_top1": _top1(logits, ids, offsets)}

    def pooled_features(self, batched_inputs: list[dict]) -> Tensor:
        """Give the trunk's averaged last feature of each image, float (N, C): what a linear probe sees."""
        images = torch.stack([sample["image"] for sample in batched_inputs]).to(self.device, non_blocking=True)
        # Pixels travel as bytes; they become numbers here, once.
        images = (images.to(self.pixel_mean.dtype) - self.pixel_mean) / self.pixel_std
        features = self.backbone(images)[self.feature]
        return features.mean(dim=(2, 3))  # (N, C, H / 32, W / 32) -> (N, C)


@torch.no_grad()
def _top1(logits: Tensor, ids: Tensor, offsets: Tensor) -> Tensor:
    rows = torch.repeat_interleave(torch.arange(len(logits), device=ids.device), offsets.diff(), output_size=len(ids))
    hits = torch.zeros(len(logits), device=ids.device)
    return 100 * hits.index_add_(0, rows, (ids == logits.argmax(dim=1)[rows]).float()).mean()
