"""Write the tables of targets in README.md and docs/DATASETS.md anew, from igdet's own table."""

from pathlib import Path

from igdet.data.targets.markdown import full_table, short_table
from igdet.utils.files import atomic_write

ROOT = Path(__file__).resolve().parent.parent
TABLES = {"README.md": short_table, "docs/DATASETS.md": full_table}


def main() -> None:
    """Put the tables between their markers."""
    for name, table in TABLES.items():
        head, begin, rest = (ROOT / name).read_text(encoding="utf-8").partition("<!-- generated: targets -->\n")
        _, end, tail = rest.partition("<!-- end -->")
        with atomic_write(ROOT / name, "w") as file:
            file.write(f"{head}{begin}{table()}\n{end}{tail}")


if __name__ == "__main__":
    main()
