"""Arrow does without pandas in a process of its own, which can still use both."""

import subprocess
import sys

import pytest

from igdet.utils.arrow import leave_pandas_out


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_pandas_is_not_imported():
    code = "import sys, pyarrow; from igdet.utils.arrow import leave_pandas_out; leave_pandas_out()"
    code += "; pyarrow.array([1]); import pyarrow.dataset; print('pandas' in sys.modules)"
    assert run(code) == "False\n"


def test_tables_become_frames_all_the_same():
    pytest.importorskip("pandas")
    code = "import pyarrow; from igdet.utils.arrow import leave_pandas_out; leave_pandas_out()"
    assert run(f"{code}; print(pyarrow.table({{'a': [1, 2]}}).to_pandas()['a'].sum())") == "3\n"


def test_where_pandas_is_imported_nothing_changes(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", sys)
    finders = list(sys.meta_path)
    leave_pandas_out()
    assert sys.meta_path == finders
