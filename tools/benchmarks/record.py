"""The result file of a benchmark: what was run, where, with which versions, and the tables that it measured.

A benchmark calls `report`, which prints its tables and writes runs/benchmarks/NAME.json. Copied to
docs/benchmarks/results/NAME.json, that file is what `tools/write_tables.py` renders into the pages.
"""

import json
import os
import platform
import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

OUTPUT = Path("runs/benchmarks")
PACKAGES = ("detectron2", "torch", "torchvision", "timm", "numpy", "pycocotools", "hotcoco", "scikit-learn")
PACKAGES += ("pillow", "opencv-python-headless", "daft", "pyarrow", "polars", "pandas", "faiss-cpu")
UNKNOWN = "not recorded"
WIDTH = 116  # of a command in a page


@dataclass(frozen=True)
class Table:
    """Measured rows as they are printed: text, rounded as far as the measurement carries."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        """Return the table in Markdown."""
        lines = [self.columns, ["---"] * len(self.columns), *self.rows]
        return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


@dataclass(frozen=True)
class Result:
    """One measurement. None: not recorded at the time.

    Attributes:
        commands: the command lines, in order.
        commit: of igdet, "-dirty" behind it when files differed from it.
        date: as YYYY-MM-DD.
        hardware: processor, its cores that were used, GPU.
        versions: of Python and of packages, by name.
        tables: by name.
    """

    commands: Sequence[str]
    commit: str | None
    date: str | None
    hardware: str | None
    versions: Mapping[str, str] | None
    tables: Mapping[str, Table]

    def how(self) -> str:
        """Return how it was measured, in Markdown."""
        versions = ", ".join(f"{name} {number}" for name, number in (self.versions or {}).items())
        facts = Table(
            ("date", "hardware", "commit", "versions"),
            [[fact or UNKNOWN for fact in (self.date, self.hardware, self.commit, versions)]],
        )
        commands = "\n".join(wrapped(command) for command in self.commands) or f"# {UNKNOWN}"
        return f"```bash\n{commands}\n```\n\n{facts.markdown()}"


def wrapped(command: str) -> str:
    """Break a long command line for a page, never between an option or a key and its value; it still runs as it is."""
    bound = re.sub(r"(--[\w-]+|\b[A-Z][A-Z_.0-9]+) (?!--)", "\\1\0", command)
    lines = textwrap.wrap(bound, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    return " \\\n".join(lines).replace("\0", " ")


def read_result(path: Path) -> Result:
    """Read a result file.

    Raises:
        ValueError: it is not JSON, or has not exactly the fields of `Result` and `Table`.
    """
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        tables = {name: Table(**table) for name, table in fields.pop("tables").items()}
        return Result(**fields, tables=tables)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path} is no result file ({error}): write it by `report` of record.py") from error


def write_result(path: Path, result: Result) -> None:
    """Write a result file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(result), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def table(columns: Sequence[str], rows: Iterable[Sequence], formats: Sequence[str] = ()) -> Table:
    """Round the cells of a table.

    Args:
        columns: its head.
        rows: texts and numbers.
        formats: the format of each column's numbers, such as ".2f"; texts stay as they are; (): `str` of each cell.
    """
    formats = formats or [""] * len(columns)

    def cell(value: object, how: str) -> str:
        return str(value) if isinstance(value, str) else format(value, how)

    return Table(columns, [[cell(*pair) for pair in zip(row, formats, strict=True)] for row in rows])


def report(name: str, **tables: Table) -> None:
    """Print what the running script has measured, and write it to runs/benchmarks/NAME.json.

    Args:
        name: of the result file.
        tables: by name.
    """
    for measured in tables.values():
        print(f"\n{measured.markdown()}")
    path = OUTPUT / f"{name}.json"
    write_result(path, Result([command()], commit(), date.today().isoformat(), hardware(), versions(), tables))
    print(f"\nWritten to {path}")


def command() -> str:
    """The command line that started this process."""
    threads = os.environ.get("OMP_NUM_THREADS")
    return (f"OMP_NUM_THREADS={threads} " if threads else "") + shlex.join(["python", *sys.argv])


def commit() -> str | None:
    """The commit of the working folder; None outside a clone."""
    found = subprocess.run(["git", "describe", "--always", "--dirty", "--exclude=*"], capture_output=True, text=True)
    return found.stdout.strip() or None


def hardware() -> str:
    """The processor with the cores that this process may use, and the GPU when torch is loaded and sees one."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    torch = sys.modules.get("torch")
    gpu = torch.cuda.get_device_name() if torch and torch.cuda.is_available() else "no GPU"
    return f"{len(os.sched_getaffinity(0))} cores of {model} ({gpu})"


def versions() -> dict[str, str]:
    """Versions of Python and of those packages that results depend on, as far as they are installed."""
    found = {"Python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
