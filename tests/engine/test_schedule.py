"""Schedules in images seen, against hand-worked numbers of the paper's recipe."""

import pytest
import torch
from detectron2.config import get_cfg
from detectron2.solver import build_lr_scheduler

from igdet.config import ConfigError, add_igdet_config
from igdet.engine.schedule import drop_steps, resolve_schedule


def config(**solver):
    cfg = get_cfg()
    add_igdet_config(cfg)
    cfg.SOLVER.update(solver)
    return cfg


def test_pretraining_recipe():
    cfg = config(IMAGES_SEEN=8064 * 1000, IMS_PER_BATCH=8064, BASE_LR=0.1, LR_REFERENCE_BATCH=256, GAMMA=0.5)
    cfg.SOLVER.update(WARMUP_IMAGES=8064 * 50, LR_DROPS=4)
    resolve_schedule(cfg)
    assert cfg.SOLVER.MAX_ITER == 1000
    assert cfg.SOLVER.STEPS == (200, 400, 600, 800)
    assert cfg.SOLVER.WARMUP_ITERS == 50
    assert pytest.approx(3.15) == cfg.SOLVER.BASE_LR
    assert pytest.approx(0.1) == cfg.SOLVER.BASE_LR * cfg.SOLVER.WARMUP_FACTOR


def test_learning_rate_of_a_whole_run():
    cfg = config(IMAGES_SEEN=320, IMS_PER_BATCH=32, BASE_LR=0.1, LR_REFERENCE_BATCH=8, GAMMA=0.5)
    cfg.SOLVER.update(WARMUP_IMAGES=64, LR_DROPS=1)
    resolve_schedule(cfg)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=cfg.SOLVER.BASE_LR)
    scheduler = build_lr_scheduler(cfg, optimizer)
    rates = []
    for _ in range(cfg.SOLVER.MAX_ITER):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    # peak 0.1 * 32 / 8 = 0.4; two iterations of warm-up from 0.1; halved after half of the ten iterations
    assert rates == pytest.approx([0.1, 0.25, 0.4, 0.4, 0.4, 0.2, 0.2, 0.2, 0.2, 0.2])


def test_a_change_of_batch_keeps_the_recipe_in_images():
    recipe = {"IMAGES_SEEN": 6400, "WARMUP_IMAGES": 640, "LR_DROPS": 3, "LR_REFERENCE_BATCH": 16}
    runs = [config(**recipe, IMS_PER_BATCH=batch) for batch in (16, 64)]
    for cfg in runs:
        resolve_schedule(cfg)
    in_images = [
        [cfg.SOLVER.IMS_PER_BATCH * n for n in (cfg.SOLVER.MAX_ITER, cfg.SOLVER.WARMUP_ITERS, *cfg.SOLVER.STEPS)]
        for cfg in runs
    ]
    assert in_images[0] == in_images[1] == [6400, 640, 1600, 3200, 4800]
    assert runs[1].SOLVER.BASE_LR == 4 * runs[0].SOLVER.BASE_LR


def test_resolved_config_resolves_to_itself():
    cfg = config(IMAGES_SEEN=100, IMS_PER_BATCH=16, LR_REFERENCE_BATCH=4, LR_DROPS=2)
    resolve_schedule(cfg)
    again = cfg.clone()
    resolve_schedule(again)
    assert again == cfg
    assert cfg.SOLVER.MAX_ITER == 7  # 100 / 16 = 6.25, and no image is left out


def test_without_images_seen_nothing_changes():
    cfg = config(MAX_ITER=7, STEPS=(5,))
    before = cfg.clone()
    resolve_schedule(cfg)
    assert cfg == before


@pytest.mark.parametrize("key", ["WARMUP_IMAGES", "LR_DROPS", "LR_REFERENCE_BATCH"])
def test_a_key_that_goes_with_images_seen_is_refused_without_it(key):
    with pytest.raises(
        ConfigError, match=rf"SOLVER\.{key} 3 goes with a schedule in images, but SOLVER.IMAGES_SEEN is 0"
    ):
        resolve_schedule(config(**{key: 3}))


def test_without_a_reference_batch_the_warmup_factor_stays():
    cfg = config(IMAGES_SEEN=100, IMS_PER_BATCH=10, BASE_LR=0.2, WARMUP_FACTOR=0.25)
    resolve_schedule(cfg)
    assert (cfg.SOLVER.BASE_LR, cfg.SOLVER.WARMUP_FACTOR) == (0.2, 0.25)


def test_no_drops():
    assert drop_steps(100, 0) == ()


@pytest.mark.parametrize(
    ("solver", "message"),
    [
        ({"IMAGES_SEEN": -1}, "IMAGES_SEEN is -1"),
        ({"LR_DROPS": -2}, "LR_DROPS is -2"),
        ({"WARMUP_IMAGES": 1000}, "leaves nothing"),
        ({"LR_DROPS": 10, "IMS_PER_BATCH": 100}, "do not fit"),
        ({"REFERENCE_WORLD_SIZE": 8}, "both rescale"),
    ],
)
def test_impossible_schedules_are_refused(solver, message):
    with pytest.raises(ConfigError, match=message):
        resolve_schedule(config(**{"IMAGES_SEEN": 1000, **solver}))
