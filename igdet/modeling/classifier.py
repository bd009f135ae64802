"""One classifier for hashtag pretraining, finetuning and linear probing, as a Detectron2 meta-architecture."""

import math

import torch
from detectron2.config import CfgNode, configurable
from detectron2.modeling import META_ARCH_REGISTRY, Backbone, build_backbone
from torch import Tensor, nn

from igdet.modeling.losses import LOSSES, KHotLabels
from igdet.modeling.moe import mixture_blocks
from igdet.modeling.pooling import POOLINGS


class StandardisedLinear(nn.Linear):
    """A linear layer behind a batch normalisation without scale and shift, for features of a frozen trunk.

    Pooled features are positive and of very different spread: their common mean makes plain SGD so slow that after a
    usual schedule it is points of accuracy from its own minimum. Standardised as in "Masked Autoencoders Are Scalable
    Vision Learners" (He et al. 2021, arXiv 2111.06377, appendix A.1) it is not. The layer stays linear in the features:
    `igdet.checkpoint.fit` returns the plain one. The trunk does not change, so means and variances for evaluation are
    averages over all batches.
    """

    def __init__(self, in_features: int, out_features: int):
        super().__init__(in_features, out_features)
        self.norm = nn.BatchNorm1d(in_features, affine=False, momentum=None)

    def forward(self, features: Tensor) -> Tensor:
        """From float (N, C) to (N, L); in training N >= 2."""
        return super().forward(self.norm(features))


@META_ARCH_REGISTRY.register()
class ImageClassifier(nn.Module):
    """A trunk, pooling over places and a linear layer.

    The three uses differ in the config only: labels (many hashtags or one class), weights to start from, and
    MODEL.BACKBONE.FREEZE_AT (5 freezes the whole trunk, which makes a linear probe).
    """

    pixel_mean: Tensor  # (3, 1, 1)
    pixel_std: Tensor  # (3, 1, 1)

    @configurable
    def __init__(
        self,
        *,
        backbone: Backbone,
        num_classes: int,
        pixel_mean: list[float],
        pixel_std: list[float],
        balance_weight: float = 0.01,
        standardise: bool = False,
        loss: str = "softmax",
        pooling: str = "mean",
    ):
        """Build the classifier with new weights.

        Args:
            backbone: returns one feature map, the trunk's last, which is pooled.
            num_classes: L.
            pixel_mean: of each channel, in INPUT.FORMAT order, 0..255.
            pixel_std: likewise.
            balance_weight: of the loss that keeps the experts of a mixture in equal use; nothing without a mixture.
            standardise: whether the classifier standardises the pooled features, as linear probes do.
            loss: a key of `igdet.modeling.losses.LOSSES`.
            pooling: a key of `igdet.modeling.pooling.POOLINGS`.
        """
        super().__init__()
        self.balance_weight = balance_weight
        self.backbone = backbone
        (self.feature,) = backbone.output_shape()
        channels = backbone.output_shape()[self.feature].channels
        self.pooling = POOLINGS[pooling](channels)
        self.classifier = (StandardisedLinear if standardise else nn.Linear)(channels, num_classes)
        # The 0.01 of "Accurate, Large Minibatch SGD" (arXiv 1706.02677, section 5.1).
        nn.init.normal_(self.classifier.weight, std=0.01)
        # Sigmoids begin at the share of 1 in L that an image with one label has: at 1/2 the first steps only lower all
        # logits ("Focal Loss for Dense Object Detection", arXiv 1708.02002, section 4.1).
        nn.init.constant_(self.classifier.bias, -math.log(max(1, num_classes - 1)) if loss == "sigmoid" else 0.0)
        self.loss = LOSSES[loss]
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
            "balance_weight": cfg.MODEL.MOE.LOSS_WEIGHT,
            "standardise": cfg.MODEL.CLASSIFIER.STANDARDIZE,
            "loss": cfg.MODEL.CLASSIFIER.LOSS,
            "pooling": cfg.MODEL.CLASSIFIER.POOLING,
        }

    @property
    def device(self) -> torch.device:
        """Where the images must go."""
        return self.pixel_mean.device

    def forward(self, batched_inputs: list[dict]) -> dict[str, Tensor] | list[dict[str, Tensor]]:
        """Return losses in training, logits in evaluation.

        Args:
            batched_inputs: N samples with "image", uint8 (3, H, W), all of one size, and in training "gt_classes",
                int64 (k,), k >= 1, distinct ids 0..L - 1, on the host.

        Returns:
            In training {"loss_cls": scalar, "train_top1": the share of images whose best guess is one of their labels,
            in percent, scalar without gradient}, with mixtures of experts also "loss_balance" and each expert's share
            of the images, "expert_share_<i>"; else for each image {"pred_class_logits": float (L,)}.
        """
        logits = self.classifier(self.pooled_features(batched_inputs))  # (N, C) -> (N, L)
        if not self.training:
            return [{"pred_class_logits": row} for row in logits]
        label_ids = [sample["gt_classes"] for sample in batched_inputs]
        labels = KHotLabels.of(label_ids, self.classifier.out_features, self.device)
        labels = labels.repeated(len(logits) // len(label_ids))  # dense pooling has logits for every cell of an image
        loss = self.loss(logits, labels)
        return {"loss_cls": loss, "train_top1": _top1(logits, labels), **self._mixture_outputs()}

    def _mixture_outputs(self) -> dict[str, Tensor]:
        """How unequally the mixtures of experts used theirs in the last forward pass; nothing where there are none."""
        routings = [block.routing for block in mixture_blocks(self.backbone) if block.routing]
        if not routings:
            return {}
        shares = torch.stack([routing.shares for routing in routings]).mean(dim=0)  # (E,)
        balance = torch.stack([routing.balance for routing in routings]).mean()
        return {
            "loss_balance": self.balance_weight * balance,
            **{f"expert_share_{i}": share.detach() for i, share in enumerate(shares)},
        }

    def pooled_features(self, batched_inputs: list[dict]) -> Tensor:
        """Return the trunk's pooled last feature of each image, float (N, C): what a linear probe sees.

        With dense pooling in training, of each cell of each image, float (N * H * W, C).
        """
        images = torch.stack([sample["image"] for sample in batched_inputs]).to(self.device, non_blocking=True)
        # Pixels travel as bytes; they become numbers here, once.
        images = (images.to(self.pixel_mean.dtype) - self.pixel_mean) / self.pixel_std
        return self.pooling(self.backbone(images)[self.feature])  # (N, C, H / stride, W / stride) -> (N, C)


@torch.no_grad()
def _top1(logits: Tensor, labels: KHotLabels) -> Tensor:
    hits = torch.zeros(len(logits), device=logits.device)
    right = labels.ids == logits.argmax(dim=1)[labels.rows]  # (K,)
    return 100 * hits.index_add_(0, labels.rows, right.float()).mean()
