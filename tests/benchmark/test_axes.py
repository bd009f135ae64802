"""Axes: which initialisations they make, which cells are shared, and what is refused."""

import pytest

from igdet.benchmark.cells import expand
from igdet.benchmark.suite_file import read_suite
from igdet.utils.yaml import ConfigError

SUITE = """
TITLE: Size
OUTPUT_DIR: {folder}/runs
BASELINES: [scratch]
AXES:
  posts:
    TITLE: Posts
    SCALE: log
    VALUES:
      "100": {{X: 100, PRETRAINING: {{SOLVER.IMAGES_SEEN: 100}}}}
      1k: {{TITLE: 1 000 posts, X: 1000, PRETRAINING: {{SOLVER.IMAGES_SEEN: 1000}}}}
  width:
    TITLE: Width
    VALUES:
      slim: {{BOTH: {{MODEL.RESNETS.WIDTH_PER_GROUP: 2}}, TRANSFER: {{SOLVER.BASE_LR: 0.1}}}}
      wide: {{BOTH: {{MODEL.RESNETS.WIDTH_PER_GROUP: 4}}}}
INITIALIZATIONS:
  scratch: {{TITLE: From scratch}}
  hashtag: {{TITLE: Hashtags, CONFIG: '{folder}/c.yaml', OPTS: {{SOLVER.MOMENTUM: 0.8}}}}
TARGETS:
  classes:
    TITLE: Classes
    CONFIG: '{folder}/c.yaml'
    METRICS: {{classification/top1: Top-1}}
    OPTS_FOR: {{hashtag: {{SOLVER.BASE_LR: 0.2}}}}
"""


@pytest.fixture
def read(tmp_path):
    (tmp_path / "c.yaml").write_text("SEED: 1\n")

    def read(*changes):
        text = SUITE.format(folder=tmp_path)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "suite.yaml").write_text(text)
        return read_suite(tmp_path / "suite.yaml")

    return read


def test_every_point_is_an_initialisation_and_shared_ones_are_made_once(read):
    suite = read()
    assert list(suite.initializations) == [
        "scratch.width-slim", "scratch.width-wide",
        "hashtag.posts-100.width-slim", "hashtag.posts-100.width-wide",
        "hashtag.posts-1k.width-slim", "hashtag.posts-1k.width-wide",
    ]  # fmt: skip
    node = suite.initializations["hashtag.posts-1k.width-slim"]
    assert (node.title, node.series) == ("Hashtags, 1 000 posts, slim", "hashtag")
    assert node.point == {"posts": "1k", "width": "slim"}
    assert suite.baselines == ["scratch.width-slim", "scratch.width-wide"]


def test_what_a_value_changes_reaches_its_cells(read):
    cells = {cell.name: cell for cell in expand(read())}
    assert len(cells) == 4 + 6  # pretrainings and transfers
    pretraining = cells["seed0/pretraining/hashtag.posts-100.width-slim"].opts
    assert (pretraining["SOLVER.IMAGES_SEEN"], pretraining["SOLVER.MOMENTUM"]) == (100, 0.8)
    assert pretraining["MODEL.RESNETS.WIDTH_PER_GROUP"] == 2 and "SOLVER.BASE_LR" not in pretraining
    transfer = cells["seed0/classes/hashtag.posts-100.width-slim"].opts
    assert (transfer["MODEL.RESNETS.WIDTH_PER_GROUP"], transfer["SOLVER.BASE_LR"]) == (2, 0.1)
    assert "SOLVER.IMAGES_SEEN" not in transfer
    assert cells["seed0/classes/hashtag.posts-100.width-wide"].opts["SOLVER.BASE_LR"] == 0.2


def test_a_value_can_change_one_target_alone(read):
    slim = "slim: {BOTH: {MODEL.RESNETS.WIDTH_PER_GROUP: 2}"
    cells = {
        cell.name: cell
        for cell in expand(read((slim, "slim: {TARGETS: {classes: {SOLVER.GAMMA: 0.3}}, BOTH: {SOLVER.GAMMA: 0.2}")))
    }
    assert cells["seed0/classes/scratch.width-slim"].opts["SOLVER.GAMMA"] == 0.3
    assert cells["seed0/pretraining/hashtag.posts-100.width-slim"].opts["SOLVER.GAMMA"] == 0.2


