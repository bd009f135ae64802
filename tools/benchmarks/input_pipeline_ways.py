"""Ways from a JPEG's bytes to a normalised image of 224 x 224: igdet's and its peers', same crops, same flips."""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from unittest import mock

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision import io as tv_io
from torchvision import transforms as v1
from torchvision.transforms import v2

from igdet.curation.images import CleanSettings, clean_image
from igdet.curation.images.restarts import add_restarts
from igdet.data.images import jpeg
from igdet.data.images.decoding import open_croppable
from igdet.data.images.transforms import TestTransform, TrainTransform, sample_crop
from igdet.formats.images import open_image

SIZE, SHORT_SIDE = 224, 256
SCALE, RATIO = (0.08, 1.0), (3 / 4, 4 / 3)
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]  # ImageNet's, of values 0..1
_MEAN, _STD = (255 * torch.tensor(values).view(3, 1, 1) for values in (MEAN, STD))


@dataclass(frozen=True)
class Draw:
    """An image, the number from which igdet draws its crop and flip, and what it will draw, for the peers."""

    data: bytes
    number: int
    crop: tuple[int, int, int, int]
    flip: bool

    @classmethod
    def of(cls, data: bytes, number: int) -> "Draw":
        """Draw beforehand."""
        width, height = open_image(io.BytesIO(data)).size
        rng = np.random.default_rng(number)
        return cls(data, number, sample_crop(height, width, SCALE, RATIO, rng), bool(rng.random() < 0.5))

    def curated(self, max_side: int) -> "Draw":
        """The same from a shard whose images curation has made smaller."""
        return Draw.of(clean_image(self.data, CleanSettings(max_side=max_side)), self.number)

    def restarted(self) -> "Draw":
        """The same image as curation codes it again with restart markers, its colour profile left aside."""
        return replace(self, data=add_restarts(self.data) or self.data)


Way = Callable[[Draw], Tensor]  # gives float (3, 224, 224)


def _igdet(pixels: np.ndarray) -> Tensor:
    """What becomes of pixels: channels first as a sample has them, then normalised as the classifier does."""
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))).float().sub_(_MEAN).div_(_STD)


def igdet_training(fast: bool = False) -> Way:
    """Build igdet's training way; it draws its crops itself."""
    transform = TrainTransform(SIZE, SCALE, RATIO, flip=0.5, fast=fast)
    return lambda draw: _igdet(transform(open_croppable(draw.data, "RGB", ""), np.random.default_rng(draw.number)))


def igdet_evaluation(draw: Draw) -> Tensor:
    """igdet's evaluation."""
    return _igdet(TestTransform(SHORT_SIDE, SIZE)(open_croppable(draw.data, "RGB", "")))


def without_binding(way: Way) -> Way:
    """Make igdet decode with OpenCV, as where its binding was not built."""

    def wrapped(draw: Draw) -> Tensor:
        with mock.patch.object(jpeg, "_decode", jpeg._by_opencv):
            return way(draw)

    return wrapped


class _CropOfV1(v1.RandomResizedCrop):
    """Draws as ever, then takes the crop that is given."""

    def get_params(self, img, scale, ratio):
        super().get_params(img, scale, ratio)
        return self.crop


class _CropOfV2(v2.RandomResizedCrop):
    """Likewise."""

    def make_params(self, flat_inputs):
        return super().make_params(flat_inputs) | dict(zip(("top", "left", "height", "width"), self.crop, strict=True))


def _read_v1(data: bytes) -> Image.Image:
    return open_image(io.BytesIO(data)).convert("RGB")


def _read_v2(data: bytes) -> Tensor:
    return tv_io.decode_jpeg(torch.frombuffer(data, dtype=torch.uint8), tv_io.ImageReadMode.RGB)


def _peer(read, module, crop, to_float: list) -> tuple[Way, Way]:
    """Build a peer's training and evaluation from its public transforms, with drawing replaced by what is given."""
    finish = [*to_float, module.Normalize(MEAN, STD)]
    training = {
        flip: module.Compose([crop, module.RandomHorizontalFlip(float(flip)), *finish]) for flip in (False, True)
    }
    evaluation = module.Compose([module.Resize(SHORT_SIDE), module.CenterCrop(SIZE), *finish])

    def train(draw: Draw) -> Tensor:
        crop.crop = draw.crop
        return training[draw.flip](read(draw.data))

    return train, lambda draw: evaluation(read(draw.data))


_V1 = _peer(_read_v1, v1, _CropOfV1(SIZE), [v1.ToTensor()])
_V2 = _peer(_read_v2, v2, _CropOfV2(SIZE), [v2.ToDtype(torch.float32, scale=True)])
TRAINING: dict[str, Way] = {
    "torchvision v1 + Pillow": _V1[0],
    "torchvision v2 + decode_jpeg": _V2[0],
    "igdet": igdet_training(),
    "igdet, `TRAIN_RESIZE: fast`": igdet_training(fast=True),
    "igdet without its binding": without_binding(igdet_training()),
}
# Of images with restart markers: OpenCV decodes all of them, by libjpeg-turbo's slower way.
RESTARTED: dict[str, dict[str, Way]] = {
    "training": {"igdet": igdet_training(), "igdet without its binding": without_binding(igdet_training())},
    "evaluation": {"igdet": igdet_evaluation, "igdet without its binding": without_binding(igdet_evaluation)},
}
EVALUATION: dict[str, Way] = {
    "torchvision v1 + Pillow": _V1[1],
    "torchvision v2 + decode_jpeg": _V2[1],
    "igdet": igdet_evaluation,
    "igdet without its binding": without_binding(igdet_evaluation),
}


def levels_apart(result: Tensor, reference: Tensor) -> float:
    """Return the mean absolute difference of two normalised images, in levels of 0..255."""
    return ((result - reference) * _STD).abs().mean().item()
