"""What raters found, in words."""

from igdet.evaluation.rating.rectified import Rectified


def describe(result: Rectified) -> str:
    """Give one line a figure."""
    low, high = result.interval
    if result.rated + result.unreadable < result.disagreements:
        reach = f"95% interval {low:.2%} to {high:.2%}, from {result.rated:,} of {result.disagreements:,} disagreements"
    else:
        reach = f"all {result.rated:,} disagreements rated"
    lines = [
        f"top-1            {result.plain:.2%}",
        f"rectified top-1  {result.rectified:.2%} ({reach})",
        f"predictions found in the picture: {result.accepted:,} of {result.rated:,}",
        f"labels not found in the picture: {result.labels_refused:,} of {result.labels_rated:,}",
    ]
    if result.unreadable:
        lines.append(f"pictures that cannot be read, counted as wrong: {result.unreadable:,}")
    if result.agreement is None:
        return "\n".join([*lines, f"{result.raters} rater(s), no question rated twice: agreement unknown"])
    alpha = "undefined (all answers alike)" if result.alpha is None else f"{result.alpha:.3f}"
    agreement = f"equal answers {result.agreement:.1%}, Krippendorff's alpha {alpha}"
    return "\n".join([*lines, f"{result.raters} raters: {agreement}"])
