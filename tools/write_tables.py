"""Write the documents' tables from the code's own tables and from the result files of benchmarks."""

import argparse
from pathlib import Path

from benchmarks.record import Table, read_result

from igdet.evaluation.probing.protocols import protocol_table
from igdet.formats.catalog_tables import documents_blocks
from igdet.formats.published import FINDINGS, PUBLISHED, Source
from igdet.formats.targets.markdown import full_table
from igdet.reporting.documents import names_of_blocks, write_blocks
from igdet.utils.errors import one_line_errors
from igdet.utils.versions import needs_table

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS, NOTES = ROOT / "docs" / "benchmarks", ROOT / "docs" / "notes"


def blocks() -> dict[str, str]:
    """Return every table as Markdown, by the name of its block."""
    return {
        **documents_blocks(),
        "targets": full_table(),
        "protocols": protocol_table(),
        "needs": needs_table(),
        "published": published_table(),
        "findings": findings_table(),
        "benchmarks": contents(BENCHMARKS),
        "notes": contents(NOTES),
        **result_blocks(BENCHMARKS / "results"),
    }


def published_table() -> str:
    """Return a table of the published results of each protocol."""
    rows = [
        (
            f"`{protocol}`",
            item.what,
            ", ".join(f"{name} {value}" for name, value in item.values.items()),
            link(item.source),
        )
        for protocol, items in PUBLISHED.items()
        for item in items
    ]
    return Table(("protocol", "network and pretraining", "result", "source"), rows).markdown()


def findings_table() -> str:
    """Return a table of the published observations."""
    rows = [(f"`{name}`", finding.text, link(finding.source)) for name, finding in FINDINGS.items()]
    return Table(("finding", "what was observed", "source"), rows).markdown()


def link(source: Source) -> str:
    """Return a source as a Markdown link."""
    return f"[{source.title}]({source.url})"


def result_blocks(folder: Path) -> dict[str, str]:
    """Return the Markdown of result files: FILE-how, how it was measured, and FILE-TABLE."""
    filled = {}
    for path in sorted(folder.glob("*.json")):
        result = read_result(path)
        filled[f"{path.stem}-how"] = result.how()
        filled |= {f"{path.stem}-{name}": table.markdown() for name, table in result.tables.items()}
    return filled


def contents(folder: Path) -> str:
    """Return a table of a folder's pages: their titles, as links, and their first paragraphs."""
    rows = []
    for page in sorted(folder.glob("*.md")):
        title, summary, *_ = page.read_text(encoding="utf-8").split("\n\n")
        if page.stem != "index":
            rows.append((f"[{title.removeprefix('# ')}]({page.name})", summary.replace("\n", " ")))
    return Table(("page", "what it says"), rows).markdown()


def documents() -> list[Path]:
    """Return the documents with a place for one of the tables."""
    known = blocks().keys()
    paths = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    return [path for path in paths if known & names_of_blocks(path.read_text(encoding="utf-8"))]


@one_line_errors()
def main() -> None:
    """Put the tables between their markers."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    for path in documents():
        write_blocks(path, blocks())
        print(f"{path.relative_to(ROOT)}: written")


if __name__ == "__main__":
    main()
