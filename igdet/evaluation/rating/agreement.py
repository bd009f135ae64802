"""How far raters agree on the questions that two or more of them answered.

Source: Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", nominal data with missing values.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence


def pairwise_agreement(answers: Iterable[Sequence[Hashable]]) -> float | None:
    """Share of the pairs of answers to one question that are equal, 0..1; None where no question has two.

    Args:
        answers: those to each question.
    """
    pairs = equal = 0
    for given in answers:
        pairs += len(given) * (len(given) - 1)
        equal += sum(n * (n - 1) for n in Counter(given).values())
    return equal / pairs if pairs else None


def krippendorff_alpha(answers: Iterable[Sequence[Hashable]]) -> float | None:
    """Agreement beyond chance: 1 is perfect, 0 what chance gives; None where all answers are alike or none is paired.

    Args:
        answers: those to each question; questions with fewer than two count for nothing.
    """
    units = [given for given in answers if len(given) > 1]
    totals = Counter(answer for given in units for answer in given)
    n = totals.total()
    # Ordered pairs of different answers: within a question, each weighted 1 / (answers - 1), and among all of them.
    observed = sum((len(g) ** 2 - sum(m * m for m in Counter(g).values())) / (len(g) - 1) for g in units)
    by_chance = n * n - sum(m * m for m in totals.values())
    return 1 - (n - 1) * observed / by_chance if by_chance else None
