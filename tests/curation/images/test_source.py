"""The form of `image` decides who reads it."""

import pytest

from igdet.curation.images import ImageError, ImageSource, WebLimits, source


@pytest.mark.parametrize(
    ("image", "reader", "arguments"),
    [
        ("a/b.jpg", "read_file", ("root", "a/b.jpg", 9)),
        ("a.tar::b", "read_member", ("root", "a.tar::b", 9)),
        ("http://a/b", "read_url", ("http://a/b", WebLimits(), 9)),
        ("HTTPS://a/b::c", "read_url", ("HTTPS://a/b::c", WebLimits(), 9)),
        ("s3://a/b", "read_object", ("s3://a/b", 9)),
        ("gs://a/b", "read_object", ("gs://a/b", 9)),
    ],
)
def test_readers(monkeypatch, image, reader, arguments):
    monkeypatch.setattr(source, reader, lambda *given: (reader, given))
    assert ImageSource("root", max_bytes=9).read(image) == (reader, arguments)


@pytest.mark.parametrize("image", ["ftp://a/b", "file:///etc/passwd", "://", "data://x"])
def test_other_schemes_are_bad_images(image):
    with pytest.raises(ImageError, match="unknown_scheme"):
        ImageSource("root").read(image)


def test_a_name_that_holds_the_separator_is_that_of_a_file_where_there_is_one(tmp_path):
    (tmp_path / "a::b.jpg").write_bytes(b"file")
    assert ImageSource(tmp_path).read("a::b.jpg") == b"file"
    with pytest.raises(ImageError, match="missing: no file c in"):
        ImageSource(tmp_path).read("c::d")


@pytest.mark.parametrize("image", ["a\\b.jpg", "a%2Fb.jpg"])
def test_a_missing_file_comes_with_a_hint(tmp_path, image):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b.jpg").write_bytes(b"")
    with pytest.raises(ImageError, match=r"missing: .*; a/b\.jpg is there: write it so"):
        ImageSource(tmp_path).read(image)
