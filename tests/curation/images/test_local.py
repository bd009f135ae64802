"""Files under a root: read, or refused with the reason."""

import os

import pytest

from igdet.curation.images.files import read_file
from igdet.curation.images.limits import ImageError


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    (root / "a" / "b.jpg").write_bytes(b"inside")
    (tmp_path / "secret.jpg").write_bytes(b"outside")
    (tmp_path / "root2").mkdir()
    (tmp_path / "root2" / "c.jpg").write_bytes(b"outside")
    (root / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (root / "folder").symlink_to(tmp_path)
    (root / "inner.jpg").symlink_to("a/b.jpg")
    (root / "circle.jpg").symlink_to("circle.jpg")
    os.mkfifo(root / "pipe.jpg")
    return root


@pytest.mark.parametrize("path", ["a/b.jpg", "./a/../a/b.jpg", "inner.jpg", "../root/a/b.jpg"])
def test_files_under_the_root_are_read(root, path):
    assert read_file(root, path, 6) == b"inside"
    assert read_file(root, str(root / "a/b.jpg"), 6) == b"inside"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("../secret.jpg", "outside_root"),
        ("../root2/c.jpg", "outside_root"),
        ("/etc/hostname", "outside_root"),
        ("link.jpg", "outside_root"),
        ("folder/secret.jpg", "outside_root"),
        ("a/missing.jpg", "missing"),
        ("a", "missing"),
        ("", "missing"),
        ("pipe.jpg", "missing"),
        ("circle.jpg", "missing"),
        ("a\0b", "missing"),
        ("x" * 5000, "missing"),
    ],
)
def test_other_paths_are_refused(root, path, reason):
    with pytest.raises(ImageError) as error:
        read_file(root, path, 100)
    assert error.value.reason == reason


def test_large_files_are_refused(root):
    with pytest.raises(ImageError, match="too_large: more than 5 bytes"):
        read_file(root, "a/b.jpg", 5)


def test_a_file_that_cannot_be_read_is_named(root, monkeypatch):
    monkeypatch.setattr("pathlib.Path.open", lambda *_: (_ for _ in ()).throw(OSError(5, "Input/output error")))
    with pytest.raises(ImageError, match=r"unreadable: .*Input/output error"):
        read_file(root, "a/b.jpg", 100)
