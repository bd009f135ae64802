"""Every head that configs/ has as an overlay: it trains and is evaluated from YAML alone."""

import argparse
import json

import numpy as np
import pytest
import torch
from squares import run

from igdet.config import ConfigError
from igdet.engine import evaluate
from igdet.engine.setup import setup

CASCADE = "Base-Cascade-RCNN.yaml"
C4, DC5 = "Base-RCNN-C4.yaml", "Base-RCNN-DC5.yaml"
FCOS, RETINANET = "Base-FCOS.yaml", "Base-RetinaNet.yaml"
POINT_REND = "Base-PointRend.yaml"
# The slim pyramid has 32 channels, and PointRend's coarse head reduces them.
SLIM_MASKS = ("MODEL.MASK_ON", "True", "MODEL.ROI_MASK_HEAD.CONV_DIM", "32")


def logged(folder):
    """What the last step of a run logged."""
    return json.loads((folder / "run/metrics.json").read_text().splitlines()[0])


def test_a_cascade_of_three_box_heads(squares, repository, tmp_path):
    results = run(squares, repository, tmp_path, "MODEL.MASK_ON", "True", overlays=[CASCADE])["squares"]
    assert set(results) == {"bbox", "segm"}
    record, line = json.loads((tmp_path / "run/results.json").read_text()), logged(tmp_path)
    assert record["lost_foreground"] is None
    for stage in ("stage0", "stage1", "stage2"):
        assert np.isfinite([line[f"loss_cls_{stage}"], line[f"loss_box_reg_{stage}"]]).all()
        assert f"{stage}/fast_rcnn/false_negative" in line  # what the watch over lost foreground looks at
    again = ("MODEL.MASK_ON", "True", "MODEL.WEIGHTS", str(tmp_path / "run/model_final.pth"))
    evaluated = run(squares, repository, tmp_path, *again, overlays=[CASCADE], eval_only=True)
    assert evaluated["squares"]["bbox"] == pytest.approx(results["bbox"], nan_ok=True)


@pytest.mark.parametrize(
    ("overlay", "opts", "loss"),
    [
        (RETINANET, ("MODEL.RETINANET.NUM_CLASSES", "1"), "loss_cls"),
        # Group normalisation needs more than the slim pyramid's one channel a group where a level is one cell.
        (FCOS, ("MODEL.FCOS.NUM_CLASSES", "1", "MODEL.FCOS.NORM", ""), "loss_fcos_cls"),
    ],
)
def test_a_dense_detector(overlay, opts, loss, squares, repository, tmp_path):
    results = run(squares, repository, tmp_path, *opts, overlays=[overlay])["squares"]
    assert set(results) == {"bbox"}
    assert np.isfinite(logged(tmp_path)[loss])
    again = (*opts, "MODEL.WEIGHTS", str(tmp_path / "run/model_final.pth"))
    evaluated = run(squares, repository, tmp_path, *again, overlays=[overlay], eval_only=True)
    assert evaluated["squares"]["bbox"] == pytest.approx(results["bbox"], nan_ok=True)


@pytest.mark.parametrize(("overlay", "head", "task"), [(C4, "MASK", "segm"), (DC5, "KEYPOINT", "keypoints")])
def test_heads_on_a_trunk_without_a_pyramid(overlay, head, task, squares, repository, tmp_path):
    opts = ("MODEL.BACKBONE.NAME", "X_14_8x4d", f"MODEL.{head}_ON", "True")
    results = run(squares, repository, tmp_path, *opts, overlays=[overlay])["squares"]
    assert set(results) == {"bbox", task}
    again = (*opts, "MODEL.WEIGHTS", str(tmp_path / "run/model_final.pth"))
    evaluated = run(squares, repository, tmp_path, *again, overlays=[overlay], eval_only=True)
    assert evaluated["squares"]["bbox"] == pytest.approx(results["bbox"], nan_ok=True)


