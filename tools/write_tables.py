"""Write the documents' tables of weights, targets and protocols anew, from the code's own tables."""

import argparse
from pathlib import Path

from igdet.checkpoint import documents_blocks
from igdet.evaluation.probing.protocols import protocol_table
from igdet.formats.targets.markdown import full_table, short_table
from igdet.reporting.documents import write_blocks
from igdet.utils.errors import one_line_errors
from igdet.utils.versions import needs_table

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ("README.md", "docs/DATASETS.md", "docs/ENVIRONMENTS.md", "docs/PROTOCOLS.md", "docs/WEIGHTS.md")


def blocks() -> dict[str, str]:
    """Every table as Markdown, by the name of its block."""
    return {
        **documents_blocks(),
        "targets": short_table(),
        "targets-in-full": full_table(),
        "protocols": protocol_table(),
        "needs": needs_table(),
    }


@one_line_errors()
def main() -> None:
    """Put the tables between their markers."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    for name in DOCUMENTS:
        write_blocks(ROOT / name, blocks())
        print(f"{name}: written")


if __name__ == "__main__":
    main()
