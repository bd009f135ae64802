"""Strict YAML: a key written twice and whatever else is no plain mapping is named with its file."""

import pytest

from igdet.utils.yaml import ConfigError, read_value, read_with_bases, read_yaml


def write(path, text):
    path.write_text(text)
    return path


def test_duplicate_key_is_named_with_both_lines(tmp_path):
    path = write(tmp_path / "run.yaml", "SOLVER:\n  BASE_LR: 0.1\n  MAX_ITER: 5\n  BASE_LR: 0.2\n")
    with pytest.raises(ConfigError, match=r"run\.yaml, lines 2 and 4: the key 'BASE_LR' is written twice"):
        read_yaml(path)


def test_duplicate_top_level_section_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"lines 1 and 2: the key 'SOLVER'"):
        read_yaml(write(tmp_path / "run.yaml", "SOLVER: {BASE_LR: 0.1}\nSOLVER: {MAX_ITER: 5}\n"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n- b\n", "found a list"),
        ("A: [1\n", "not YAML that"),
        ("? [1]\n: 2\n", "not YAML that"),
        ("A: !!python/object/apply:os.getcwd []\n", "read safely"),
    ],
)
def test_broken_files_are_named(tmp_path, text, message):
    with pytest.raises(ConfigError, match=rf"run\.yaml: .*{message}"):
        read_yaml(write(tmp_path / "run.yaml", text))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"absent\.yaml: there is no such config file"):
        read_yaml(tmp_path / "absent.yaml")


def test_empty_file_is_an_empty_config(tmp_path):
    assert read_yaml(write(tmp_path / "run.yaml", "# nothing\n")) == {}


def test_a_nul_byte_is_refused_where_it_stands(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text('A: 1\nB: {C: "runs/a\\0b"}\n')
    with pytest.raises(ConfigError, match=r"c\.yaml, line 2: 'runs/a\\x00b' holds a NUL byte"):
        read_yaml(path)


def test_merge_keys_are_read_as_detectron2_reads_them(tmp_path):
    path = write(tmp_path / "run.yaml", "A: &a {X: 1, Y: 2}\nB: {<<: *a, Y: 3}\nC: {Z: 4, <<: [{X: 5}, *a]}\n")
    assert read_yaml(path) == {"A": {"X": 1, "Y": 2}, "B": {"X": 1, "Y": 3}, "C": {"X": 5, "Y": 2, "Z": 4}}


def test_an_anchor_that_merges_and_is_merged_is_no_doubled_key(tmp_path):
    path = write(tmp_path / "run.yaml", "A: &a {X: 1}\nB: &b {<<: *a, X: 2}\nC: {<<: *b}\n")
    assert read_yaml(path) == {"A": {"X": 1}, "B": {"X": 2}, "C": {"X": 2}}


def test_of_merged_mappings_the_own_keys_count_and_then_the_first(tmp_path):
    path = write(tmp_path / "run.yaml", "A: &a {XY: 1, Z: 1}\nB: &b {XY: 2, V: 2}\nC: {V: 3, <<: [*a, *b]}\n")
    assert read_yaml(path)["C"] == {"XY": 1, "Z": 1, "V": 3}


@pytest.mark.parametrize("value", ["3", "[{X: 1}, 3]"])
def test_what_is_no_mapping_is_not_merged(tmp_path, value):
    with pytest.raises(ConfigError, match="expected a mapping, or a list of them, to merge, found a scalar"):
        read_yaml(write(tmp_path / "run.yaml", f"A: {{<<: {value}}}\n"))


@pytest.mark.parametrize(
    "text", ["B: {X: 1, X: 2}\n", "A: &a {X: 1}\nB: {<<: *a, <<: *a}\n", "B: {<<: {X: 1, X: 2}}\n"]
)
def test_a_doubled_key_is_refused_beside_merge_keys(tmp_path, text):
    with pytest.raises(ConfigError, match=r"run\.yaml, lines \d and \d: the key '(X|<<)' is written twice"):
        read_yaml(write(tmp_path / "run.yaml", text))


@pytest.mark.parametrize(
    ("text", "value"), [("1e-3", 0.001), ("5E2", 500.0), ("-2e+1", -20.0), ("1_0", 10), ("0x10", 16)]
)
def test_numbers_are_read_as_people_mean_them(tmp_path, text, value):
    read = read_yaml(write(tmp_path / "run.yaml", f"A: {text}\n"))["A"]
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_files_of_other_editors_are_read(tmp_path, encoding):
    path = tmp_path / "run.yaml"
    path.write_bytes("A: çöp\n".encode(encoding))
    assert read_yaml(path) == {"A": "çöp"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A: {B: 2024-02-31}\n", "A.B: '2024-02-31' is no timestamp \\(day is out of range"),
        ("A: [1, 2020-99-99]\n", "A\\[1\\]: '2020-99-99' is no timestamp"),
        (f"A: {'9' * 5000}\n", "A: '99.*99' is no int"),
        ("A: 010\n", "A: YAML reads 010 as 8; write the number in full"),
        ("A: 1:30\n", "A: YAML reads 1:30 as 90"),
        ("A: !!bool maybe\n", "A: 'maybe' is no bool"),
        ("A: !!int ''\n", "A: '' is no int"),
        ("A: !!timestamp x\n", "A: 'x' is no timestamp"),
        ("A: !!float x\n", "A: 'x' is no float"),
        ("A: {2024: 1}\n", "A: line 1: the key '2024' is a YAML int; put it in quotes"),
        ("on: 1\n", "line 1: the key 'on' is a YAML bool"),
        ("A: &a [1, *a]\n", "A\\[1\\]: its alias stands for what it is a part of"),
        ("A: &a {B: *a}\n", "its alias stands for what it is a part of"),
        (f"A: {'[' * 60}{']' * 60}\n", "nested too deeply; expected at most 50 levels"),
        (f"A: {'[' * 2000}{']' * 2000}\n", "nested too deeply"),
        ("A: 'x\\x00y\n", "not YAML that can be read"),
        ("A: 1\n---\nB: 2\n", "not YAML that can be read"),
        ("A:\n\tB: 1\n", "not YAML that can be read"),
        ("A: 1\n" * 30_000, "has 150,000 bytes; expected a config file"),
    ],
)
def test_values_that_are_none_are_named(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message) as caught:
        read_yaml(write(tmp_path / "run.yaml", text))
    assert str(caught.value).startswith(f"{tmp_path / 'run.yaml'}")
    assert len(str(caught.value)) < 1000
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("first", "repeated"), [("[x]", "[{}]"), ("{X: 1}", "{{<<: [{}]}}")])
def test_few_lines_cannot_stand_for_a_billion_values(tmp_path, first, repeated):
    lines = [f"A0: &a0 {first}"]
    lines += [f"A{n}: &a{n} {repeated.format(', '.join([f'*a{n - 1}'] * 9))}" for n in range(1, 10)]
    with pytest.raises(ConfigError, match=r"A\d(\.<<)?: its aliases stand for [\d,]+ values; expected at most 131,072"):
        read_yaml(write(tmp_path / "run.yaml", "\n".join(lines)))


