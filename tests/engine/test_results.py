"""The record of a run as JSON."""

import json
import subprocess

import pytest
from detectron2.config import get_cfg

from igdet.engine.results import by_dataset, read_record, source_commit, write_record
from igdet.utils.errors import UserError


def test_one_test_set_gets_its_name_back():
    cfg = get_cfg()
    cfg.DATASETS.TEST = ("val",)
    assert by_dataset(cfg, {"bbox": {"AP": 1.0}}) == {"val": {"bbox": {"AP": 1.0}}}
    cfg.DATASETS.TEST = ("val", "test")
    named = {"val": {"bbox": {"AP": 1.0}}, "test": {"bbox": {"AP": 2.0}}}
    assert by_dataset(cfg, named) == named


def test_record_is_strict_json_and_reads_back(tmp_path):
    cfg = get_cfg()
    cfg.MODEL.DEVICE = "cpu"
    path = tmp_path / "results.json"
    write_record(path, cfg, {"config_file": "a.yaml", "opts": []}, {"val": {"bbox": {"APl": float("nan")}}}, {})
    assert "NaN" not in path.read_text()
    assert json.loads(path.read_text()) == read_record(path)
    assert read_record(path)["results"]["val"]["bbox"]["APl"] is None
    assert read_record(path)["config"]["SOLVER"]["BASE_LR"] == cfg.SOLVER.BASE_LR


def test_no_record(tmp_path):
    assert read_record(tmp_path / "results.json") is None


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Install a package `vision` of which pip noted this origin."""

    def install(origin):
        folder = tmp_path / "site" / "vision-0.6.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: vision\nVersion: 0.6\n")
        if origin is not None:
            (folder / "direct_url.json").write_text(json.dumps(origin))
        monkeypatch.syspath_prepend(str(folder.parent))

    return install


def test_the_commit_is_the_one_that_pip_noted(installed):
    installed({"url": "https://example.org/vision.git", "vcs_info": {"vcs": "git", "commit_id": "abc123"}})
    assert source_commit("vision") == "abc123"


def test_the_commit_of_a_clone_is_its_head(installed, tmp_path):
    clone = tmp_path / "my clone"
    git = ["git", "-C", str(clone), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "init", "-q", clone], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    installed({"url": clone.as_uri(), "dir_info": {"editable": True}})
    assert source_commit("vision") == head


@pytest.mark.parametrize(
    "origin", [None, {}, [], "x", {"url": "https://example.org/vision.whl"}, {"url": "file:///no"}]
)
def test_without_a_known_commit_there_is_none(installed, origin):
    installed(origin)
    assert source_commit("vision") == ""


def test_a_package_that_is_not_installed_has_no_commit():
    assert source_commit("no-such-package") == ""


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 10**5])
def test_a_damaged_record_is_named_with_the_remedy(tmp_path, content):
    (tmp_path / "results.json").write_bytes(content)
    with pytest.raises(UserError, match=r"results\.json: .*remove the file to train or evaluate again"):
        read_record(tmp_path / "results.json")
