"""The README says what the code says."""

import re

import pytest
from write_tables import DOCUMENTS, blocks

from igdet.reporting.documents import names_of_blocks, with_blocks


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_tables_of_the_documents_are_the_codes(document, repository):
    text = (repository / document).read_text(encoding="utf-8")
    assert with_blocks(text, blocks()) == text, "run `python tools/write_tables.py`"


def test_every_generated_table_has_its_place(repository):
    documents = [(repository / name).read_text(encoding="utf-8") for name in DOCUMENTS]
    assert set(blocks()) == {name for text in documents for name in names_of_blocks(text)}


def test_every_path_named_in_the_documents_exists(repository):
    for document in (repository / "README.md", *(repository / "docs").glob("*.md")):
        named = re.findall(r"(?:configs|tools|igdet)/[\w./-]+\.(?:yaml|py)", document.read_text(encoding="utf-8"))
        missing = [path for path in named if not (repository / path).exists()]
        assert not missing, f"{document.name} names {missing}"
