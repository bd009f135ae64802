"""The form of `image` decides who reads it."""

import pytest

from igdet.curation.pictures import PictureError, PictureSource, WebLimits, source


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
    assert PictureSource("root", max_bytes=9).read(image) == (reader, arguments)


@pytest.mark.parametrize("image", ["ftp://a/b", "file:///etc/passwd", "://", "data://x"])
def test_other_schemes_are_bad_pictures(image):
    with pytest.raises(PictureError, match="unknown_scheme"):
        PictureSource("root").read(image)
