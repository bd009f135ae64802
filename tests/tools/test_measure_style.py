"""How code reads, of a package that is small enough to count by hand."""

import pytest
from measure_style import COLUMNS, main, measure

from igdet.utils.errors import UserError

# 13 lines: 3 of imports, 2 comments; 3 functions of 2, 4 and 2 lines with 2, 5 and 0 arguments, 2 + 3 annotated.
# Public are `add`, `Box` and its method `grow`; `add` and `Box` have docstrings.
SHAPES = '''"""Shapes."""
from os import (
    path,
)
def add(a: int, b: int) -> int:
    """Add."""; return a + b
class Box:
    """A box."""
    # Grown in place.
    def grow(self, by: int, *rest, to: int = 0, key=None, **more: int):
        def inner():
            return "# no comment"
        return inner  # trailing
'''


@pytest.fixture
def package(tmp_path):
    """A package of two files, with tests in it and beside it."""
    folder = tmp_path / "shapes"
    (folder / "inner").mkdir(parents=True)
    (folder / "shapes.py").write_text(SHAPES)
    (folder / "inner" / "one.py").write_text("def _hidden(): pass\n")
    (folder / "inner" / "one_test.py").write_text("def test_one():\n    pass\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "conftest.py").write_text("import os\n" * 5)
    return folder


def test_everything_is_counted_as_by_hand(package):
    style = measure(package)
    assert sorted(style.files) == [1, 13]
    assert sorted(style.functions) == [1, 2, 2, 4]
    assert sorted(style.arguments) == [0, 0, 2, 5]
    assert (sum(style.annotated), len(style.annotated)) == (5, 7)
    assert (sum(style.documented), len(style.documented)) == (2, 3)
    assert (style.comments, style.imports, style.tests) == (2, 3, 2 + 5)


def test_the_row_has_the_columns_of_the_table(package):
    row = dict(zip(COLUMNS, measure(package).row("shapes"), strict=True))
    assert row == {
        "code": "shapes",
        "files": "2",
        "file median / p90 / max": "1 / 13 / 13",
        "function median / p90 / max": "2 / 4 / 4",
        "most arguments": "5",
        "public docstrings": "67%",
        "arguments annotated": "71%",
        "comments per 100 lines": "14.3",
        "imports' share": "21.4%",
        "tests / source": "0.50",
    }


def test_nothing_but_an_empty_file_is_measured(tmp_path):
    (tmp_path / "__init__.py").touch()
    style = measure(tmp_path)
    assert (style.files, style.functions, style.comments) == ([0], [], 0)
    assert style.row("empty")[2:4] == ("0 / 0 / 0", "0 / 0 / 0")


def test_a_folder_without_source_is_refused(tmp_path):
    with pytest.raises(UserError, match="holds no Python source"):
        measure(tmp_path)


@pytest.mark.parametrize("content", [b"def :\n", b"'\xff'\n", b"'\0'\n"])
def test_a_file_that_is_not_python_is_named(tmp_path, content):
    (tmp_path / "broken.py").write_bytes(content)
    with pytest.raises(UserError, match=r"broken\.py"):
        measure(tmp_path)


def test_the_command_prints_a_row_for_each_folder(package, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["measure_style.py", str(package), str(package / "inner")])
    main()
    header, _, *rows = capsys.readouterr().out.splitlines()
    assert header == f"| {' | '.join(COLUMNS)} |"
    assert [row.split(" | ")[0] for row in rows] == ["| shapes", "| inner"]


def test_contributing_shows_the_columns_and_measures_igdet(repository):
    text = (repository / "CONTRIBUTING.md").read_text()
    assert f"| {' | '.join(COLUMNS)} |" in text
    assert "\n| igdet | " in text
