"""Every config that ships: read strictly, a true header, no key that its base has already, a model that builds."""

import re
from pathlib import Path

import pytest
import torch
import yaml
from detectron2.config import CfgNode, get_cfg
from detectron2.modeling import build_model

import igdet
from igdet.benchmark.cells import Cell, expand
from igdet.benchmark.suite_file import RESERVED_OPTS, read_suite
from igdet.config.projects import add_project_keys
from igdet.engine import merged_config
from igdet.formats.published import RESULTS
from igdet.utils.yaml import read_with_bases

ROOT = Path(__file__).resolve().parents[2] / "configs"
ALL = sorted(ROOT.rglob("*.yaml"))
FILES = [path for path in ALL if not {"benchmark", "curation", "studies"} & {*path.relative_to(ROOT).parts}]
RUNNABLE = [path for path in FILES if not path.name.startswith("Base-")]
SUITES = [path for path in ALL if {"benchmark", "studies"} & {*path.relative_to(ROOT).parts}]
WITH_HEADER = [path for path in ALL if not path.name.startswith("Base-")]  # suites and curations too


def config(path: Path) -> CfgNode:
    return merged_config(str(path), [])


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT.parent))


def flat(content: dict, prefix: str = "") -> dict[str, object]:
    """{"A": {"B": 1}} -> {"A.B": 1}."""
    pairs = {}
    for key, value in content.items():
        pairs |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return pairs


def test_there_are_configs_but_not_one_for_every_combination():
    assert 20 < len(RUNNABLE) < 50
    assert len(set(WITH_HEADER) - set(SUITES)) < 55  # what is laid over others stands for combinations


@pytest.mark.parametrize("path", RUNNABLE, ids=relative)
def test_it_is_read_and_its_schedule_resolves(path):
    cfg = config(path)
    assert cfg.SOLVER.MAX_ITER > 0
    assert list(cfg.SOLVER.STEPS) == sorted(set(cfg.SOLVER.STEPS))
    assert not cfg.SOLVER.STEPS or cfg.SOLVER.STEPS[-1] < cfg.SOLVER.MAX_ITER
    assert cfg.DATASETS.TRAIN
    assert cfg.DATASETS.TEST
    assert (cfg.INPUT.FORMAT, cfg.MODEL.RESNETS.STRIDE_IN_1X1) == ("RGB", False)


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.yaml")), ids=relative)
def test_measured_expectations_are_those_of_the_benchmarks(path):
    expected = "".join(re.findall(r"^# Expected: .*docs/benchmarks/.*$", path.read_text(), re.MULTILINE))
    pages = re.findall(r"docs/benchmarks/\w+\.md", expected)
    measured = "".join((ROOT.parent / page).read_text(encoding="utf-8") for page in pages)
    missing = [figure for figure in re.findall(r"\d+\.\d(?: ± \d+\.\d)?", expected) if figure not in measured]
    assert not missing


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_its_header_tells_command_hardware_and_expectation(path):
    comment = "".join(line for line in path.read_text().splitlines(True) if line.startswith("#"))
    if path not in RUNNABLE:
        assert "not run by itself" in comment
        return
    command = re.escape(f"python tools/train_net.py --config-file {relative(path)}")
    assert re.search(rf"^# Command:  {command}( |$)", comment, re.MULTILINE)
    assert re.search(r"^# Meant for: \S", comment, re.MULTILINE)
    assert re.search(r"^# Expected: \S", comment, re.MULTILINE)


@pytest.mark.parametrize("path", WITH_HEADER, ids=relative)
def test_it_has_a_number_with_its_source_or_lies_in_untested(path):
    [expected] = re.findall(r"^# Expected: (.*)$", path.read_text(), re.MULTILINE)
    if "untested" in path.relative_to(ROOT).parts:
        assert expected.startswith("untested: ")
        return
    assert "untested" not in expected
    published = r"published: .*\((the public article|the authors' release|the Detectron2 model zoo|torchvision's table)"
    assert re.search(r"\d", expected)
    assert re.search(rf"docs/(benchmarks|studies)/\w+\.md|{published}", expected)


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.yaml")), ids=relative)
def test_published_expectations_are_those_of_the_table(path):
    expected = "".join(re.findall(r"^# Expected: published: (.*)$", path.read_text(), re.MULTILINE))
    published = {f"{value:.1f}" for result in RESULTS.values() for value in result.values.values()}
    assert set(re.findall(r"\b\d\d\.\d\b", expected)) <= published


