"""Training schedules counted in images seen, computed as Detectron2's schedules in iterations."""

import math

from detectron2.config import CfgNode

from igdet.utils.yaml import ConfigError

# Keys of SOLVER that mean something only in a schedule in images.
GO_WITH_IMAGES = ("WARMUP_IMAGES", "LR_DROPS", "LR_REFERENCE_BATCH")


def resolve_schedule(cfg: CfgNode) -> None:
    """Replace, in place, a schedule in images by the same schedule in iterations; without one, nothing changes.

    With batch B = IMS_PER_BATCH:

    1. MAX_ITER = ceil(IMAGES_SEEN / B); WARMUP_ITERS = round(WARMUP_IMAGES / B).
    2. peak = BASE_LR * B / LR_REFERENCE_BATCH, or BASE_LR itself when that is 0 (0.1 * 8064 / 256 = 3.15).
    3. The warm-up rises linearly from min(BASE_LR, peak); without a reference batch from WARMUP_FACTOR * peak.
    4. The rate is multiplied by GAMMA after the shares i / (n + 1) of the run, i = 1 .. n = LR_DROPS.

    The keys in images are 0 afterwards, so that the dumped config can be run again as it is.

    Args:
        cfg: a config with igdet's keys, not frozen.

    Raises:
        ConfigError: a count is negative, is set without SOLVER.IMAGES_SEEN, or the run is too short for its warm-up or
            its drops.
    """
    solver = cfg.SOLVER
    _refuse_negative(solver)
    if solver.IMAGES_SEEN == 0:
        _refuse_left_over(solver)
        return
    _refuse_impossible(solver)
    batch = solver.IMS_PER_BATCH
    solver.MAX_ITER = math.ceil(solver.IMAGES_SEEN / batch)
    solver.STEPS = drop_steps(solver.MAX_ITER, solver.LR_DROPS)
    solver.WARMUP_ITERS = round(solver.WARMUP_IMAGES / batch)
    if solver.LR_REFERENCE_BATCH:
        # The linear scaling rule (Goyal et al. 2017, arXiv 1706.02677, section 2.1): k times the batch, k times the
        # rate. Where that makes the rate smaller, there is nothing to warm up from, and the factor is 1.
        peak = solver.BASE_LR * batch / solver.LR_REFERENCE_BATCH
        solver.WARMUP_FACTOR = min(solver.BASE_LR, peak) / peak
        solver.BASE_LR = peak
    solver.IMAGES_SEEN = solver.WARMUP_IMAGES = solver.LR_DROPS = solver.LR_REFERENCE_BATCH = 0


def drop_steps(iterations: int, drops: int) -> tuple[int, ...]:
    """Spread learning-rate drops equally over a run.

    Args:
        iterations: length of the run.
        drops: number of drops, n >= 0.

    Returns:
        The iterations round(i / (n + 1) * iterations), i = 1 .. n.
    """
    return tuple(round(i * iterations / (drops + 1)) for i in range(1, drops + 1))


def _refuse_negative(solver: CfgNode) -> None:
    for key in ("IMAGES_SEEN", *GO_WITH_IMAGES):
        if solver[key] < 0:
            raise ConfigError(f"SOLVER.{key} is {solver[key]}: expected 0 or more")


def _refuse_left_over(solver: CfgNode) -> None:
    for key in GO_WITH_IMAGES:
        if solver[key]:
            raise ConfigError(
                f"SOLVER.{key} {solver[key]} goes with a schedule in images, but SOLVER.IMAGES_SEEN is 0: set it to "
                f"the number of images to train on, or {key} to 0 and count in MAX_ITER and STEPS"
            )


def _refuse_impossible(solver: CfgNode) -> None:
    if solver.REFERENCE_WORLD_SIZE:
        raise ConfigError(
            f"SOLVER.REFERENCE_WORLD_SIZE {solver.REFERENCE_WORLD_SIZE} and SOLVER.IMAGES_SEEN {solver.IMAGES_SEEN} "
            "both rescale the schedule: set REFERENCE_WORLD_SIZE to 0, or IMAGES_SEEN to 0 and count in iterations"
        )
    if solver.WARMUP_IMAGES >= solver.IMAGES_SEEN:
        raise ConfigError(
            f"SOLVER.WARMUP_IMAGES {solver.WARMUP_IMAGES} leaves nothing of SOLVER.IMAGES_SEEN {solver.IMAGES_SEEN}: "
            "make the warm-up shorter or the run longer"
        )
    if solver.LR_DROPS >= solver.IMAGES_SEEN / solver.IMS_PER_BATCH:
        raise ConfigError(
            f"SOLVER.LR_DROPS {solver.LR_DROPS} do not fit into {solver.IMAGES_SEEN} images in batches of "
            f"{solver.IMS_PER_BATCH}: ask for fewer drops or a longer run"
        )
