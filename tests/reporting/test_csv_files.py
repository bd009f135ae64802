"""Tables as CSV."""

import csv

import pytest

from igdet.reporting.tables import csv_export, write_csv


def test_a_table_is_written_as_spreadsheets_read_it(tmp_path):
    write_csv(tmp_path / "new/table.csv", ("name", "count"), iter([("a, b", 1), ('"c"', 2)]))
    assert (tmp_path / "new/table.csv").read_bytes() == b'name,count\n"a, b",1\n"""c""",2\n'


@pytest.mark.parametrize("text", ["=1+1", "+1", "-cmd", "@SUM(A1)", "\t=1"])
def test_formulas_are_texts_in_exports_and_stay_in_tables_that_are_read_again(tmp_path, text):
    (row,) = csv.reader([csv_export(("a", "b"), [(text, -1.5)]).partition("\n")[2]])
    assert row == [f"'{text}", "-1.5"]
    write_csv(tmp_path / "x.csv", ("a", "b"), [(text, -1.5)])
    with (tmp_path / "x.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["a", "b"], [text, "-1.5"]]


def test_a_carriage_return_begins_no_row_of_an_export():
    assert csv_export(("a",), [("\r=1",), ("x\r=1",)]) == "a\n' =1\nx =1\n"
