"""Generated parts of documents."""

import pytest

from igdet.reporting.documents import MarkerError, names_of_blocks, with_blocks, write_blocks

DOCUMENT = """# A
<!-- generated: one by `make it` -->
old
<!-- end -->
between
<!-- generated: two -->
<!-- end -->
after
"""


def test_blocks_are_written_and_the_rest_stays():
    written = with_blocks(DOCUMENT, {"one": "new\\1\n", "other": "x"})
    assert written == DOCUMENT.replace("\nold\n", "\nnew\\1\n")
    assert with_blocks(written, {"one": "new\\1"}) == written
    assert names_of_blocks(DOCUMENT) == ["one", "two"]


def test_an_empty_block_is_filled(tmp_path):
    (tmp_path / "a.md").write_text(DOCUMENT)
    write_blocks(tmp_path / "a.md", {"two": "body"})
    assert (tmp_path / "a.md").read_text() == DOCUMENT.replace("two -->\n", "two -->\nbody\n")


def test_a_document_without_the_block_is_named(tmp_path):
    (tmp_path / "a.md").write_text(DOCUMENT)
    with pytest.raises(MarkerError, match=r"a\.md: no line .* with NAME one of three"):
        write_blocks(tmp_path / "a.md", {"three": "body"})
