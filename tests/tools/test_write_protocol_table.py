"""docs/PROTOCOLS.md shows the protocols that there are."""

import runpy


def test_the_page_holds_the_table_of_the_code(repository):
    with_table = runpy.run_path(str(repository / "tools" / "write_protocol_table.py"))["with_table"]
    page = (repository / "docs" / "PROTOCOLS.md").read_text(encoding="utf-8")
    assert with_table(page) == page
    assert "| `kshot`" in page
