"""Each command exists once: by name, as a module, and as a script of a clone that only calls it."""

import os
import re
import runpy
import sys

import pytest

from igdet.cli import __main__ as igdet
from igdet.cli import copy_configs

# Scripts of those who develop igdet: they need a clone.
DEVELOPERS = {
    "build_lexicon",
    "check_environments",
    "detectron2_rewrites",
    "docs_site",
    "draw_demo",
    "fuzz_readers",
    "install_detectron2",
    "measure_style",
    "pip_errors",
    "setup_environment",
    "write_tables",
}
COMMANDS = [name for name in igdet.COMMANDS if name != "copy_configs"]  # which a clone has no use for

SCRIPT = '''"""The command `igdet {name}`, from a clone."""

import sys

from igdet.cli.{name} import main

if __name__ == "__main__":
    sys.exit(main())
'''


def help_of(start, capsys):
    with pytest.raises(SystemExit) as end:
        start()
    assert end.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("name", COMMANDS)
def test_a_script_only_calls_the_command(name, repository, monkeypatch, capsys):
    monkeypatch.setattr(os, "_exit", sys.exit)  # of curate, which does not wait for its engine
    script = repository / f"tools/{name}.py"
    assert script.read_text() == SCRIPT.format(name=name)
    monkeypatch.setattr(sys, "argv", [f"{name}.py", "--help"])
    by_script = help_of(lambda: runpy.run_path(str(script), run_name="__main__"), capsys)
    monkeypatch.setattr(sys, "argv", ["igdet", name, "--help"])
    by_name = help_of(igdet.main, capsys)
    assert by_script.startswith(f"usage: {name}.py ") and by_name.startswith(f"usage: igdet {name} ")
    # Each names commands in the way in which it was started, and wraps lines by itself.
    of_script = re.sub(r"python tools/(\w+)\.py", r"igdet \1", by_script).replace(f"{name}.py [", f"igdet {name} [")
    assert re.sub(r"\s+", " ", by_name) == re.sub(r"\s+", " ", of_script)


def test_every_script_is_a_command_or_the_developers(repository):
    assert {path.stem for path in (repository / "tools").glob("*.py")} == {*COMMANDS, *DEVELOPERS}


def test_a_command_that_does_not_exist_is_refused_with_those_that_do(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["igdet", "train"])
    with pytest.raises(SystemExit, match="2"):
        igdet.main()
    assert "invalid choice: 'train' (choose from " in capsys.readouterr().err


def test_configs_are_copied_whole_into_a_new_folder_only(repository, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["igdet copy_configs"])
    copy_configs.main()
    names = lambda folder: {path.relative_to(folder) for path in folder.rglob("*")}  # noqa: E731
    assert names(tmp_path / "configs") == names(repository / "configs")
    with pytest.raises(SystemExit, match="2"):
        copy_configs.main()
    assert "configs is there already: expected a new folder" in capsys.readouterr().err
