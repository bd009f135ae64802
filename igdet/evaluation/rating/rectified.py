"""Rectified accuracy: a prediction that raters find in the image is right; how far raters agree."""

import math
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass

from igdet.evaluation.rating.questions import Questions
from igdet.evaluation.rating.votes import Question, Votes
from igdet.utils.errors import UserError

Z_95 = 1.959964  # the normal distribution's 97.5% point


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


@dataclass(frozen=True)
class Rectified:
    """What the raters' votes come to; shares are 0..1.

    Attributes:
        plain: top-1 accuracy.
        rectified: with the predictions that raters accept; where not all disagreements were rated, those that were
            stand for the rest; those whose images cannot be read are wrong.
        interval: its 95% interval; of no width when all were rated.
        rated: disagreements whose prediction was rated.
        disagreements: all there are.
        unreadable: those, of the ones that were to be rated, whose images cannot be read.
        accepted: predictions found in the image by more than half of their votes.
        labels_refused: labels found in the image by half of their votes or fewer, of those of `labels_rated`.
        labels_rated: labels that were rated.
        raters: number of raters.
        agreement: share of equal pairs of answers; None with one rater.
        alpha: Krippendorff's; None with one rater, or where all answers are alike.
    """

    plain: float
    rectified: float
    interval: tuple[float, float]
    rated: int
    disagreements: int
    unreadable: int
    accepted: int
    labels_refused: int
    labels_rated: int
    raters: int
    agreement: float | None
    alpha: float | None


def rectify(questions: Questions, votes: Votes) -> Rectified:
    """Merge the votes by majority and count; a tie or a majority of "unsure" accepts nothing.

    Raises:
        UserError: no prediction was rated.
    """
    predictions = [Question(row.image_id, row.prediction) for row in questions.disagreements]
    labels = [Question(row.image_id, row.label) for row in questions.disagreements]
    verdicts = [majority(votes[question].values()) for question in predictions if question in votes]
    on_labels = [majority(votes[question].values()) for question in labels if question in votes]
    if not verdicts:
        raise UserError("the ratings hold no vote on a prediction; rate some images first")
    wrong, unreadable = questions.images - questions.right, len(questions.unreadable)
    accepted, rated = sum(verdicts), len(verdicts)
    low, high = wilson(accepted, rated) if rated + unreadable < wrong else (accepted / rated,) * 2
    readable = len(questions.disagreements) / (len(questions.disagreements) + unreadable)  # share of the disagreements
    top1, low, high = (
        (questions.right + wrong * readable * share) / questions.images for share in (accepted / rated, low, high)
    )
    answers = [list(given.values()) for given in votes.values()]
    return Rectified(
        plain=questions.right / questions.images,
        rectified=top1,
        interval=(low, high),
        rated=rated,
        disagreements=wrong,
        unreadable=unreadable,
        accepted=accepted,
        labels_refused=len(on_labels) - sum(on_labels),
        labels_rated=len(on_labels),
        raters=len({rater for given in votes.values() for rater in given}),
        agreement=pairwise_agreement(answers),
        alpha=krippendorff_alpha(answers),
    )


def majority(answers: Collection[str]) -> bool:
    """Whether more than half of the answers are "yes"."""
    return 2 * sum(answer == "yes" for answer in answers) > len(answers)


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95% score interval of a share, 0..1."""
    share, spread = successes / trials, Z_95**2 / trials
    centre = share + spread / 2
    half = math.sqrt(spread * (share * (1 - share) + spread / 4))
    return (centre - half) / (1 + spread), (centre + half) / (1 + spread)


def describe(result: Rectified) -> str:
    """Return one line a figure."""
    low, high = result.interval
    if result.rated + result.unreadable < result.disagreements:
        reach = f"95% interval {low:.2%} to {high:.2%}, from {result.rated:,} of {result.disagreements:,} disagreements"
    else:
        reach = f"all {result.rated:,} disagreements rated"
    lines = [
        f"top-1            {result.plain:.2%}",
        f"rectified top-1  {result.rectified:.2%} ({reach})",
        f"predictions found in the image: {result.accepted:,} of {result.rated:,}",
        f"labels not found in the image: {result.labels_refused:,} of {result.labels_rated:,}",
    ]
    if result.unreadable:
        lines.append(f"images that cannot be read, counted as wrong: {result.unreadable:,}")
    if result.agreement is None:
        return "\n".join([*lines, f"{result.raters} rater(s), no question rated twice: agreement unknown"])
    alpha = "undefined (all answers alike)" if result.alpha is None else f"{result.alpha:.3f}"
    agreement = f"equal answers {result.agreement:.1%}, Krippendorff's alpha {alpha}"
    return "\n".join([*lines, f"{result.raters} raters: {agreement}"])
