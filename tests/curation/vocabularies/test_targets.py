"""Target classes out of the files that data sets come with."""

import json
import re

import pytest

from igdet.curation.lexicon.wordnet import read_hypernyms
from igdet.curation.vocabularies.target_classes import IMAGENET_1K, TargetClass, TargetError, read_targets


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("n01443537", TargetClass("n01443537", (), "n01443537")),
        (
            "n01443537\tgoldfish, Carassius auratus",
            TargetClass("n01443537", ("goldfish", "Carassius auratus"), "n01443537"),
        ),
        ("n01443537 goldfish", TargetClass("n01443537", ("goldfish",), "n01443537")),
        ("001.Black_footed_Albatross", TargetClass("001.Black_footed_Albatross", ("Black footed Albatross",))),
        ("1 001.Black_footed_Albatross", TargetClass("1 001.Black_footed_Albatross", ("Black footed Albatross",))),
        ("/a/airport_terminal", TargetClass("/a/airport_terminal", ("airport terminal",))),
        ("/c/church/indoor 91", TargetClass("/c/church/indoor 91", ("church",))),
        ("#BrownBear", TargetClass("#BrownBear", ("BrownBear",))),
        ("hot air balloon", TargetClass("hot air balloon", ("hot air balloon",))),
        ("n0144", TargetClass("n0144", ("n0144",))),
    ],
)
def test_lines(tmp_path, line, expected):
    (tmp_path / "classes.txt").write_text(f"# a comment\n\n{line}\n", encoding="utf-8")
    assert read_targets(tmp_path / "classes.txt") == [expected]


def test_coco_categories(tmp_path):
    path = tmp_path / "instances.json"
    path.write_text(json.dumps({"categories": [{"id": 1, "name": "mouse"}, {"id": 2, "name": "toy crane"}]}))
    assert read_targets(path) == [
        TargetClass("mouse", ("mouse",), "n03793489"),  # the one of a computer
        TargetClass("toy crane", ("toy crane",)),
    ]


def test_cocos_own_categories_have_synsets(real_data):
    targets = read_targets(real_data / "coco/annotations/instances_val2017.json")
    assert len(targets) == 80
    assert [target.key for target in targets if not target.wnid] == ["stop sign"]


def test_every_shipped_wnid_is_a_noun_synset(repository):
    synsets = set(read_hypernyms()["label"].to_pylist())
    imagenet, coco = (
        read_targets(IMAGENET_1K),
        read_targets(repository / "igdet/curation/vocabularies/coco_synsets.txt"),
    )
    assert (len(imagenet), len(coco)) == (1000, 79)
    assert {target.wnid for target in (*imagenet, *coco)} <= synsets


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.txt", "", "names no class"),
        ("a.txt", "# nothing but a comment\n", "names no class"),
        ("a.txt", "dog\ncat\ndog\n", "the class 'dog' is listed twice"),
        ("a.json", "{", "expected COCO's 'categories'"),
        ("a.json", '{"images": []}', "expected COCO's 'categories'"),
        ("a.json", '{"categories": [{"id": 1}]}', "expected COCO's 'categories'"),
        ("a.json", '{"categories": []}', "names no class"),
    ],
)
def test_broken_files_are_named(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(TargetError, match=f"{re.escape(name)}.*{message}"):
        read_targets(tmp_path / name)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(TargetError, match=r"none\.txt: cannot read the target classes"):
        read_targets(tmp_path / "none.txt")
