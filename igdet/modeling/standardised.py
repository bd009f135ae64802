"""A linear layer on standardised features, which SGD can train to the end on features of any mean and scale.

Shapes: N images, C channels, L classes.
"""

from torch import Tensor, nn


class StandardisedLinear(nn.Linear):
    """A linear layer behind a batch normalisation without scale and shift, for features of a frozen trunk.

    Pooled features are positive and of very different spread: their common mean makes plain SGD so slow that after a
    usual schedule it is points of accuracy from its own minimum. Standardised as in "Masked Autoencoders Are Scalable
    Vision Learners" (He et al. 2021, arXiv 2111.06377, appendix A.1) it is not. The layer stays linear in the features:
    `igdet.checkpoint.folding` gives the plain one. The trunk does not change, so means and variances for evaluation are
    averages over all batches.
    """

    def __init__(self, in_features: int, out_features: int):
        super().__init__(in_features, out_features)
        self.norm = nn.BatchNorm1d(in_features, affine=False, momentum=None)

    def forward(self, features: Tensor) -> Tensor:
        """From float (N, C) to (N, L); in training N >= 2."""
        return super().forward(self.norm(features))
