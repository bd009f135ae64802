"""What a check found, for people: counts, findings with how to fix them, and what to do next."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from igdet.data.checking.checks import Checked
from igdet.formats.images import describe
from igdet.formats.targets import TARGETS, transfer_options
from igdet.formats.targets.target import ONLY_EVALUATION
from igdet.utils.command_lines import command_line

# Of targets that are not finetuned as classifiers.
_DETECTION = {
    "coco_2017": "COCO-InstanceSegmentation/mask_rcnn_X_101_32x8d_FPN_ig_1x",
    "keypoints_coco_2017": "untested/keypoint_rcnn_X_101_32x8d_FPN_ig_1x",
    "lvis_v1": "untested/lvis_mask_rcnn_X_101_32x8d_FPN_ig_1x",
}
_FINETUNING = "Classification/finetune_X_101_32x8d_ig"
_EVALUATION = "Classification/evaluate_imagenet_variants_X_101_32x8d_ig"


def report(what: str, checked: Sequence[Checked]) -> list[str]:
    """Write the lines of a report.

    Args:
        what: what the user named.
        checked: its data sets.
    """
    findings = [finding for one in checked for finding in one.findings]
    lines = [_counts(one) for one in checked if one.classes]
    for finding in findings:
        lines += ["", f"{finding.name}: {finding.what}", f"  to fix it: {finding.fix}"]
    if findings:
        return [*lines, "", f"{len(findings)} findings. Then check again."]
    verdict = "No fault in the images." if any(one.passed_over for one in checked) else "Nothing is wrong."
    return [*lines, verdict, *(f"Next: {command}" for command in _next(what, checked))]


def _counts(one: Checked) -> str:
    expected = "" if one.named.images is None else f" of {one.named.images:,}"
    others = f"; beside them, passed over: {describe(one.passed_over)}" if one.passed_over else ""
    return f"{one.named.name}: {len(one.records):,}{expected} images, {one.num_classes:,} classes{others}"


def _next(what: str, checked: Sequence[Checked]) -> list[str]:
    commands = []
    roots = list(dict.fromkeys(one.root for one in checked))
    if len(roots) > 1 and all(roots):  # of sets in one folder, find_duplicates takes tables
        commands.append(f"{command_line('find_duplicates')} find near --training {roots[0]} --evaluation {roots[-1]}")
    words = [what] if what.endswith((".yaml", ".yml")) else _transfer(what)
    return [*commands, f"{command_line('train_net')} --config-file {shlex.join(words)}"] if words else commands


def _transfer(what: str) -> list[str]:
    """Return a config that uses a target, and its options; nothing of a folder, and where there is no such config."""
    name = what if what in TARGETS else what.rpartition("_")[0]
    if name not in TARGETS:
        return []
    config = _EVALUATION if TARGETS[name].held_out == ONLY_EVALUATION else _DETECTION.get(name, _FINETUNING)
    options = [*transfer_options(name), "OUTPUT_DIR", f"runs/finetune_{name}"] if config == _FINETUNING else []
    path = f"configs/{config}.yaml"
    return [path, *options] if Path(path).is_file() else []
