"""Names of keypoints: which two are the left and the right of one part, for flips and for every evaluation."""

import re
from collections.abc import Callable, Mapping, Sequence

from igdet.formats.coco.reading import CocoJsonError
from igdet.utils.messages import shown

# COCO's 17, in the order of its sigmas.
COCO_NAMES = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
)  # fmt: skip

SIDES = {"left": "right", "right": "left"}
LETTERS = {"l": "r", "r": "l"}
# "LEFT_EYE", "leftEye", "LEye", "Left Eye 2": a word begins at a capital before a small letter, or after what is none.
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
FEWEST_JOINED = 2  # one may be an accident, as lump and rump
_JOINED = re.compile(r"(left|right)(.+)|(.+)(left|right)")  # "lefteye", "eyeright"


def require_keypoint_names(path: object, category: Mapping) -> None:
    """Refuse a category whose "keypoints" are no list of different names.

    Raises:
        CocoJsonError: naming the category.
    """
    names = category.get("keypoints") or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise CocoJsonError(
            f"{path}: category {category['id']} has the keypoints {shown(names)}; expected a list of names"
        )
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise CocoJsonError(f"{path}: category {category['id']} has the keypoint {shown(twice[0])} more than once")


def flip_pairs(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return the (left, right) pairs among names, in their order.

    A side is the word "left" or "right", or where a name has neither, the letter "l" or "r" standing alone:
    left_eye, Left Eye, eye-left, leftEye, lefteye, L_eye, eye_l, lEye, EyeL. Where nothing pairs so, first or last
    letters are sides if they make `FEWEST_JOINED` pairs: leye, reye, lear, rear. A name whose other side is not there
    has no pair, nor have names that only contain such a letter: lip, rump, nose_root.
    """
    if pairs := _pairs(names, words):
        return pairs
    joined = (_pairs(names, split) for split in (_first_letter_apart, _last_letter_apart))
    return next((pairs for pairs in joined if len(pairs) >= FEWEST_JOINED), [])


def _pairs(names: Sequence[str], split: Callable[[str], tuple[str, ...]]) -> list[tuple[str, str]]:
    by_words = {split(name): name for name in names}
    pairs = [(name, by_words.get(_swapped(split(name)))) for name in names if _is_left(split(name))]
    return [(left, right) for left, right in pairs if right is not None]


def canonical(name: str) -> tuple[str, ...]:
    """Return what names of one keypoint have in common, however they are written: L_eye, eye left."""
    return tuple(sorted({"l": "left", "r": "right"}.get(word, word) for word in words(name)))


def has_side(name: str) -> bool:
    """Whether a name says which side it is of."""
    return _swapped(words(name)) != words(name)


def mirrored(names: Sequence[str], pairs: Sequence[tuple[str, str]]) -> list[int]:
    """For each keypoint the place of the one of the other side, its own where there is none.

    Args:
        names: (K,).
        pairs: (left, right), of these names.
    """
    other = {name: partner for pair in pairs for name, partner in (pair, pair[::-1])}
    return [names.index(other.get(name, name)) for name in names]


def words(name: str) -> tuple[str, ...]:
    """Return a name's words in small letters, a joined "lefteye" as two."""
    found = [word.lower() for word in _WORDS.findall(name)]
    if len(found) == 1 and (joined := _JOINED.fullmatch(found[0])):
        return tuple(part for part in joined.groups() if part)
    return tuple(found)


def _first_letter_apart(name: str) -> tuple[str, str]:
    return name[:1].lower(), name[1:].lower()


def _last_letter_apart(name: str) -> tuple[str, str]:
    return name[-1:].lower(), name[:-1].lower()


def _sides(found: Sequence[str]) -> Mapping[str, str]:
    return SIDES if any(word in SIDES for word in found) else LETTERS


def _swapped(found: Sequence[str]) -> tuple[str, ...]:
    return tuple(_sides(found).get(word, word) for word in found)


def _is_left(found: Sequence[str]) -> bool:
    return next((word for word in found if word in _sides(found)), "") in ("left", "l")
