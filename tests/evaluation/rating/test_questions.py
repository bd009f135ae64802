"""What was asked: writing, reading, and files that were edited by hand."""

import json
import re

import pytest

from igdet.evaluation.rating.questions import Disagreement, Questions
from igdet.utils.errors import UserError

QUESTIONS = Questions("f", 3, 1, [Disagreement("b", 1, 2), Disagreement("c", 2, 0)])


def test_questions_are_read_as_they_were_written(tmp_path):
    for questions in (QUESTIONS, Questions("f", 3, 1, QUESTIONS.disagreements[:1], ["c: is empty"])):
        questions.write(tmp_path)
        assert Questions.read(tmp_path) == questions


def test_an_export_of_igdet_0_1(tmp_path):
    QUESTIONS.write(tmp_path)
    path = tmp_path / "questions.json"
    path.write_text(path.read_text().replace('"images"', '"pictures"'))
    assert Questions.read(tmp_path) == QUESTIONS


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": "many"}, "TypeError: images must be a whole number, got 'many'"),
        ({"right": None}, "right must be a whole number, got None"),
        ({"right": True}, "right must be a whole number, got True"),
        ({"fingerprint": 7}, "fingerprint must be a text, got 7"),
        ({"disagreements": 3}, "disagreements must be a list, got 3"),
        ({"disagreements": ["abc"]}, "each row of disagreements must be a list, got 'abc'"),
        ({"disagreements": [["b", 1]]}, "not enough values"),
        ({"disagreements": [["b", 1, 2.5]]}, "each class in each row of disagreements must be a whole number, got 2.5"),
        ({"unreadable": "b: is empty"}, "unreadable must be a list"),
        ({"wrong": 2}, "KeyError: 'wrong'"),
        ({"right": -1}, "-1 right and 2 other images cannot be of 3"),
        ({"images": 2}, "1 right and 2 other images cannot be of 2"),
        ({"disagreements": []}, "1 right and 0 other images cannot be of 3"),
    ],
)
def test_an_export_edited_by_hand(tmp_path, changes, message):
    path = tmp_path / "questions.json"
    QUESTIONS.write(tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(UserError, match="questions.json: expected the folder of an export, .*" + re.escape(message)):
        Questions.read(tmp_path)


def test_an_export_that_is_no_mapping_or_lacks_a_key(tmp_path):
    for text in ("[]", "3", '{"images": 3}'):
        (tmp_path / "questions.json").write_text(text)
        with pytest.raises(UserError, match=r"questions\.json: expected the folder of an export"):
            Questions.read(tmp_path)


def test_a_folder_without_an_export(tmp_path):
    with pytest.raises(UserError, match=r"questions\.json: expected the folder of an export"):
        Questions.read(tmp_path)
