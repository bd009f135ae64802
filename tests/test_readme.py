"""The README says what the code says."""

import re

import pytest
from generated import generated_part

from igdet.checkpoint import WEIGHTS
from igdet.data.targets.markdown import full_table, short_table


def test_the_table_of_weights_is_the_catalog(repository):
    rows = re.findall(r"^\| `igdet://(\S+)` \|(.+)\|$", (repository / "README.md").read_text(encoding="utf-8"), re.M)
    stated = {name: tuple(cell.strip() for cell in cells.split("|")) for name, cells in rows}
    assert stated == {
        name: (
            weights.backbone,
            weights.publication.trained_on,
            f"{weights.top1:g}",
            f"{weights.top5:g}" if weights.top5 else "",
            weights.publication.licence,
        )
        for name, weights in WEIGHTS.items()
    }


@pytest.mark.parametrize(("document", "table"), [("README.md", short_table), ("docs/DATASETS.md", full_table)])
def test_the_tables_of_targets_are_the_codes(repository, document, table):
    assert generated_part(repository / document, "targets") == table(), "run tools/write_target_tables.py"


def test_every_path_named_in_the_documents_exists(repository):
    for document in (repository / "README.md", *(repository / "docs").glob("*.md")):
        named = re.findall(r"(?:configs|tools|igdet)/[\w./-]+\.(?:yaml|py)", document.read_text(encoding="utf-8"))
        missing = [path for path in named if not (repository / path).exists()]
        assert not missing, f"{document.name} names {missing}"
