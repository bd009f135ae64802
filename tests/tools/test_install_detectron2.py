"""The Detectron2 build: what is not exactly as expected stops it, before anything of it is run."""

import hashlib
import shutil
from pathlib import Path

import install_detectron2
import pytest
import torch
from detectron2_rewrites import REWRITES, VERSION, Rewrite
from install_detectron2 import InstallError


@pytest.fixture
def sources(tmp_path):
    """A source tree of one file, and the table that fits it."""
    (tmp_path / "code.py").write_text("import old\nvalue = old.thing\n")
    return tmp_path, (Rewrite("code.py", r"^import old$", "import new as old", 1, "old is gone"),)


def test_rewrites_and_replaces_setup(sources):
    folder, table = sources
    install_detectron2.rewrite(folder, table)
    assert (folder / "code.py").read_text() == "import new as old\nvalue = old.thing\n"
    assert f'version="{VERSION}"' in (folder / "setup.py").read_text()


def test_a_pattern_found_another_number_of_times_is_named(sources):
    folder, (row,) = sources
    with pytest.raises(InstallError, match=r"code\.py: 'old' occurs 2 times, expected 1 \(old is gone\)"):
        install_detectron2.rewrite(folder, (row._replace(pattern="old"),))


def test_every_rewrite_says_why():
    assert all(row.why and row.count > 0 for row in REWRITES)


def test_another_archive_is_refused_with_both_hashes(tmp_path):
    archive = tmp_path / "other.tar.gz"
    archive.write_bytes(b"something else")
    found = hashlib.sha256(b"something else").hexdigest()
    with pytest.raises(InstallError, match=f"has the SHA-256 {found}, expected {install_detectron2.SHA256}"):
        install_detectron2.verify(archive)


@pytest.fixture
def package_index(tmp_path, monkeypatch):
    """An index of one source archive; its setup.py leaves the file `ran` behind."""
    folder = tmp_path / "tiny-1"
    folder.mkdir()
    code = (
        f"open({str(tmp_path / 'ran')!r}, 'w').close()\nfrom setuptools import setup\nsetup(name='tiny', version='1')"
    )
    (folder / "setup.py").write_text(code)
    archive = shutil.make_archive(str(tmp_path / "tiny-1"), "gztar", tmp_path, "tiny-1")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setattr(install_detectron2, "SOURCES", "tiny==1")
    return Path(archive)


@pytest.fixture
def own_pip(monkeypatch):
    """Downloads go through the environment's own pip: no other is fetched."""
    run_pip = install_detectron2.run_pip

    def download_only(*arguments, **_):
        if arguments[0] == "download":
            run_pip(*arguments)

    monkeypatch.setattr(install_detectron2, "run_pip", download_only)


def test_expected_sources_are_downloaded(package_index, own_pip, tmp_path, monkeypatch):
    monkeypatch.setattr(install_detectron2, "SHA256", hashlib.sha256(package_index.read_bytes()).hexdigest())
    assert install_detectron2.download(tmp_path / "out").name == "tiny-1.tar.gz"
    assert (tmp_path / "ran").exists()  # pip runs setup.py, which is why the next test matters


def test_nothing_of_unexpected_sources_is_run(package_index, own_pip, tmp_path):
    with pytest.raises(InstallError, match="not the one expected and nothing of it was run"):
        install_detectron2.download(tmp_path / "out")
    assert not (tmp_path / "ran").exists()


def test_an_installed_detectron2_is_left_alone(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["install_detectron2.py"])
    monkeypatch.setattr(install_detectron2, "install", lambda *_: pytest.fail("must not install"))
    install_detectron2.main()
    assert "nothing to do" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("version", "outdated"),
    [
        ("0.6", False),
        ("", False),
        ("0.7+cu128", False),
        (VERSION, False),
        ("0.6+pure", True),
        ("0.6+pure.00000000", True),
    ],
)
def test_only_a_build_from_another_table_is_replaced(version, outdated):
    assert install_detectron2.is_outdated(version) == outdated


def test_a_failing_pip_becomes_one_line(monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")  # offline: pip looks nowhere
    with pytest.raises(InstallError, match="pip install failed: "):
        install_detectron2.run_pip("install", "no-such-package-of-this-name==0")


def test_missing_torch_is_named(monkeypatch):
    monkeypatch.setattr(install_detectron2, "is_installed", lambda name: name != "torch")
    with pytest.raises(InstallError, match="torch must be installed first"):
        install_detectron2.install(None, None)


def test_the_installed_build_saves_the_state_of_any_scheduler():
    from detectron2.engine.hooks import LRScheduler

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    hook = LRScheduler(optimizer, torch.optim.lr_scheduler.StepLR(optimizer, 3))
    assert hook.state_dict()["step_size"] == 3


class Pixelwise(torch.nn.Conv2d):
    """One 1x1 convolution with a Detectron2 model's interface."""

    def forward(self, batch):
        return super().forward(batch[0]["image"][None])


def test_the_installed_build_counts_operations():
    from detectron2.utils.analysis import flop_count_operators

    counts = flop_count_operators(Pixelwise(3, 8, kernel_size=1), [{"image": torch.zeros(3, 1000, 1000)}])
    assert counts["conv"] == 3 * 8 * 1e6 / 1e9  # multiply-adds, in billions
