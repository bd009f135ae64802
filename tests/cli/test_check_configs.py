"""tools/check_configs.py: what would stop runs at their start, each thing once."""

import json
import sys

import yaml

from igdet.cli import check_configs
from igdet.cli.actions import check_configs as actions


def run(name, config, *opts, processes=1):
    return {"name": name, "config_file": str(config), "opts": list(opts), "processes": processes}


def test_sound_configs_have_no_problem_and_leave_no_trace(colour_config, tmp_path):
    assert actions.problems([run("a", colour_config), run("b", colour_config, "SOLVER.BASE_LR", "0.1")]) == {}
    assert not (tmp_path / "run").exists()


def test_a_problem_names_the_runs_that_it_stops(colour_config):
    wrong = "DATASETS.TEST", "('colours_vall',)"
    runs = [run("a", colour_config, *wrong), run("b", colour_config), run("c", colour_config, *wrong)]
    [(message, names)] = actions.problems(runs).items()
    assert message.startswith("DATASETS.TEST: there is no data set 'colours_vall'")
    assert names == ["a", "c"]


def test_a_config_does_not_borrow_the_data_sets_of_another(colour_config, tmp_path):
    content = yaml.safe_load(colour_config.read_text())
    del content["DATASETS"]["OWN"]["colours_val"]
    (tmp_path / "without.yaml").write_text(yaml.safe_dump(content))
    [message] = actions.problems([run("a", colour_config), run("b", tmp_path / "without.yaml")])
    assert message.startswith("DATASETS.TEST: there is no data set 'colours_val'")


def test_a_batch_that_the_processes_of_a_run_cannot_share(colour_config):
    batch = "SOLVER.IMS_PER_BATCH", "6"
    runs = [run("a", colour_config, *batch, processes=4), run("b", colour_config, *batch, processes=3)]
    [(message, names)] = actions.problems(runs).items()
    assert message.startswith("SOLVER.IMS_PER_BATCH 6 cannot be shared equally by 4 processes")
    assert names == ["a"]


def test_data_sets_are_read_once_for_all_runs_that_use_them(colour_config, monkeypatch):
    read, register = [], actions.register_own_datasets
    monkeypatch.setattr(actions, "register_own_datasets", lambda cfg: (read.append(cfg.DATASETS.TEST), register(cfg)))
    other = "DATASETS.TEST", "('colours_train',)"
    rates = [("SOLVER.BASE_LR", "-1.0"), other, ("SOLVER.BASE_LR", "0.1"), (*other, "SOLVER.BASE_LR", "-2.0")]
    found = actions.problems([run(f"{i}", colour_config, *opts) for i, opts in enumerate(rates)])
    assert read == [("colours_val",), ("colours_train",)]
    assert found == {
        "SOLVER.BASE_LR is -1.0: expected more than 0": ["0"],
        "SOLVER.BASE_LR is -2.0: expected more than 0": ["3"],
    }


def test_the_command_line(colour_config, tmp_path, monkeypatch, capsys):
    runs = [run(name, colour_config, "SOLVER.BASE_RL", "1") for name in ("a", "b", "c")]
    (tmp_path / "runs.json").write_text(json.dumps(runs))
    monkeypatch.setattr(sys, "argv", ["check_configs.py", str(tmp_path / "runs.json")])
    assert check_configs.main() == 2
    assert capsys.readouterr().out.startswith("a and 2 more: command line: unknown key 'SOLVER.BASE_RL'")