def test_a_deformable_trunk(squares, repository, tmp_path):
    keys = {"DEFORM_ON_PER_STAGE": "[False, True, True, True]", "DEFORM_MODULATED": "True"}
    deformable = [part for key, value in keys.items() for part in (f"MODEL.RESNETS.{key}", value)]
    assert set(run(squares, repository, tmp_path, *deformable)["squares"]) == {"bbox"}
    state = torch.load(tmp_path / "run/model_final.pth", weights_only=False)["model"]
    assert state["backbone.bottom_up.res5.0.conv2_offset.weight"].abs().sum() > 0  # learnt, from zero


def test_point_rend(squares, repository, tmp_path):
    results = run(squares, repository, tmp_path, *SLIM_MASKS, overlays=[POINT_REND])["squares"]
    assert set(results) == {"bbox", "segm"}
    assert np.isfinite([logged(tmp_path)["loss_mask"], logged(tmp_path)["loss_mask_point"]]).all()
    args = argparse.Namespace(
        config_file=str(tmp_path / "run/config.yaml"),  # has all keys of PointRend
        opts=["MODEL.WEIGHTS", str(tmp_path / "run/model_final.pth")],
        resume=False,
        eval_only=True,
    )
    evaluated = evaluate(setup(args), args)["squares"]
    assert evaluated["segm"] == pytest.approx(results["segm"], nan_ok=True)


PLAIN = ("MODEL.BACKBONE.NAME", "X_14_8x4d")


@pytest.mark.parametrize(
    ("overlay", "opts", "message"),
    [
        (C4, (), r"OUT_FEATURES is \['res4'\], but the pyramid of .* X_14_8x4d_FPN .*: give these too, or name X_14_"),
        (C4, (*PLAIN, "MODEL.KEYPOINT_ON", "True"), "KEYPOINT_ON is True, but TrunkRes5ROIHeads finds boxes and masks"),
        (C4, (*PLAIN, "MODEL.MOE.EXPERTS", "4"), "MOE.STAGES has res5, but TrunkRes5ROIHeads runs res5 on regions"),
        (C4, (*PLAIN, "MODEL.RESNETS.OUT_FEATURES", "['res5']"), r"expected \[res4\] with TrunkRes5ROIHeads"),
        (C4, (*PLAIN, "MODEL.ROI_HEADS.NAME", "Res5ROIHeads"), "set it to TrunkRes5ROIHeads"),
        (POINT_REND, (*SLIM_MASKS, "INPUT.MASK_FORMAT", "polygon"), "is polygon: expected bitmask with PointRendMaskH"),
        (
            POINT_REND,
            (*SLIM_MASKS, "MODEL.POINT_HEAD.NUM_CLASSES", "2"),
            "POINT_HEAD.NUM_CLASSES is 2, but",
        ),
        (
            POINT_REND,
            (*SLIM_MASKS, "MODEL.POINT_HEAD.IN_FEATURES", "['p6']"),
            r"POINT_HEAD.IN_FEATURES is",
        ),
        (DC5, (), r"OUT_FEATURES is \['res5'\], but the pyramid"),
        (DC5, ("MODEL.BACKBONE.NAME", "R_18"), "basic blocks cannot be dilated"),
        (FCOS, (), "FCOS.NUM_CLASSES is 80, but squares of .* has 1: set it to 1"),
        (RETINANET, ("MODEL.RETINANET.NUM_CLASSES", "1", "MODEL.MASK_ON", "True"), "RetinaNet finds boxes alone"),
        (CASCADE, ("MODEL.ROI_HEADS.NUM_CLASSES", "2"), "ROI_HEADS.NUM_CLASSES is 2, but squares of .* has 1"),
    ],
)
def test_what_does_not_fit_stops_at_the_start(overlay, opts, message, squares, repository, tmp_path):
    with pytest.raises(ConfigError, match=message):
        run(squares, repository, tmp_path, *opts, overlays=[overlay])
    assert not (tmp_path / "run").exists()
