"""Parts of the documents that are written from the code's own tables, between two markers."""

import re
from pathlib import Path


def generated_part(document: Path, name: str) -> str:
    """What stands between `<!-- generated: NAME -->` and `<!-- end -->`, without the blank lines around it."""
    pattern = rf"<!-- generated: {re.escape(name)} -->\n(.*?)<!-- end -->"
    [part] = re.findall(pattern, document.read_text(encoding="utf-8"), re.DOTALL)
    return part.strip()