def test_a_pretraining_is_run_once_for_points_that_change_the_transfer_alone(read):
    transfer = ("PRETRAINING: {SOLVER.IMAGES_SEEN", "TRANSFER: {SOLVER.IMAGES_SEEN")
    suite = read(transfer)
    assert suite.initializations["hashtag.posts-1k.width-slim"].shares == "hashtag.posts-100.width-slim"
    cells = {cell.name: cell for cell in expand(suite)}
    pretrainings = [name for name in cells if "/pretraining/" in name]
    assert pretrainings == [f"seed0/pretraining/hashtag.posts-100.width-{width}" for width in ("slim", "wide")]
    needed = cells["seed0/classes/hashtag.posts-1k.width-wide"].needs
    assert [cell.name for cell in needed] == [pretrainings[1]]


def test_an_axis_of_some_initialisations_alone(read):
    suite = read(("    TITLE: Width\n", "    TITLE: Width\n    OF: [hashtag]\n"))
    assert next(iter(suite.initializations)) == "scratch" and suite.baselines == ["scratch"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("SCALE: log", "SCALE: logarithmic", "AXES.posts.SCALE is 'logarithmic'; expected one of log, linear"),
        ("{X: 100, ", "{", r"AXES.posts.VALUES.100 has no X, its place on the log scale"),
        ("X: 100,", "X: 0,", r"VALUES.100.X is 0; a log scale has numbers above 0 alone"),
        ("X: 1000,", "X: 100,", "two values have the same X"),
        ("    TITLE: Width\n", "    TITLE: Width\n    OF: [hastag]\n", "AXES.width.OF names 'hastag'; .*hashtag"),
        ("SOLVER.IMAGES_SEEN: 1000", "SOLVER.IMAGES_SEEN: 100", "VALUES: 1k changes what 100 does; keep one of them"),
        ("    TITLE: Posts\n", "    TITLE: Posts\n    OF: [scratch]\n", "AXES.posts changes nothing in any initial"),
        ("SOLVER.BASE_LR: 0.1", "SEED: 3", "AXES.width.VALUES.slim sets SEED, which the benchmark sets itself"),
        ("      wide: {BOTH: {MODEL.RESNETS.WIDTH_PER_GROUP: 4}}\n", "", "AXES.width.VALUES has 1 values; an axis"),
        ("TITLE: Size", "TITLE: Size\nX: post", "X names 'post'; known: posts, width"),
        ("TITLE: Size", "TITLE: Size\nFINDINGS: [sizes]", "FINDINGS names 'sizes'; known: size, vocabulary"),
        ("TITLE: Size", "TITLE: Size\nAXIS: 1", "unknown key 'AXIS'"),
        ("  scratch: {TITLE: From", "  scratch: {SERIES: a, TITLE: From", "unknown key 'SERIES'"),
        ("    TITLE: Width\n", "    TITLE: Width\n    ASKS: best\n", "ASKS is best, .* a log or linear scale"),
        ("    TITLE: Width\n", "    TITLE: Width\n    ASKS: most\n", "AXES.width.ASKS is 'most'; expected one of"),
        ("slim: {", "slim: {TARGETS: {class: {A: 1}}, ", "slim.TARGETS names 'class'; known: classes.*classes"),
        ("slim: {", "slim: {TARGETS: {classes: {SEED: 1}}, ", "VALUES.slim.TARGETS.classes sets SEED, which"),
        ("X: 1000,", "X: many,", r"AXES.posts: VALUES.1k: X must be a number such as 0.01 or 1.0e-4, got 'many'"),
    ],
)  # fmt: skip
def test_axes_that_cannot_be_are_named(read, old, new, message):
    with pytest.raises(ConfigError, match=message):
        read((old, new))
