"""Strict YAML: a key written twice and whatever else is no plain mapping is named with its file."""

import pytest

from igdet.utils.strict_yaml import ConfigError, read_yaml


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
        ("A: [1\n", "not a YAML file"),
        ("? [1]\n: 2\n", "not a YAML file"),
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
