"""Images of the world: things drawn over each other on clutter, with what a person would annotate."""

from colorsys import hsv_to_rgb
from dataclasses import dataclass, replace

import cv2
import numpy as np

from igdet.world.anatomy import ANATOMY, Patch, rotation
from igdet.world.dancer import KEYPOINT_NAMES, dancer_parts, draw_pose
from igdet.world.drawing import OVERSAMPLING, Canvas, draw_palette
from igdet.world.taxonomy import DANCER, NAMES

_GRID = 5  # colours along each side that the soft ground is interpolated from
_MIN_VISIBLE = 0.15  # a thing with a smaller share of its pixels in sight is not annotated
HIDDEN = 255  # in `DrawnImage.segments`
_PLACES_TRIED = 6  # the place with the least overlap is taken


def draw_background(side: int, clutter: float, rng: np.random.Generator) -> np.ndarray:
    """Draw a background.

    Args:
        side: of the square image in pixels.
        clutter: mean number of distracting marks.
        rng: source of chance.

    Returns:
        uint8 (side, side, 3), RGB.
    """
    pixels = _soft_ground(side, rng)
    for _ in range(rng.poisson(clutter)):
        MARKS[rng.integers(len(MARKS))](pixels, _colour(rng), rng)
    blur = 1 + 2 * int(rng.integers(0, 2))
    return cv2.blur(pixels, (blur, blur))


def _soft_ground(side: int, rng: np.random.Generator) -> np.ndarray:
    """Fade from one colour at the top to another at the bottom, with lighter, darker and tinted clouds."""
    top, bottom = np.array(_colour(rng)), np.array(_colour(rng))
    down = np.linspace(0, 1, _GRID)[:, None, None]
    clouds = rng.normal(0, 22, (_GRID, _GRID, 1)) + rng.normal(0, 10, (_GRID, _GRID, 3))
    colours = (top + (bottom - top) * down + clouds).astype(np.float32)
    return np.clip(cv2.resize(colours, (side, side), interpolation=cv2.INTER_CUBIC), 0, 255).astype(np.uint8)


def _colour(rng: np.random.Generator) -> tuple[float, float, float]:
    hue, saturation, value = rng.random(3)
    red, green, blue = hsv_to_rgb(hue, 0.05 + 0.5 * saturation, 0.35 + 0.6 * value)
    return 255 * red, 255 * green, 255 * blue


