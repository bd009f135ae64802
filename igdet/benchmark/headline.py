"""The report's answer in a sentence a baseline, made of the numbers and of nothing else."""

from igdet.benchmark.collect import Study
from igdet.benchmark.statistics import Gain

# Verdict -> how the sentence takes it up, in the order of the sentence.
PHRASES = {
    "gain": "gains {}",
    "loss": "loses {}",
    "within spread": "makes no difference beyond the spread on {}",
    "single seed": "differs by {}",
}
ONE_SEED = "With one seed no spread is known: a difference may be chance. Run more seeds before relying on it."


def headline(study: Study) -> list[str]:
    """What the last initialisation that is no baseline changes against each baseline.

    Args:
        study: the results.

    Returns:
        One sentence a baseline, and a warning where a single seed is all there is.
    """
    candidates = [name for name in study.suite.initialisations if name not in study.suite.baselines]
    sentences = []
    verdicts = set()
    for baseline in study.suite.baselines if candidates else ():
        gains = _gains(study, candidates[-1], baseline)
        if gains:
            sentences.append(_sentence(study, candidates[-1], baseline, gains))
            verdicts |= {gain.verdict for _, gain in gains}
    if "single seed" in verdicts:
        sentences.append(ONE_SEED)
    return sentences or ["No comparison is finished yet."]


def _gains(study: Study, candidate: str, baseline: str) -> list[tuple[str, Gain]]:
    """(metric title, gain) of every metric that both have."""
    gains = [(column.title, study.gain(column.target, candidate, baseline, column.metric)) for column in study.columns]
    return [(title, gain) for title, gain in gains if gain]


def _sentence(study: Study, candidate: str, baseline: str, gains: list[tuple[str, Gain]]) -> str:
    titles = {name: study.suite.initialisations[name].title for name in (candidate, baseline)}
    parts = []
    for verdict, phrase in PHRASES.items():
        listed = [_item(title, gain) for title, gain in gains if gain.verdict == verdict]
        if listed:
            parts.append(phrase.format(_enumerate(listed)))
    return f"Against “{titles[baseline]}”, “{titles[candidate]}” {'; it '.join(parts)}."


def _item(title: str, gain: Gain) -> str:
    """'+4.2 ± 0.3 box AP', with spaces at which no line breaks."""
    return f"{gain.text(signed=True)} {title}".replace(" ", "\u00a0")


def _enumerate(items: list[str]) -> str:
    """'a, b and c'."""
    return " and ".join([", ".join(items[:-1])] * (len(items) > 1) + items[-1:])
