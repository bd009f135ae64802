"""The world's person: a dancer seen from the front, with joints that are the keypoints."""

import numpy as np

from igdet.world.anatomy import Patch, ellipse, limb, rotation, smooth

# "left" is the dancer's own left, at the right of the image.
KEYPOINT_NAMES: tuple[str, ...] = (
    "head", "neck",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip
BONES: tuple[tuple[str, str], ...] = (
    ("head", "neck"),
    *[(a, b) for side in ("left", "right") for a, b in (
        ("neck", f"{side}_shoulder"), (f"{side}_shoulder", f"{side}_elbow"), (f"{side}_elbow", f"{side}_wrist"),
        ("neck", f"{side}_hip"), (f"{side}_hip", f"{side}_knee"), (f"{side}_knee", f"{side}_ankle"),
    )],
)  # fmt: skip

_SIDES = {"left": 1, "right": -1}  # sign of x
_ARM_LENGTHS = (0.33, 0.32)  # upper arm, forearm; unit frame, the standing dancer is about 2 high
_LEG_LENGTHS = (0.43, 0.43)


def draw_pose(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draw a pose: every joint's place (2,) in the unit frame, by keypoint name."""
    joints = {"head": np.array([0.0, -0.78]), "neck": np.array([0.0, -0.52])}
    for side, sign in _SIDES.items():
        shoulder, hip = np.array([sign * 0.22, -0.45]), np.array([sign * 0.13, 0.1])
        arm = _chain(shoulder, _ARM_LENGTHS, rng.uniform(5, 165), rng.uniform(-80, 80), sign)
        leg = _chain(hip, _LEG_LENGTHS, rng.uniform(-8, 65), rng.uniform(-70, 15), sign)
        names = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
        joints |= {f"{side}_{name}": place for name, place in zip(names, (*arm, *leg), strict=True)}
    lean = rotation(rng.uniform(-12, 12)).T
    return {name: place @ lean for name, place in joints.items()}


def _chain(start: np.ndarray, lengths: tuple[float, float], swing: float, bend: float, sign: int) -> list[np.ndarray]:
    """Return the three joints of a limb; swing counts degrees from straight down to the outside, bend is added."""
    down = np.array([0.0, 1.0])
    middle = start + lengths[0] * rotation(-sign * swing) @ down
    return [start, middle, middle + lengths[1] * rotation(-sign * (swing + bend)) @ down]


def dancer_parts(joints: dict[str, np.ndarray]) -> list[Patch]:
    """Clothe a pose with parts, legs first, head last."""
    parts = [part for side in _SIDES for part in _leg(joints, side)]
    corners = [joints[name] for name in ("left_shoulder", "right_shoulder", "right_hip", "left_hip")]
    parts.append(Patch(_widened(corners), "main", "checks", "light"))
    parts += [part for side in _SIDES for part in _arm(joints, side)]
    return parts + _head(joints)


def _leg(joints: dict[str, np.ndarray], side: str) -> list[Patch]:
    hip, knee, ankle = (joints[f"{side}_{name}"] for name in ("hip", "knee", "ankle"))
    toe = np.add(ankle, (_SIDES[side] * 0.09, 0.03))
    return [
        Patch(limb(ankle, toe, 0.06, 0.05), "black"),
        Patch(limb(hip, knee, 0.13, 0.1), "second"),
        Patch(limb(knee, ankle, 0.1, 0.06), "second"),
    ]


def _arm(joints: dict[str, np.ndarray], side: str) -> list[Patch]:
    shoulder, elbow, wrist = (joints[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist"))
    return [
        Patch(limb(elbow, wrist, 0.065, 0.06), "third"),
        Patch(limb(shoulder, elbow, 0.09, 0.07), "main"),
    ]


def _head(joints: dict[str, np.ndarray]) -> list[Patch]:
    (x, y), neck = joints["head"], joints["neck"]
    eyes = [Patch(ellipse(x + dx, y + 0.02, 0.035, 0.04, points=8), "black") for dx in (-0.075, 0.075)]
    return [
        Patch(limb(neck, joints["head"], 0.07, 0.07), "third"),
        Patch(ellipse(x, y - 0.04, 0.21, 0.23), "black"),
        Patch(ellipse(x, y + 0.03, 0.165, 0.18), "third"),
        *eyes,
    ]


def _widened(corners: list[np.ndarray]) -> np.ndarray:
    """Return the torso: the joints lie inside the body, and rounding cuts the corners, so both are made up for."""
    centre = np.mean(corners, axis=0)
    return smooth(*(centre + (corner - centre) * (1.5, 1.25) for corner in corners))