def _stroke(pixels: np.ndarray, colour: tuple, rng: np.random.Generator) -> None:
    side = len(pixels)
    start, end = rng.integers(0, side, (2, 2)).tolist()
    cv2.line(pixels, start, end, colour, int(rng.integers(1, side // 24 + 1)), cv2.LINE_AA)


def _blob(pixels: np.ndarray, colour: tuple, rng: np.random.Generator) -> None:
    side = len(pixels)
    axes = rng.integers(side // 24 + 1, side // 6, 2).tolist()
    cv2.ellipse(pixels, rng.integers(0, side, 2).tolist(), axes, rng.uniform(0, 180), 0, 360, colour, -1, cv2.LINE_AA)


def _shard(pixels: np.ndarray, colour: tuple, rng: np.random.Generator) -> None:
    side = len(pixels)
    corners = rng.integers(0, side, 2) + rng.integers(-side // 7, side // 7, (3, 2))
    cv2.fillPoly(pixels, [corners.astype(np.int32)], colour, cv2.LINE_AA)


MARKS = (_stroke, _blob, _shard)


@dataclass(frozen=True)
class Style:
    """What a kind of image looks like.

    Attributes:
        side: of the square image, in pixels.
        sizes: range of a thing's length as a share of `side`.
        clutter: mean number of distracting marks in the background.
    """

    side: int
    sizes: tuple[float, float]
    clutter: float


@dataclass(frozen=True)
class Thing:
    """One annotated thing; all places in image pixels, the image's corner being (0, 0).

    Attributes:
        class_id: position in `taxonomy.WNIDS`.
        box: x0, y0, x1, y1 of the visible part.
        polygons: float64 (n, 2) each, n >= 3, around the visible part.
        area: of the visible part, in pixels.
        keypoints: float64 (K, 3), x, y and COCO's visibility (0 outside the image, 1 hidden, 2 seen); K is 0 for
            things without joints.
    """

    class_id: int
    box: tuple[float, float, float, float]
    polygons: list[np.ndarray]
    area: float
    keypoints: np.ndarray


@dataclass(frozen=True)
class DrawnImage:
    """An image and what is seen on it.

    Attributes:
        image: uint8 RGB (side, side, 3).
        things: that are annotated, the farthest first.
        segments: uint8 (side, side): i + 1 where `things[i]` is seen, 0 on the ground, `HIDDEN` where a thing is seen
            of which too little is in sight for an annotation.
    """

    image: np.ndarray
    things: list[Thing]
    segments: np.ndarray


def draw_image(class_ids: list[int], style: Style, rng: np.random.Generator) -> DrawnImage:
    """Draw things of the given classes over a cluttered background.

    Args:
        class_ids: one for each thing, the farthest first; at most 254.
        style: of the image.
        rng: the only source of chance.

    Returns:
        The image; a thing that the nearer ones hide, or the image's edge cuts off, is not among its things.
    """
    side = style.side * OVERSAMPLING
    background = draw_background(style.side, style.clutter, rng)
    canvas = Canvas(cv2.resize(background, (side, side), interpolation=cv2.INTER_LINEAR))
    light = rotation(rng.uniform(0, 360)) @ (rng.uniform(0.1, 0.35), 0)  # one sun: the same for all things
    radii = rng.uniform(*style.sizes, len(class_ids)) * side / 2
    centres = _place(radii, side, rng)
    painted = [
        _paint_thing(canvas, number, class_id, radius, centre, light, rng)
        for number, (class_id, radius, centre) in enumerate(zip(class_ids, radii, centres, strict=True), start=1)
    ]
    things = [_annotate(canvas, number, *thing) for number, thing in enumerate(painted, start=1)]
    return DrawnImage(
        _expose(canvas, rng), [thing for thing in things if thing], _segments(canvas.owner, [*map(bool, things)])
    )


def _place(radii: np.ndarray, side: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Choose centres (2,) of things, each at that of the places tried where it overlaps the earlier ones least."""
    centres: list[np.ndarray] = []
    for i, radius in enumerate(radii):
        margin = min(0.85 * radius, side / 2)
        tried = rng.uniform(margin, side - margin, (_PLACES_TRIED, 2))
        # The gap between two circles is the distance of their centres less both radii; negative where they overlap.
        gaps = [np.linalg.norm(tried - centres[j], axis=1) - radius - radii[j] for j in range(i)]
        centres.append(tried[np.argmax(np.min(gaps, axis=0))] if gaps else tried[0])
    return centres


def _paint_thing(
    canvas: Canvas,
    number: int,
    class_id: int,
    radius: float,
    centre: np.ndarray,
    light: np.ndarray,
    rng: np.random.Generator,
) -> tuple[int, int, np.ndarray]:
    """Paint a thing and give its class, the number of pixels painted, and its joints on the canvas (K, 2)."""
    name = NAMES[class_id]
    turn = rotation(rng.normal(0, 14))
    if class_id == DANCER:
        pose = draw_pose(rng)
        parts, joints = dancer_parts(pose), np.array([pose[name] for name in KEYPOINT_NAMES])
        form = turn
    else:
        parts, joints = _wobble(ANATOMY[name], rng), np.zeros((0, 2))
        form = turn @ _distortion(rng)
    frame = np.column_stack([radius * form, centre])
    canvas.paint(number, parts, frame, draw_palette(name, rng))
    canvas.model(number, light)
    return class_id, int(np.count_nonzero(canvas.owner == number)), joints @ frame[:, :2].T + centre


def _distortion(rng: np.random.Generator) -> np.ndarray:
    """Draw a matrix (2, 2) that stretches, shears and sometimes mirrors."""
    stretch, shear = rng.uniform(0.85, 1.15), rng.uniform(-0.2, 0.2)
    mirror = rng.choice((-1, 1))
    # The determinant is 1 or -1: a thing keeps its area, so that its size says nothing about its form.
    return np.array([[mirror * stretch, shear], [0, 1 / stretch]])


def _wobble(parts: list[Patch], rng: np.random.Generator) -> list[Patch]:
    """Let every part of an individual be a little larger, smaller, wider or narrower than the species' part."""
    scales = rng.uniform(0.87, 1.13, (len(parts), 2))
    wobbled = []
    for part, scale in zip(parts, scales, strict=True):
        middle = part.outline.mean(axis=0)
        wobbled.append(replace(part, outline=middle + (part.outline - middle) * scale))
    return wobbled


def _annotate(canvas: Canvas, number: int, class_id: int, painted: int, joints: np.ndarray) -> Thing | None:
    mask = (canvas.owner == number).astype(np.uint8)
    visible = np.count_nonzero(mask)
    polygons = _polygons(mask)
    if visible <= _MIN_VISIBLE * painted or not polygons:
        return None
    x, y, width, height = (extent / OVERSAMPLING for extent in cv2.boundingRect(mask))
    area = visible / OVERSAMPLING**2
    return Thing(class_id, (x, y, x + width, y + height), polygons, area, _keypoints(canvas.owner, number, joints))


def _polygons(mask: np.ndarray) -> list[np.ndarray]:
    """Outline a mask on the canvas, without specks, in image pixels."""
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    simplified = [cv2.approxPolyDP(outline, 0.6, closed=True)[:, 0] for outline in outlines]
    # OpenCV counts from the middle of the first pixel, an image's frame from its corner: half a canvas pixel.
    return [(outline + 0.5) / OVERSAMPLING for outline in simplified if cv2.contourArea(outline) >= 4 * OVERSAMPLING**2]


def _segments(owner: np.ndarray, are_annotated: list[bool]) -> np.ndarray:
    """Number the annotated things from 1 on; a pixel is the nearest's that, with all nearer ones, covers half of it."""
    step = OVERSAMPLING
    samples = np.stack([owner[row::step, column::step] for row in range(step) for column in range(step)])
    nearest = np.sort(samples, axis=0)[len(samples) // 2]
    numbers = np.cumsum(are_annotated)
    shown = np.where(are_annotated, numbers, HIDDEN)
    return np.array([0, *shown], np.uint8)[nearest]


def _keypoints(owner: np.ndarray, number: int, joints: np.ndarray) -> np.ndarray:
    pixels = np.round(joints).astype(int)
    inside = np.all((pixels >= 0) & (pixels < owner.shape[::-1]), axis=1)
    x, y = pixels[inside].T
    visibility = np.zeros(len(joints))
    visibility[inside] = np.where(owner[y, x] == number, 2, 1)
    # COCO writes x = y = v = 0 for a joint that is not labelled, here one outside of the image.
    places = (joints + 0.5) / OVERSAMPLING * inside[:, None]
    return np.column_stack([places, visibility])


def _expose(canvas: Canvas, rng: np.random.Generator) -> np.ndarray:
    """Take the photo: shrink to image pixels, with the light's strength and tint and the sensor's grain."""
    height, width = (extent // OVERSAMPLING for extent in canvas.owner.shape)
    photo = cv2.resize(canvas.pixels, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    photo *= (rng.uniform(0.75, 1.15) * rng.uniform(0.92, 1.08, 3)).astype(np.float32)
    photo += rng.uniform(1, 6) * rng.standard_normal(photo.shape, dtype=np.float32)
    return np.clip(photo, 0, 255).astype(np.uint8)
