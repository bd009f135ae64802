"""Contact sheets of what the training loader really yields: transformed images with their labels drawn."""

import math
import textwrap
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import matplotlib
import numpy as np
from detectron2.config import CfgNode
from detectron2.data import Metadata, MetadataCatalog
from detectron2.data.detection_utils import convert_image_to_rgb
from detectron2.utils.visualizer import Visualizer
from PIL import Image, ImageDraw, ImageFont

from igdet.data.build import build_classification_train_loader, build_detection_train_loader, draw_seed

CELL = 320  # side of the square that an image fits in, pixels
CAPTION_LINES = 2
CAPTION_WIDTH = 42  # characters of `FONT_SIZE` in a line of `CELL` pixels
FONT_SIZE = 13
LINE = 16  # pixels
COLUMNS = 4
FIELDS = {"gt_boxes": "boxes", "gt_masks": "masks", "gt_keypoints": "keypoints"}  # of Instances -> of Visualizer

BUILDERS: dict[str, Callable] = {
    **dict.fromkeys(("hashtags", "classification"), build_classification_train_loader),
    **dict.fromkeys(("coco", "lvis", "sem_seg", "coco_panoptic_seg"), build_detection_train_loader),
}


def contact_sheet(cfg: CfgNode, count: int) -> Image.Image:
    """Draw the first samples that a config's training would see.

    Args:
        cfg: a config whose own data sets are registered.
        count: number of samples.

    Returns:
        The sheet, RGB: boxes, masks, keypoints and classes of pixels drawn in, class names or hashtags below.
    """
    metadata = MetadataCatalog.get(cfg.DATASETS.TRAIN[0])
    loader = BUILDERS[metadata.evaluator_type](cfg, draw_seed(cfg))
    samples = islice((sample for batch in loader for sample in batch), count)
    return _grid([_cell(sample, metadata, cfg.INPUT.FORMAT) for sample in samples])


def _cell(sample: dict, metadata: Metadata, channel_order: str) -> Image.Image:
    pixels = convert_image_to_rgb(sample["image"].permute(1, 2, 0), channel_order)  # (3, H, W) -> (H, W, 3)
    draw = next((draw for key, draw in DRAWINGS.items() if key in sample), _with_labels)
    image, caption = draw(sample, pixels, metadata)
    cell = Image.new("RGB", (CELL, CELL + CAPTION_LINES * LINE), "white")
    cell.paste(image, ((CELL - image.width) // 2, (CELL - image.height) // 2))
    lines = textwrap.wrap(caption, CAPTION_WIDTH, max_lines=CAPTION_LINES, placeholder=" ...")
    ImageDraw.Draw(cell).text((4, CELL), "\n".join(lines), "black", font=_font())
    return cell


def _with_labels(sample: dict, pixels: np.ndarray, metadata: Metadata) -> tuple[Image.Image, str]:
    names = [metadata.thing_classes[label] for label in sample["gt_classes"]]
    return Image.fromarray(pixels).resize((CELL, CELL), Image.Resampling.BICUBIC), "  ".join(names)


def _with_instances(sample: dict, pixels: np.ndarray, metadata: Metadata) -> tuple[Image.Image, str]:
    instances = sample["instances"]
    names = [metadata.thing_classes[label] for label in instances.gt_classes]
    drawn = {FIELDS[key]: value for key, value in instances.get_fields().items() if key in FIELDS}
    visualizer = Visualizer(pixels, metadata, scale=CELL / max(pixels.shape))
    image = Image.fromarray(visualizer.overlay_instances(labels=names, **drawn).get_image())
    return image, Path(sample["file_name"]).name


def _with_pixels(sample: dict, pixels: np.ndarray, metadata: Metadata) -> tuple[Image.Image, str]:
    visualizer = Visualizer(pixels, metadata, scale=CELL / max(pixels.shape))
    image = Image.fromarray(visualizer.draw_sem_seg(sample["sem_seg"]).get_image())
    return image, Path(sample["file_name"]).name


# Key of a sample -> how it is drawn, the first that it has; a classifier's has none.
DRAWINGS = {"instances": _with_instances, "sem_seg": _with_pixels}


def _grid(cells: list[Image.Image]) -> Image.Image:
    rows = math.ceil(len(cells) / COLUMNS)
    width, height = cells[0].size
    sheet = Image.new("RGB", (width * min(COLUMNS, len(cells)), height * rows), "white")
    for i, cell in enumerate(cells):
        sheet.paste(cell, (i % COLUMNS * width, i // COLUMNS * height))
    return sheet


def _font() -> ImageFont.FreeTypeFont:
    """Matplotlib brings a font with far more letters than Pillow's own: hashtags are in every language."""
    return ImageFont.truetype(str(Path(matplotlib.get_data_path(), "fonts/ttf/DejaVuSans.ttf")), FONT_SIZE)
