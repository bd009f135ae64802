"""Reading what raters saved: votes on whether an image shows a class."""

import json
from collections.abc import Iterable
from os import PathLike
from typing import NamedTuple

from igdet.evaluation.rating.questions import Questions
from igdet.utils.errors import UserError, no_such_file
from igdet.utils.messages import shown

ANSWERS = ("yes", "no", "unsure")


class Question(NamedTuple):
    """Does the image show the class?"""

    image_id: str
    class_id: int


Votes = dict[Question, dict[str, str]]  # the answer of each rater, by the name in small letters


def read_votes(paths: Iterable[str | PathLike], questions: Questions) -> Votes:
    """Read the saved files of all raters; a rater may have several files, and a file may be given twice.

    The same name in capital or small letters, or with spaces around it, is the same rater.

    Raises:
        UserError: a file is no such file, is about another data set, asks what was not asked, has no rater, or a rater
            answers a question in two ways.
    """
    asked = {Question(row.image_id, c) for row in questions.disagreements for c in (row.label, row.prediction)}
    votes: Votes = {}
    for path in paths:
        rater, answers = _read(path, questions.fingerprint)
        for question, answer in answers:
            if question not in asked:
                raise UserError(
                    f"{path}: {shown(question.image_id)}, class {shown(question.class_id)}: not among the exported "
                    "questions; merge ratings with the folder whose pages were rated"
                )
            given = votes.setdefault(question, {}).setdefault(rater.casefold(), answer)
            if given != answer:
                raise UserError(
                    f"{path}: {shown(rater)} votes {shown(answer)} on {shown(question.image_id)}, class "
                    f"{question.class_id}, but voted {shown(given)} before; keep one vote, or give two people two names"
                )
    return votes


def _read(path: str | PathLike, fingerprint: str) -> tuple[str, list[tuple[Question, str]]]:
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 (a path may be text)
            saved = json.load(file)
        rater, given = saved["rater"].strip(), saved["fingerprint"]
        answers = [(Question(str(vote["image_id"]), int(vote["class"])), vote["answer"]) for vote in saved["votes"]]
    except FileNotFoundError as error:
        raise UserError(no_such_file(path, "ratings saved by a page")) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        why = f"{type(error).__name__}: {error}"  # a KeyError alone is but a word, and repr may hold a whole file
        raise UserError(f"{path}: expected ratings saved by a page (fingerprint, rater, votes): {why}") from error
    if not rater:
        raise UserError(f"{path}: has no rater; type a name on the page and save again")
    if given != fingerprint:
        raise UserError(f"{path}: rates another data set ({shown(given)}, not {fingerprint})")
    for question, answer in answers:
        if answer not in ANSWERS:
            raise UserError(
                f"{path}: {shown(question.image_id)}: the answer {shown(answer)} is none of {', '.join(ANSWERS)}"
            )
    return rater, answers
