"""Tables as CSV."""

from igdet.utils.csv_files import write_csv


def test_a_table_is_written_as_spreadsheets_read_it(tmp_path):
    write_csv(tmp_path / "new/table.csv", ("name", "count"), iter([("a, b", 1), ('"c"', 2)]))
    assert (tmp_path / "new/table.csv").read_bytes() == b'name,count\n"a, b",1\n"""c""",2\n'
