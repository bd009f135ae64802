"""What is wrong with keys is found without Detectron2, by the message with which reading the config would refuse it."""

import pytest
from detectron2.config import get_cfg

from igdet.config import ConfigError, add_igdet_config
from igdet.config import keys as module
from igdet.config.keys import check_keys
from igdet.engine import merged_config
from igdet.utils.errors import UserError


def flat(node, prefix=""):
    return {
        name: value
        for key, child in node.items()
        for name, value in (
            flat(child, f"{prefix}{key}.") if isinstance(child, dict) else {f"{prefix}{key}": child}
        ).items()
    }


def test_the_keys_and_values_are_detectron2s():
    cfg = get_cfg()
    add_igdet_config(cfg)
    ours = module._detectron2_defaults()
    add_igdet_config(ours)
    assert flat(ours) == flat(cfg)


@pytest.mark.parametrize(
    ("text", "opts"),
    [
        ("SOLVER: {BASE_LRR: 1}", []),
        ("SOLVER: {BASE_LR: fast}", []),
        ("SOLVER: [", []),
        ("_BASE_: absent.yaml", []),
        ("SEED: 1", ["SOLVER.MAX_ITR", "3"]),
        ("SEED: 1", ["SOLVER.MAX_ITER"]),
        ("MODEL: {ROI_MASK_HEAD: {NAME: PointRendMaskHead}, POINT_HEAD: {NUM_CLASSESS: 3}}", []),
    ],
)
def test_refused_as_later(text, opts, tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text(text)
    messages = []
    for read in (check_keys, merged_config):
        with pytest.raises(ConfigError) as error:
            read(str(file), opts)
        messages.append(str(error.value))
    assert messages[0] == messages[1]


@pytest.mark.parametrize(
    "text", ["SEED: 1", "MODEL: {ROI_MASK_HEAD: {NAME: PointRendMaskHead}, POINT_HEAD: {NUM_CLASSES: 3}}"]
)
def test_sound_ones_pass(text, tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text(text)
    check_keys(str(file), ["SEED", "2"])


def test_without_detectron2_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"which is not installed here: run `python tools/install_detectron2\.py`"):
        check_keys("", [])
