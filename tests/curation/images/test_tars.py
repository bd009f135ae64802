"""Images in WebDataset tars, by key."""

import io
import os
import tarfile

import pytest

from igdet.curation.images.files import key_of, read_member
from igdet.curation.images.limits import ImageError
from igdet.formats.shards import ShardWriter
from igdet.formats.vocabulary import Vocabulary


def write_tar(path, members):
    with tarfile.open(path, "w") as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


@pytest.fixture
def root(tmp_path):
    write_tar(
        tmp_path / "00000.tar",
        [
            ("001.txt", b"caption"),
            ("001.jpg", b"first"),
            ("001.json", b"{}"),
            ("d/002.x.PNG", b""),
            ("d/003.PNG", b"3"),
        ],
    )
    return tmp_path


def test_images_are_found_by_key(root):
    assert read_member(root, "00000.tar::001", 10) == b"first"
    assert read_member(root, "00000.tar::d/003", 10) == b"3"


def test_a_key_may_hold_the_separator(tmp_path):
    write_tar(tmp_path / "x::y.tar", [("k::1.jpg", b"first")])
    assert read_member(tmp_path, "x::y.tar::k::1", 10) == b"first"


def test_members_are_images_by_any_suffix_of_their_formats(tmp_path):
    write_tar(tmp_path / "x.tar", [("1.jfif", b"1"), ("2.tiff", b"2"), ("3.mpo", b"3"), ("4.heic", b"4"), ("5", b"5")])
    assert [read_member(tmp_path, f"x.tar::{key}", 10) for key in "123"] == [b"1", b"2", b"3"]
    for key in "45":
        with pytest.raises(ImageError, match="missing"):
            read_member(tmp_path, f"x.tar::{key}", 10)


def test_shards_of_our_own_can_be_read(tmp_path):
    with ShardWriter(tmp_path, Vocabulary([("owl",)])) as writer:
        writer.add("k1", b"picture", ["owl"])
    assert read_member(tmp_path, "posts-000000.tar::k1", 10) == b"picture"


def test_keys_end_at_the_first_dot():
    assert key_of("a.b/c.d.Jpg") == ("a.b/c", "d.jpg") and key_of("c") == ("c", "")


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ("00000.tar::004", "missing"),
        ("00000.tar::", "missing"),
        ("00001.tar::001", "missing"),
        ("../00000.tar::001", "outside_root"),
        ("text.tar::001", "unreadable"),
        ("00000.tar::001", "too_large"),
    ],
)
def test_reasons(root, image, reason):
    (root / "sub").mkdir()
    (root / "sub" / "text.tar").write_text("no tar " * 200)
    os.link(root / "00000.tar", root / "sub" / "00000.tar")
    with pytest.raises(ImageError) as error:
        read_member(root / "sub", image, 4)
    assert error.value.reason == reason


def test_a_tar_that_changed_is_read_again(root):
    assert read_member(root, "00000.tar::001", 10) == b"first"
    write_tar(root / "00000.tar", [("009.jpg", b"x" * 600), ("001.jpg", b"second")])
    os.utime(root / "00000.tar", ns=(1, 1))
    assert read_member(root, "00000.tar::001", 10) == b"second"


def test_a_tar_cut_within_a_image(root):
    write_tar(root / "cut.tar", [("001.jpg", b"x" * 600)])
    os.truncate(root / "cut.tar", 1000)
    with pytest.raises(ImageError) as error:
        read_member(root, "cut.tar::001", 1000)
    assert error.value.reason in ("cut_short", "unreadable")
