"""Write the table of protocols between its markers in docs/PROTOCOLS.md."""

from pathlib import Path

from igdet.evaluation.probing.describe import protocol_table
from igdet.utils.files import atomic_write

PAGE = Path(__file__).resolve().parent.parent / "docs" / "PROTOCOLS.md"
BEGIN, END = "<!-- protocols: python tools/write_protocol_table.py -->\n", "<!-- end of protocols -->"


def with_table(page: str) -> str:
    """The page with the table as it is now."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}{protocol_table()}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    text = with_table(PAGE.read_text(encoding="utf-8"))
    with atomic_write(PAGE, "w") as file:
        file.write(text)