@pytest.mark.parametrize("base", ["3", "[3]", "{A: 1}", "[[a.yaml]]", "''", "null"])
def test_a_base_that_is_no_path_is_named(tmp_path, base):
    with pytest.raises(ConfigError, match=r"run\.yaml: _BASE_ is .*: expected a path or a list of paths"):
        read_with_bases(write(tmp_path / "run.yaml", f"_BASE_: {base}\n"))


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("https://example.org/Base.yaml", "_BASE_ is the address 'https://example.org/Base.yaml': save the file here"),
        (".", "is a folder; expected a YAML file"),
        ('"a\\0.yaml"', r"'a\\x00\.yaml' holds a NUL byte"),
        ("x" * 5000, "no path of a config file"),
    ],
)
def test_a_base_that_cannot_be_opened_is_named(tmp_path, base, message):
    with pytest.raises(ConfigError, match=message):
        read_with_bases(write(tmp_path / "run.yaml", f"_BASE_: {base}\n"))


def test_bases_that_multiply_are_refused(tmp_path):
    for n in range(9):
        write(tmp_path / f"{n}.yaml", f"_BASE_: [{', '.join([f'{n + 1}.yaml'] * 9)}]\n")
    write(tmp_path / "9.yaml", "A: 1\n")
    with pytest.raises(ConfigError, match="is one of more than 100 files"):
        read_with_bases(tmp_path / "0.yaml")


@pytest.mark.parametrize(("text", "value"), [("[1, 2]", [1, 2]), ("1e-2", 0.01), ("", None)])
def test_values_of_the_command_line_are_read(text, value):
    assert read_value(text, "override A") == value


@pytest.mark.parametrize("text", ["[", "2024-02-31", "{1: 2}", "[" * 3000, "9" * 5000])
def test_values_of_the_command_line_that_are_none_are_named(text):
    with pytest.raises(ConfigError, match=r"^override A: "):
        read_value(text, "override A")
