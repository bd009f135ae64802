"""Measure how Python code reads: lengths of files and functions, docstrings, annotations, comments, imports, tests."""

import argparse
import ast
import io
import statistics
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.record import Table

from igdet.utils.errors import UserError, one_line_errors

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = (
    "code",
    "files",
    "file median / p90 / max",
    "function median / p90 / max",
    "most arguments",
    "public docstrings",
    "arguments annotated",
    "comments per 100 lines",
    "imports' share",
    "tests / source",
)
Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef


@dataclass
class Style:
    """What is counted in the files of a project, one entry for each file, function or argument.

    Attributes:
        files: lines of each file of source.
        functions: lines of each function and method, from `def` to its last, nested ones too.
        arguments: number of arguments of each, without self and cls.
        annotated: for each argument, whether it has a type.
        documented: for each public function, method and class, whether it has a docstring.
        comments: comments of all files, block or trailing.
        imports: lines of all import statements.
        tests: lines of all files of tests.
    """

    files: list[int] = field(default_factory=list)
    functions: list[int] = field(default_factory=list)
    arguments: list[int] = field(default_factory=list)
    annotated: list[bool] = field(default_factory=list)
    documented: list[bool] = field(default_factory=list)
    comments: int = 0
    imports: int = 0
    tests: int = 0

    def add(self, text: str) -> None:
        """Count a file of source.

        Raises:
            SyntaxError: the text is not Python.
        """
        tree = ast.parse(text)
        self.files.append(len(text.splitlines()))
        self.comments += sum(token.type == tokenize.COMMENT for token in _tokens(text))
        self.documented += [ast.get_docstring(node) is not None for node in _public(tree)]
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                self.imports += _lines(node)
            elif isinstance(node, Function):
                self.functions.append(_lines(node))
                self._add_arguments(node.args)

    def _add_arguments(self, args: ast.arguments) -> None:
        listed = (*args.posonlyargs, *args.args, args.vararg, *args.kwonlyargs, args.kwarg)
        named = [arg for arg in listed if arg and arg.arg not in ("self", "cls")]
        self.arguments.append(len(named))
        self.annotated += [arg.annotation is not None for arg in named]

    def row(self, name: str) -> tuple[str, ...]:
        """Return the row of the table; one column for each of `COLUMNS`."""
        lines = sum(self.files)
        return (
            name,
            f"{len(self.files):,}",
            _spread(self.files),
            _spread(self.functions),
            str(max(self.arguments, default=0)),
            f"{_share(sum(self.documented), len(self.documented)):.0%}",
            f"{_share(sum(self.annotated), len(self.annotated)):.0%}",
            f"{100 * _share(self.comments, lines):.1f}",
            f"{_share(self.imports, lines):.1%}",
            f"{_share(self.tests, lines):.2f}",
        )


def measure(folder: Path) -> Style:
    """Count what is in a folder of source; its tests are in it or in `tests` beside it.

    Raises:
        UserError: no source is in the folder, or a file is not Python in UTF-8.
    """
    style = Style()
    for path in sorted(folder.rglob("*.py")):
        try:
            text = path.read_text(encoding="utf-8")
            if _is_test(path.relative_to(folder)):
                style.tests += len(text.splitlines())
            else:
                style.add(text)
        except (SyntaxError, ValueError) as error:
            raise UserError(f"{path} is not Python in UTF-8 ({error}); fix it or move it away") from error
    if not style.files:
        raise UserError(f"{folder} holds no Python source; name the folder of a package")
    for path in (folder.resolve().parent / "tests").rglob("*.py"):
        style.tests += len(path.read_text(encoding="utf-8").splitlines())
    return style


def _is_test(path: Path) -> bool:
    return path.stem.startswith("test_") or path.stem.endswith("_test") or not {"test", "tests"}.isdisjoint(path.parts)


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    return tokenize.generate_tokens(io.StringIO(text).readline)


def _lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _public(tree: ast.Module | ast.ClassDef) -> Iterator[Definition]:
    """Find what users may call: in no function, and neither it nor a class around it begins with an underscore."""
    for node in tree.body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public(node)


def _spread(lengths: Sequence[int]) -> str:
    """Write median, 90th percentile (the smallest length that 90% do not exceed) and maximum."""
    ordered = sorted(lengths) or [0]
    p90 = ordered[-(-9 * len(ordered) // 10) - 1]
    return f"{statistics.median_low(ordered):,} / {p90:,} / {ordered[-1]:,}"


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


@one_line_errors()
def main() -> None:
    """Print a Markdown table with a row for each folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, default=[ROOT / "igdet"], help="packages; default: igdet")
    rows = [measure(folder).row(folder.resolve().name) for folder in parser.parse_args().folders]
    print(Table(COLUMNS, rows).markdown())


if __name__ == "__main__":
    main()
