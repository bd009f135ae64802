"""The README and the documents say what the code says, on lines that fit a screen."""

import re
from pathlib import Path

import pytest
from write_tables import ROOT, blocks, documents

from igdet.reporting.documents import names_of_blocks, with_blocks

ALL = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
LONGEST = 120


def name_of(document: Path) -> str:
    return str(document.relative_to(ROOT))


@pytest.mark.parametrize("document", documents(), ids=name_of)
def test_the_tables_of_the_documents_are_the_codes(document):
    text = document.read_text(encoding="utf-8")
    assert with_blocks(text, blocks()) == text, "run `python tools/write_tables.py`"


def test_every_generated_table_has_its_place():
    texts = [document.read_text(encoding="utf-8") for document in documents()]
    assert set(blocks()) == {name for text in texts for name in names_of_blocks(text)}


@pytest.mark.parametrize("document", ALL, ids=name_of)
def test_every_path_named_in_a_document_exists(document):
    named = re.findall(r"(?:configs|tools|igdet|docs)/[\w./-]+\.(?:yaml|py|md)", document.read_text(encoding="utf-8"))
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("document", ALL, ids=name_of)
def test_every_link_to_a_file_finds_it(document):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", ALL, ids=name_of)
def test_its_lines_fit_a_screen_but_for_tables(document):
    lines = document.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if len(line) > LONGEST and not line.startswith("|")] == []


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120
