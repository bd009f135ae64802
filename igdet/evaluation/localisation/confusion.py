"""Which class is taken for which, background included."""

from collections import Counter
from collections.abc import Iterable

from igdet.evaluation.localisation.errors import RIGHT, UNCOUNTED, judge
from igdet.evaluation.localisation.overlaps import Picture

NOTHING = None  # in place of a class: no object there, or no detection


def confusion(pictures: Iterable[Picture]) -> Counter:
    """Count (class of the object, class of the detection) pairs at IoU 0.5.

    Returns:
        Pairs of category ids; (None, c): detections on no object; (c, None): objects without a right detection.
    """
    pairs: Counter = Counter()
    for picture in pictures:
        kinds, targets = judge(picture)
        matched = {target for kind, target in zip(kinds, targets, strict=True) if kind == RIGHT}
        for label, kind, target in zip(picture.classes.tolist(), kinds, targets, strict=True):
            if kind in (RIGHT, "classification"):
                pairs[int(picture.truth[target]), label] += 1
            elif kind != UNCOUNTED:
                pairs[NOTHING, label] += 1
        for row, (label, ignored) in enumerate(zip(picture.truth.tolist(), picture.ignored, strict=True)):
            if not ignored and row not in matched:
                pairs[label, NOTHING] += 1
    return pairs
