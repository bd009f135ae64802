"""The matrix: which cells there are, what they run, and what makes one run again."""

import json

import pytest

from igdet.benchmark.cells import RECORD, RESULTS, expand, known_seeds
from igdet.benchmark.suite import PROBES
from igdet.benchmark.suite_file import read_suite
from igdet.evaluation.probing.protocols import PROTOCOLS
from igdet.utils.yaml import ConfigError


def by_name(cells):
    return {cell.name: cell for cell in cells}


def test_cells_of_a_suite(suite):
    cells = by_name(expand(suite, seeds=2))
    names = ["pretraining/hashtag", "boxes/scratch", "boxes/hashtag", "linear/scratch", "linear/hashtag"]
    assert list(cells) == [f"seed{seed}/{name}" for seed in (0, 1) for name in names]
    assert cells["seed1/boxes/hashtag"].needs == (cells["seed1/pretraining/hashtag"],)
    assert cells["seed1/boxes/scratch"].needs == ()


def test_weights_come_from_the_pretraining_of_the_same_seed(suite):
    cells = by_name(expand(suite, seeds=2))
    assert cells["seed1/boxes/hashtag"].opts["MODEL.WEIGHTS"] == "out/seed1/pretraining/hashtag/model_final.pth"
    assert cells["seed1/boxes/scratch"].opts["MODEL.WEIGHTS"] == ""
    assert cells["seed1/pretraining/hashtag"].opts == {
        "MODEL.WEIGHTS": "",
        "SEED": 1,
        "OUTPUT_DIR": "out/seed1/pretraining/hashtag",
    }


def test_options_for_one_initialisation_win(write_suite):
    target = {"TITLE": "T", "CONFIG": "boxes.yaml", "METRICS": {"a": "A"}, "OPTS": {"X": 1, "Y": 1}}
    target |= {"OPTS_FOR": {"hashtag": {"Y": 2}}}
    cells = by_name(expand(read_suite(write_suite(TARGETS={"t": target}, OPTS={"X": 0, "Z": 0}))))
    opts = cells["seed0/t/hashtag"].opts
    assert {key: opts[key] for key in ("X", "Y", "Z")} == {"X": 1, "Y": 2, "Z": 0}
    assert cells["seed0/t/scratch"].opts["Y"] == 1


def test_released_weights_need_no_pretraining(write_suite):
    start = {"released": {"TITLE": "R", "WEIGHTS": "igdet://some"}}
    cells = expand(read_suite(write_suite(INITIALIZATIONS=start, BASELINES=[], GPUS=4)))
    assert [cell.name for cell in cells] == ["seed0/boxes/released", "seed0/linear/released"]
    assert cells[0].opts["MODEL.WEIGHTS"] == "igdet://some"
    assert cells[0].shell_command.startswith("python ")
    assert "--num-gpus 4 --dist-url auto --config-file boxes.yaml MODEL.WEIGHTS igdet://some" in cells[0].shell_command


def test_weights_of_another_suite_are_those_of_the_same_seed(write_suite):
    start = {"theirs": {"TITLE": "T", "WEIGHTS": "runs/seed{seed}/model.pth"}}
    cells = expand(read_suite(write_suite(INITIALIZATIONS=start, BASELINES=[], SEEDS=2)))
    assert {cell.opts["MODEL.WEIGHTS"] for cell in cells} == {"runs/seed0/model.pth", "runs/seed1/model.pth"}


def test_a_target_may_be_a_probe(write_suite):
    assert tuple(PROTOCOLS) == PROBES
    probe = {"TITLE": "Frozen", "CONFIG": "linear.yaml", "METRICS": {"knn/top1": "k-NN"}, "PROBE": ["knn", "linear"]}
    suite = read_suite(write_suite(TARGETS={"frozen": probe}, GPUS=2))
    cells = by_name(expand(suite))
    cell = cells["seed0/frozen/hashtag"]
    assert "igdet.cli.probe --protocols knn linear --config-file linear.yaml MODEL.WEIGHTS out/" in cell.shell_command
    cell.write_record(state="finished")
    assert cell.state == "broken"
    (cell.folder / "probe.json").write_text('{"results": {"knn": {"top1": 50.0, "classification": {"top1": 50.0}}}}')
    assert cell.state == "finished" and cell.deciding_value == 50.0
    assert cells["seed0/pretraining/hashtag"].results == RESULTS


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"PROBE": ["kmn"]}, "TARGETS.frozen.PROBE names 'kmn'; known: linear, kshot, knn; did you mean 'knn'"),
        (
            {"PROBE": ["knn"], "GRID": {"SOLVER.BASE_LR": [0.1]}, "SELECT_ON": {"TRAIN": "a", "TEST": "b"}},
            "TARGETS.frozen has both PROBE and GRID",
        ),
    ],
)
def test_probes_that_cannot_be(write_suite, changes, message):
    probe = {"TITLE": "Frozen", "CONFIG": "linear.yaml", "METRICS": {"knn/top1": "k-NN"}, **changes}
    with pytest.raises(ConfigError, match=message):
        read_suite(write_suite(TARGETS={"frozen": probe}))


def test_state_follows_the_files(suite):
    cell = expand(suite)[0]
    assert cell.state == "waiting"
    cell.write_record(state="failed")
    assert cell.state == "failed"
    (cell.folder / RESULTS).write_text('{"results": {}}')
    assert cell.state == "finished"
    (cell.folder / RECORD).write_text(json.dumps({"digest": "another", "state": "failed"}))
    assert cell.state == "waiting"


def test_results_cut_short_do_not_count(suite):
    cell = expand(suite)[0]
    cell.write_record(state="interrupted")
    (cell.folder / RESULTS).write_text('{"results":')
    assert cell.state == "interrupted"


def digests(suite):
    return {cell.name: cell.digest for cell in expand(suite)}


def changed(before, after):
    return {name for name in before if before[name] != after[name]}


def test_a_changed_config_changes_its_cells_only(suite, write_config):
    before = digests(suite)
    write_config("boxes", TOP1=31)
    assert changed(before, digests(suite)) == {"seed0/boxes/scratch", "seed0/boxes/hashtag"}


def test_a_changed_pretraining_changes_what_starts_from_it(suite, write_config):
    before = digests(suite)
    write_config("pretrain", TOP1=31)
    assert changed(before, digests(suite)) == {name for name in before if "hashtag" in name}


def test_a_changed_base_or_world_counts_and_a_comment_does_not(write_suite, folder):
    (folder / "boxes.yaml").write_text("_BASE_: linear.yaml\n")
    (folder / "world.json").write_text("1")
    suite = read_suite(write_suite(PREPARED="world.json"))
    before = digests(suite)
    (folder / "linear.yaml").write_text("# a comment\n" + (folder / "linear.yaml").read_text())
    assert digests(suite) == before
    (folder / "linear.yaml").write_text("FAKE: {TOP1: 1}")
    assert changed(before, digests(suite)) == {name for name in before if "pretraining" not in name}
    (folder / "world.json").write_text("2")
    assert changed(before, digests(suite)) == set(before)


def test_seeds_of_an_earlier_run_are_known(suite, folder):
    assert known_seeds(suite) == 1
    (folder / "out" / "seed4").mkdir(parents=True)
    (folder / "out" / "seeds").mkdir()
    assert known_seeds(suite) == 5
