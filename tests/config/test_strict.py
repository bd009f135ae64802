"""Strict merging: unknown and ill-typed keys and impossible bases are named with their file."""

import pytest
from detectron2.config import get_cfg

from igdet.config import ConfigError, add_igdet_config, merge_config_file, merge_overrides


@pytest.fixture
def cfg():
    config = get_cfg()
    add_igdet_config(config)
    return config


def write(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_bases_come_first_and_count_from_their_own_folder(cfg, tmp_path):
    write(tmp_path / "base.yaml", "SOLVER: {BASE_LR: 0.5, MAX_ITER: 7}\n")
    write(tmp_path / "other.yaml", "SOLVER: {MAX_ITER: 9}\n")
    merge_config_file(cfg, write(tmp_path / "sub/run.yaml", "_BASE_: [../base.yaml, ../other.yaml]\nSEED: 3\n"))
    assert (cfg.SOLVER.BASE_LR, cfg.SOLVER.MAX_ITER, cfg.SEED) == (0.5, 9, 3)


def test_numbers_in_scientific_notation_are_numbers(cfg, tmp_path):
    merge_config_file(cfg, write(tmp_path / "run.yaml", "SOLVER: {BASE_LR: 5e-3}\n"))
    assert cfg.SOLVER.BASE_LR == 0.005


def test_unknown_key_of_a_base_is_named_with_the_base(cfg, tmp_path):
    write(tmp_path / "base.yaml", "SOLVER: {BASE_RL: 0.5}\n")
    with pytest.raises(ConfigError, match=r"base\.yaml: unknown key 'SOLVER.BASE_RL'; did you mean 'SOLVER.BASE_LR'"):
        merge_config_file(cfg, write(tmp_path / "run.yaml", "_BASE_: base.yaml\n"))


def test_unknown_override_is_named(cfg):
    with pytest.raises(ConfigError, match=r"unknown key 'MODEL.WEIGHT'; did you mean 'MODEL.WEIGHTS'\?"):
        merge_overrides(cfg, ["MODEL.WEIGHT", "x.pth"])


@pytest.mark.parametrize("opts", [["SEED", "1", "--resume"], ["SEED", "1", "--num-gpus", "8"]])
def test_an_option_behind_the_overrides_is_named(cfg, opts):
    with pytest.raises(ConfigError, match=f"{opts[2]} comes after KEY VALUE: options come before the first KEY"):
        merge_overrides(cfg, opts)


def test_override_without_a_value_is_named(cfg):
    with pytest.raises(ConfigError, match="'SEED' has no partner"):
        merge_overrides(cfg, ["MODEL.WEIGHTS", "x.pth", "SEED"])


@pytest.mark.parametrize("value", ["ten", "[1, 2]"])
def test_wrong_type_is_named(cfg, tmp_path, value):
    with pytest.raises(ConfigError, match=r"run\.yaml.*MAX_ITER"):
        merge_config_file(cfg, write(tmp_path / "run.yaml", f"SOLVER: {{MAX_ITER: {value}}}\n"))
    with pytest.raises(ConfigError, match=r"command line.*MAX_ITER"):
        merge_overrides(cfg, ["SOLVER.MAX_ITER", value])


def test_own_data_sets_are_free_in_name_and_can_be_overridden(cfg, tmp_path):
    path = write(tmp_path / "run.yaml", "DATASETS: {OWN: {birds: {KIND: image_folder, ROOT: a}}}\n")
    merge_config_file(cfg, path)
    merge_overrides(cfg, ["DATASETS.OWN.birds.ROOT", "b"])
    assert dict(cfg.DATASETS.OWN.birds) == {"KIND": "image_folder", "ROOT": "b"}


def test_own_data_sets_can_be_given_further_fields(cfg, tmp_path):
    write(tmp_path / "base.yaml", "DATASETS: {OWN: {birds: {KIND: image_folder, ROOT: a}}}\n")
    merge_config_file(cfg, write(tmp_path / "run.yaml", "_BASE_: base.yaml\nDATASETS: {OWN: {birds: {CLASSES: c}}}\n"))
    assert dict(cfg.DATASETS.OWN.birds) == {"KIND": "image_folder", "ROOT": "a", "CLASSES": "c"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("_BASE_: run.yaml\n", "leads back to itself"),
        ("_BASE_: absent.yaml\n", r"absent\.yaml: there is no such config file"),
    ],
)
def test_impossible_bases_are_named(cfg, tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        merge_config_file(cfg, write(tmp_path / "run.yaml", text))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("MODEL.WEIGHTS", "null", "MODEL.WEIGHTS is empty"),
        ("SOLVER", "null", "SOLVER|Type mismatch"),
        ("DATASETS.OWN", "null", "DATASETS.OWN|Type mismatch"),
        ("DATASETS.TRAIN", "[null]", r"DATASETS.TRAIN.0 is empty"),
        ("SOLVER.BASE_LR", "true", "Type mismatch.*SOLVER.BASE_LR"),
        ("SOLVER.MAX_ITER", "true", "Type mismatch.*SOLVER.MAX_ITER"),
        ("SOLVER.BASE_LR", "'fast'", "Type mismatch.*SOLVER.BASE_LR"),
        ("SOLVER.MAX_ITER", str(2**64), "SOLVER.MAX_ITER.*at most 64 bits"),
        ("SOLVER.BASE_LR", "[1, 2]", "Type mismatch.*SOLVER.BASE_LR"),
    ],
)
def test_values_that_fit_no_key_are_named(cfg, tmp_path, key, value, message):
    section, _, name = key.rpartition(".")
    text = f"{section}: {{{name}: {value}}}\n" if section else f"{name}: {value}\n"
    with pytest.raises(ConfigError, match=rf"run\.yaml: .*({message})"):
        merge_config_file(cfg, write(tmp_path / "run.yaml", text))


@pytest.mark.parametrize(
    ("opts", "message"),
    [
        (["MODEL.WEIGHTS", "None"], "MODEL.WEIGHTS is empty"),
        (["SOLVER.MAX_ITER", str(2**63)], "SOLVER.MAX_ITER is 9223372036854775808: expected .* at most 64 bits"),
        (["SOLVER.MAX_ITER", "9" * 5000], "command line: SOLVER.MAX_ITER 99.*Type mismatch"),
        (["SOLVER.BASE_LR", "[" * 10**5], "command line: SOLVER.BASE_LR"),
        (["SOLVER", "3"], "command line: SOLVER 3: Type mismatch"),
    ],
)
def test_overrides_that_fit_no_key_are_named_in_one_short_line(cfg, opts, message):
    with pytest.raises(ConfigError, match=message) as caught:
        merge_overrides(cfg, opts)
    assert len(str(caught.value)) < 1500
    assert "\n" not in str(caught.value)


def test_a_decay_of_biases_may_be_none(cfg):
    merge_overrides(cfg, ["SOLVER.WEIGHT_DECAY_BIAS", "0.5", "SOLVER.WEIGHT_DECAY_BIAS", "None"])
    assert cfg.SOLVER.WEIGHT_DECAY_BIAS is None