@pytest.mark.parametrize("path", RUNNABLE, ids=relative)
def test_its_folder_follows_from_its_name(path):
    folder = config(path).OUTPUT_DIR
    assert folder == f"runs/{path.stem}"
    assert "OUTPUT_DIR" not in {key for _, content in read_with_bases(path) for key in content}


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_detectron2_reads_the_same_values(path):
    """Its own loading of lists of bases; folder, schedule and classes do not follow there."""
    cfg = get_cfg()
    igdet.add_igdet_config(cfg)
    for _, content in read_with_bases(path):
        add_project_keys(cfg, content)  # as a script for Detectron2 alone would
    ours = merged_keys(path)
    cfg.merge_from_file(str(path))
    theirs = flat(yaml.safe_load(cfg.dump()))
    assert {key: theirs[key] for key in ours} == ours


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_it_repeats_nothing_of_its_base(path):
    *bases, (_, content) = read_with_bases(path)
    inherited = {key: value for _, base in bases for key, value in flat(base).items()}
    assert [key for key, value in flat(content).items() if key in inherited and inherited[key] == value] == []


def merged_keys(path: Path) -> dict[str, object]:
    """The values of a file and its bases, later ones over earlier ones, such as {"SOLVER.BASE_LR": 0.02}."""
    values = {key: value for _, content in read_with_bases(path) for key, value in flat(content).items()}
    return {key: value for key, value in values.items() if not key.startswith("DATASETS.OWN")}


def test_no_two_runs_write_to_the_same_folder():
    folders = [config(path).OUTPUT_DIR for path in RUNNABLE]
    assert len(set(folders)) == len(folders)


def distinct_models() -> list[Path]:
    """One config for each different model."""
    models = {}
    for path in RUNNABLE:
        model = config(path).MODEL
        model.WEIGHTS = ""
        models.setdefault(model.dump(), path)
    return list(models.values())


@pytest.mark.parametrize("path", distinct_models(), ids=relative)
def test_its_model_builds(path):
    cfg = config(path)
    cfg.MODEL.DEVICE = "meta"  # shapes without memory
    with torch.device("meta"):
        assert sum(weight.numel() for weight in build_model(cfg).parameters()) > 0


def has_library_trunk(cfg: CfgNode) -> bool:
    return cfg.MODEL.BACKBONE.NAME.split("_")[0] in ("timm", "torchvision")


def what_is_built(cfg: CfgNode) -> str:
    """Of a library's trunk, which costs seconds, the trunk: heads are built on others."""
    trunk = cfg.MODEL.BACKBONE.NAME + cfg.MODEL.TIMM.NAME + cfg.MODEL.TORCHVISION.NAME
    return trunk if has_library_trunk(cfg) else cfg.MODEL.dump()


def opts_of(cell: Cell) -> dict[str, object]:
    """What a suite says of a cell; named weights among it, which say how they are fed, but no paths of its runs."""
    weights = {key: value for key, value in cell.opts.items() if key == "MODEL.WEIGHTS" and "://" in value}
    return weights | {key: value for key, value in cell.opts.items() if key not in RESERVED_OPTS}


@pytest.mark.parametrize("path", SUITES, ids=relative)
def test_the_cells_of_a_suite_are_configs_whose_models_build(path, monkeypatch):
    """One cell for all that differ in other values than the model's; data sets are not asked for."""
    monkeypatch.chdir(ROOT.parent)
    different = {}
    for cell in expand(read_suite(path)):
        opts = opts_of(cell)
        keys = [(key, value if key.startswith("MODEL.") else "") for key, value in opts.items()]
        different.setdefault(
            (cell.config, str(keys)), (cell.config, [str(part) for pair in opts.items() for part in pair])
        )
    assert different
    models = {what_is_built(cfg := merged_config(*one)): cfg for one in different.values()}
    for cfg in models.values():
        cfg.MODEL.DEVICE = "cpu" if has_library_trunk(cfg) else "meta"  # libraries compute widths with tensors
        with torch.device(cfg.MODEL.DEVICE):
            assert build_model(cfg) is not None
