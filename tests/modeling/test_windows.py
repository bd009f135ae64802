"""Attention within windows, against the same attention called on each window by itself."""

from functools import partial

import pytest
import torch
from detectron2.modeling import build_backbone
from torch import nn
from torch.nn import functional

from igdet.modeling import check_backbone
from igdet.modeling.windows import confine
from igdet.utils.yaml import ConfigError
from tests.support.library_configs import library_config

timm = pytest.importorskip("timm")
config = partial(library_config, "timm")


class Block(nn.Module):
    """A block that is its attention alone."""

    def __init__(self, attn):
        super().__init__()
        self.attn = attn

    def forward(self, tokens, **named):
        return self.attn(tokens, **named)


def confined(attentions, prefix, side, grid, patch=4):
    """Blocks of these attentions, confined, after a look at images of a grid."""
    blocks, embedding = [Block(attention) for attention in attentions], nn.Identity()
    confine(blocks, embedding, patch, prefix, side)
    embedding(torch.zeros(1, 3, patch * grid[0], patch * grid[1]))
    return blocks


def test_each_window_attends_to_itself_and_to_its_own_copy_of_the_tokens():
    """A grid of 5 x 4 in windows of 3 x 3: one row and two columns of zeros; two tokens that are no places."""
    from timm.models.vision_transformer import Attention

    torch.manual_seed(0)
    attentions = [Attention(16, num_heads=2, qkv_bias=True, norm_layer=nn.LayerNorm).eval() for _ in range(8)]
    tokens = torch.randn(2, 2 + 20, 16)
    places = functional.pad(tokens[:, 2:].reshape(2, 5, 4, 16), (0, 0, 0, 2, 0, 1))
    expected, shared = torch.zeros(2, 6, 6, 16), []
    for top in (0, 3):
        for left in (0, 3):
            window = places[:, top : top + 3, left : left + 3].reshape(2, 9, 16)
            attended = attentions[0](torch.cat([tokens[:, :2], window], 1))
            expected[:, top : top + 3, left : left + 3] = attended[:, 2:].reshape(2, 3, 3, 16)
            shared.append(attended[:, :2])
    whole = attentions[1](tokens)
    blocks = confined(attentions, prefix=2, side=3, grid=(5, 4))
    found = blocks[0](tokens)
    torch.testing.assert_close(found[:, :2], sum(shared) / 4)
    torch.testing.assert_close(found[:, 2:].reshape(2, 5, 4, 16), expected[:, :5, :4])
    torch.testing.assert_close(blocks[1](tokens), whole)  # the last of a quarter


def test_rotations_of_the_first_window_serve_all():
    """By differences of places alone: a window further on gives what its own rotations give."""
    from timm.layers.pos_embed_sincos import RotaryEmbeddingDinoV3
    from timm.models.eva import EvaAttention

    torch.manual_seed(0)
    attentions = [
        EvaAttention(32, num_heads=2, num_prefix_tokens=0, rotate_half=True, norm_layer=nn.LayerNorm).eval()
        for _ in range(8)
    ]
    rope = RotaryEmbeddingDinoV3(16).eval().get_embed((4, 6))  # (24, 2 x 16)
    tokens = torch.randn(1, 24, 32)
    part = [row * 6 + column for row in (2, 3) for column in (4, 5)]
    expected = attentions[0](tokens[:, part], rope=rope[part])
    blocks = confined(attentions, prefix=0, side=2, grid=(4, 6))
    torch.testing.assert_close(blocks[0](tokens, rope=rope)[:, part], expected)


@pytest.mark.parametrize("name", ["test_vit3", "vit_small_patch16_dinov3"])
def test_windows_of_the_whole_grid_change_nothing_and_smaller_ones_do(name):
    trunks = [build_backbone(config(name, True, "MODEL.TIMM.WINDOW", side)).bottom_up.eval() for side in (0, 4, 2)]
    for weight in trunks[0].parameters():
        nn.init.normal_(weight, std=0.1)  # new weights attend to all alike
    for trunk in trunks[1:]:
        trunk.load_state_dict(trunks[0].state_dict())
    images = torch.randn(1, 3, 64, 48)
    (expected,), (same,), (other,) = (trunk(images).values() for trunk in trunks)
    torch.testing.assert_close(same, expected)
    assert (other - expected).abs().max() > 1e-4


def test_windows_are_refused_where_there_are_none():
    with pytest.raises(ConfigError, match=r"MODEL\.TIMM\.WINDOW is 14, but test_resnet is no plain vision transformer"):
        check_backbone(config("test_resnet", True, "MODEL.TIMM.WINDOW", 14))
    with pytest.raises(ConfigError, match=r"MODEL\.TIMM\.WINDOW is 14: windows are for detectors; set 0"):
        check_backbone(config("test_vit", False, "MODEL.TIMM.WINDOW", 14))
