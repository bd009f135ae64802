"""From files to files: the vocabulary for a target, the reasons, the comparison."""

import csv

import pytest

from igdet.curation.vocabularies.greedy_choice import LabelSpaceError
from igdet.curation.vocabularies.label_space import write_label_space
from igdet.formats.vocabulary import Vocabulary


def read_csv(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def written(match_animals, tmp_path):
    write_label_space(tmp_path / "out", match_animals())
    return tmp_path


def test_the_vocabulary_can_be_trained_on(written):
    vocabulary = Vocabulary.read(written / "out/vocabulary.txt")
    assert vocabulary.names == ["dog", "crane", "puppy", "animal"]
    assert vocabulary.id_of("#Dogs") == 0


def test_every_choice_has_its_reason(written):
    choices = {row["name"]: row for row in read_csv(written / "out/choices.csv")}
    assert choices.keys() == {"dog", "puppy", "crane", "animal"}
    assert choices["puppy"]["relation"] == "hyponym"
    assert choices["animal"]["new_images"] == "1"
    assert (choices["crane"]["target"], choices["crane"]["score"]) == ("n00000006", "0.5")
    assert {row["decision"] for row in choices.values()} == {"chosen"}


def test_every_target_class_has_its_images(written):
    targets = {row["target"]: row for row in read_csv(written / "out/targets.csv")}
    assert targets["n00000002"]["hashtags"] == "dog puppy animal"
    assert float(targets["n00000002"]["images"]) == pytest.approx(7 + 1 / 4, abs=0.06)
    assert targets["walrus"] == {
        "target": "walrus",
        "matched_by": "unmatched",
        "labels": "",
        "images": "0.0",
        "possible_images": "0.0",
        "hashtags": "",
    }
    assert targets["#instagood"]["hashtags"] == ""  # on the block list


def test_label_spaces_are_compared(written):
    other = str(written / "other.txt")
    spaces = {row["label_space"]: row for row in read_csv(written / "out/comparison.csv")}
    assert list(spaces) == ["chosen", "all labels", other]
    assert [spaces[name]["labels"] for name in spaces] == ["4", "7", "2"]
    assert [spaces[name]["images"] for name in spaces] == ["9", "11", "8"]
    assert float(spaces["chosen"][f"overlap with {other}"]) == 1 / 5  # the dog, of dog, crane, puppy, animal, cat
    assert spaces["chosen"]["classes_without_images"] == "2"


@pytest.mark.parametrize("changed", [{"targets": "walrus\n"}, {"posts": [[1]]}])
def test_without_any_label_nothing_is_written(match_animals, tmp_path, changed):
    with pytest.raises(LabelSpaceError, match=r"none of 0 candidates for \d target classes was chosen"):
        write_label_space(tmp_path / "out", match_animals(**changed))
    assert not (tmp_path / "out").exists()
