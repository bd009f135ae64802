"""Ratings: reading, merging and what they make of the accuracy."""

import json

import pytest

from igdet.evaluation.rating.questions import Disagreement, Questions
from igdet.evaluation.rating.rectified import describe, majority, rectify, wilson
from igdet.evaluation.rating.votes import Question, read_votes
from igdet.utils.errors import UserError


@pytest.fixture
def save(tmp_path, questions):
    """Write a rater's file; the votes are (image, class, answer)."""

    def write(rater, *votes, **changes):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.json"
        rows = [dict(zip(("image_id", "class", "answer"), vote, strict=True)) for vote in votes]
        path.write_text(json.dumps({"fingerprint": questions.fingerprint, "rater": rater, "votes": rows} | changes))
        return path

    return write


def test_hand_counted(questions, save):
    # Of a, b, c, d only a is right; b is answered 2, c is answered 0, d is answered 1.
    paths = [
        save("A", ("b.png", 2, "yes"), ("c.png", 0, "yes"), ("d.png", 1, "unsure"), ("b.png", 1, "no")),
        save("B", ("b.png", 2, "yes"), ("c.png", 0, "no")),
        save("C", ("b.png", 2, "no"), ("b.png", 1, "no")),
    ]
    result = rectify(questions, read_votes([*paths, paths[0]], questions))
    assert (result.plain, result.rectified, result.interval) == (1 / 4, 2 / 4, (2 / 4, 2 / 4))
    assert (result.accepted, result.rated, result.labels_refused, result.labels_rated) == (1, 3, 1, 1)
    assert (result.raters, result.agreement) == (3, 4 / 10)  # b: 2 of 6 ordered pairs, c: 0 of 2, b's label: 2 of 2
    assert "rectified top-1  50.00% (all 3 disagreements rated)" in describe(result)
    assert "3 raters: equal answers 40.0%" in describe(result)


def test_a_sample_stands_for_the_rest():
    rows = [Disagreement(str(n), 0, 1) for n in range(10)]
    votes = {Question(str(n), 1): {"A": "yes" if n < 4 else "no"} for n in range(10)}
    result = rectify(Questions("f", 1000, 800, rows), votes)
    assert result.rectified == pytest.approx(0.8 + 0.2 * 0.4)
    # Wilson's interval of 4 of 10 is 0.1682 to 0.6873.
    assert result.interval == pytest.approx((0.8 + 0.2 * 0.1682, 0.8 + 0.2 * 0.6873), abs=1e-4)
    assert "from 10 of 200 disagreements" in describe(result)
    assert "agreement unknown" in describe(result)


def test_what_cannot_be_read_is_wrong():
    rows = [Disagreement(str(n), 0, 1) for n in range(8)]
    votes = {Question(str(n), 1): {"A": "yes" if n < 2 else "no"} for n in range(8)}
    whole = rectify(Questions("f", 100, 90, rows, ["8: is empty", "9: is empty"]), votes)
    assert (whole.rectified, whole.interval) == (0.92, (0.92, 0.92))  # 90 and 2 of 10
    assert "92.00% (all 8 disagreements rated)" in describe(whole)
    assert "images that cannot be read, counted as wrong: 2\n" in describe(whole)
    # Of a sample of 10, 2 cannot be read: so 8 of 40 disagreements cannot, and of the other 32 a quarter is right.
    sample = rectify(Questions("f", 100, 60, rows, ["8: is empty", "9: is empty"]), votes)
    low, high = wilson(2, 8)
    assert (sample.rectified, *sample.interval) == pytest.approx((0.68, 0.6 + 0.32 * low, 0.6 + 0.32 * high))
    assert "from 8 of 40 disagreements" in describe(sample)


def test_wilson_at_the_ends():
    assert wilson(0, 10) == pytest.approx((0, 0.2775), abs=1e-4)
    assert wilson(10, 10) == pytest.approx((0.7225, 1), abs=1e-4)


@pytest.mark.parametrize(
    ("answers", "accepted"),
    [(["yes"], True), (["yes", "no"], False), (["yes", "unsure", "yes"], True), (["unsure", "yes", "no"], False)],
)
def test_majority(answers, accepted):
    assert majority(answers) is accepted


def test_broken_files_are_named(questions, save, tmp_path):
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "nobody.json").write_text(json.dumps({"fingerprint": questions.fingerprint, "votes": []}))
    broken = {
        "broken.json: expected ratings saved by a page": tmp_path / "broken.json",
        "none.json: there is no such file; expected ratings": tmp_path / "none.json",
        "has no rater": save(" "),
        "rates another data set": save("A", fingerprint="other"),
        "'x.png', class 1: not among the exported questions": save("A", ("x.png", 1, "yes")),
        "'a.png', class 0: not among": save("A", ("a.png", 0, "yes")),  # right, so it was not asked
        "the answer 'perhaps' is none of yes": save("A", ("b.png", 1, "perhaps")),
        "expected ratings saved by a page .*TypeError": save("A", votes=3),
        "expected ratings saved by a page .*KeyError: 'rater'": tmp_path / "nobody.json",
        "expected ratings saved by a page .*OverflowError": save("A", ("b.png", float("inf"), "yes")),
        "class 1: not among": save("A", (["b.png"], 1, "yes")),
    }
    for message, path in broken.items():
        with pytest.raises(UserError, match=message):
            read_votes([path], questions)


def test_a_rater_who_votes_twice(questions, save):
    first, second = save("A", ("b.png", 2, "yes")), save("A", ("b.png", 2, "no"))
    with pytest.raises(UserError, match=r"'A' votes 'no' on 'b\.png', class 2, but voted 'yes' before"):
        read_votes([first, second], questions)


def test_a_rater_whose_name_is_written_in_two_ways_is_one(questions, save):
    paths = [save("Änn", ("b.png", 2, "yes")), save(" änN\t", ("b.png", 2, "yes"), ("c.png", 0, "no"))]
    result = rectify(questions, read_votes(paths, questions))
    assert (result.raters, result.agreement) == (1, None)
    with pytest.raises(UserError, match=r"'ÄNN' votes 'no' on 'b\.png', class 2, but voted 'yes' before"):
        read_votes([*paths, save("ÄNN ", ("b.png", 2, "no"))], questions)


def test_no_votes(questions, save):
    with pytest.raises(UserError, match="no vote on a prediction"):
        rectify(questions, read_votes([save("A", ("b.png", 1, "no"))], questions))
