"""What must not be imported before a command line is read: PyTorch and Detectron2 take seconds."""

import json
import sys

import pytest
from detectron2.engine import default_argument_parser
from python_process import fresh_python

from igdet.benchmark.suite import PROBES
from igdet.checkpoint.convert import TARGETS
from igdet.cli import __main__ as igdet
from igdet.cli import measure_distance
from igdet.cli._training_arguments import training_parser
from igdet.cli.analyze_model import USES
from igdet.cli.weights import ENDINGS
from igdet.engine.distances import IMAGES
from igdet.evaluation.probing.protocols import PROTOCOLS
from igdet.modeling import costs

HEAVY = ("torch", "torchvision", "detectron2", "timm", "matplotlib", "sklearn")
WORLD = "configs/quick_schedules/pretrain_world.yaml"

# Runs command lines one after the other; prints which of them was the first to import each heavy module.
SCRIPT = """
import importlib, json, os, sys
heavy, lines = json.loads(sys.argv[1]), json.loads(sys.argv[2])
os._exit, found, ends = sys.exit, {}, []
for name, *arguments in lines:
    sys.argv = [f"igdet {name}", *arguments]
    try:
        end = importlib.import_module(f"igdet.cli.{name}").main()
    except SystemExit as left:
        end = left.code
    ends.append(end or 0)
    found.update({module: [name, *arguments] for module in heavy if module in sys.modules and module not in found})
print(json.dumps([found, ends]), file=sys.stderr)
"""


def run(lines, repository):
    process = fresh_python("-c", SCRIPT, json.dumps(HEAVY), json.dumps(lines), cwd=repository)
    return json.loads(process.stderr.splitlines()[-1])


def test_help_of_every_command(repository):
    lines = [[name, "--help"] for name in igdet.COMMANDS]
    assert run(lines, repository) == [{}, [0] * len(lines)]


def test_states_and_lists(repository, tmp_path):
    curation = ["curate", "status", "configs/curation/harrison.yaml", "OUTPUT_DIR", str(tmp_path)]
    suite = ["benchmark", "status", "configs/benchmark/demo.yaml", "OUTPUT_DIR", str(tmp_path)]
    assert run([["weights", "list"], curation, suite], repository)[0] == {}


@pytest.mark.parametrize(
    "line",
    [
        ["train_net", "--config-file", "no.yaml"],
        ["train_net", "--config-file", WORLD, "SOLVER.BASE_LRR", "1"],
        ["train_net", "--config-file", WORLD, "SOLVER.BASE_LR", "fast"],
        ["probe", "--config-file", WORLD, "PROBE.SHOT", "1"],
        ["visualize_data", "--config-file", "no.yaml"],
        ["measure_distance", "--config-file", "no.yaml", "--targets", "somewhere"],
        ["benchmark", "run", "configs/benchmark/demo.yaml", "SEED", "1"],
        ["benchmark", "run", "no.yaml"],
        ["study", "run", "no"],
        ["curate", "run", "no.yaml"],
    ],
    ids=" ".join,
)
def test_what_is_refused_before(line, repository):
    assert run([line], repository) == [{}, [2]]


def test_the_command_line_of_training_is_detectron2s():
    described = [
        [
            (action.option_strings, action.dest, action.default, action.type, action.nargs, action.const)
            for action in parser._actions
            if action.dest != "opts"  # given as a list in both, with and without a default
        ]
        for parser in (training_parser(""), default_argument_parser(""))
    ]
    assert described[0] == described[1]
    line = ["--config-file", "a.yaml", "--num-gpus", "2", "SEED", "3"]
    assert training_parser("").parse_args(line) == default_argument_parser("").parse_args(line)
    assert training_parser("").parse_args([]) == default_argument_parser("").parse_args([])


def test_choices_are_those_of_the_modules_that_are_imported_later(monkeypatch):
    assert {to: tuple(form.writers) for to, form in TARGETS.items()} == ENDINGS
    assert tuple(costs.USES) == USES
    assert tuple(PROTOCOLS) == PROBES
    monkeypatch.setattr(sys, "argv", ["measure_distance", "--request", "file"])
    assert measure_distance.parse_args().images == IMAGES
