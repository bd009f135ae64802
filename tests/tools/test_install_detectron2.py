"""The Detectron2 build: what is not exactly as expected stops it, before anything of it is run."""

import hashlib
import tarfile

import install_detectron2
import pytest
import torch
from detectron2_rewrites import REWRITES, Rewrite
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
    assert 'name="detectron2"' in (folder / "setup.py").read_text()


def test_a_pattern_found_another_number_of_times_is_named(sources):
    folder, (row,) = sources
    with pytest.raises(InstallError, match=r"code\.py: 'old' stands there 2 times, expected 1 \(old is gone\)"):
        install_detectron2.rewrite(folder, (row._replace(pattern="old"),))


def test_every_rewrite_says_why():
    assert all(row.why and row.count > 0 for row in REWRITES)


def test_another_archive_is_refused_with_both_hashes(tmp_path):
    archive = tmp_path / "other.tar.gz"
    archive.write_bytes(b"something else")
    found = hashlib.sha256(b"something else").hexdigest()
    with pytest.raises(InstallError, match=f"has the SHA-256 {found}, expected {install_detectron2.SHA256}"):
        install_detectron2.verify(archive)


def test_an_archive_that_climbs_out_is_refused(tmp_path):
    archive = tmp_path / "bad.tar.gz"
    (tmp_path / "file").write_text("x")
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tmp_path / "file", arcname="../outside")
    with pytest.raises(tarfile.FilterError):
        install_detectron2.unpack(archive, tmp_path / "out")
    assert not (tmp_path.parent / "outside").exists()


def test_an_installed_detectron2_is_left_alone(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["install_detectron2.py"])
    monkeypatch.setattr(install_detectron2, "install", lambda *_: pytest.fail("must not install"))
    install_detectron2.main()
    assert "nothing to do" in capsys.readouterr().out


def test_a_failing_pip_becomes_one_line(monkeypatch):
    monkeypatch.setattr(install_detectron2, "SOURCES", "no-such-package-of-this-name==0")
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
