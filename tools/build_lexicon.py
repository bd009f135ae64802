"""Writes the lexicon that igdet ships from WordNet 3.0's database files, as Debian's wordnet-base installs them."""

import argparse
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from igdet.curation.lexicon import LexiconError
from igdet.curation.lexicon.wordnet_files import read_licence, read_nouns
from igdet.curation.lexicon.words import IRREGULAR_NAME, LICENCE_NAME, TABLE_NAME
from igdet.utils.errors import one_line_errors
from igdet.utils.files import atomic_write


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wordnet", type=Path, default="/usr/share/wordnet", help="folder of data.noun")
    parser.add_argument("--out", type=Path, default="igdet/curation/lexicon", help="folder of the lexicon")
    return parser.parse_args()


def read_database(folder: Path) -> tuple[pa.Table, str, str]:
    """Read the synsets, WordNet's licence and its irregular plurals.

    Raises:
        LexiconError: a file is missing.
    """
    try:
        return read_nouns(folder), read_licence(folder), (folder / IRREGULAR_NAME).read_text(encoding="ascii")
    except FileNotFoundError as error:
        raise LexiconError(f"{error.filename} is missing; install Debian's wordnet-base") from error


@one_line_errors()
def main() -> None:
    """Write the table of synsets, WordNet's irregular plurals as they are, and its licence."""
    args = parse_arguments()
    synsets, licence, irregular = read_database(args.wordnet)
    with atomic_write(args.out / TABLE_NAME) as file:
        pq.write_table(synsets, file, compression="zstd", compression_level=19, version="2.6")
    for name, text in ((LICENCE_NAME, licence), (IRREGULAR_NAME, irregular)):
        with atomic_write(args.out / name, "w") as file:
            file.write(text)
    print(f"{len(synsets):,} synsets written to {args.out / TABLE_NAME}")


if __name__ == "__main__":
    main()
