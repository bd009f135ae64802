"""Choosing a label space, from files to what is known about it."""

import pytest

from igdet.curation.vocabularies.greedy_choice import Goal, LabelSpaceError

DOG, LOVE, CRANE, CAT, PUPPY, INSTAGOOD, ANIMAL = range(7)


def test_the_spaces_are_rows_of_the_table(match_animals, tmp_path):
    spaces = match_animals().spaces
    assert spaces["chosen"] == [DOG, CRANE, PUPPY, ANIMAL]
    assert spaces["all labels"] == list(range(7))
    assert spaces[str(tmp_path / "other.txt")] == [DOG, CAT]  # by #hound and #cat


def test_blocked_labels_are_no_candidates(match_animals):
    space = match_animals(targets="#instagood\nn00000004\n")
    assert [match.rule for match in space.matches] == ["name", "wnid"]
    assert INSTAGOOD not in {candidate.row for candidate in space.candidates}


def test_the_budget_holds_for_the_posts(match_animals):
    space = match_animals(goal=Goal(budget=7, wanted=10))
    assert space.measured["chosen"].images <= 7
    assert "over the budget" in {choice.reason for choice in space.choices}


def test_posts_of_another_table_are_refused(match_animals):
    with pytest.raises(LabelSpaceError, match=r"posts\.parquet has label 7, but .*labels\.parquet ends at 6"):
        match_animals(posts=[[DOG, 7]])
