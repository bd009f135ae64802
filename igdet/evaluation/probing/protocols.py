"""The protocols on frozen features, as a table: what each does with a training and a test set, and what it says."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from igdet.evaluation.probing.linear import Answer, LinearProbe, best_of, warn_of_ends
from igdet.evaluation.probing.neighbours import vote
from igdet.evaluation.probing.splits import LabelledFeatures, draw_shots, hold_out
from igdet.reporting.significance import t_interval
from igdet.reporting.tables import Entry, Table


@dataclass(frozen=True)
class Settings:
    """Every choice of the protocols; PROBE in the config says what each means."""

    num_classes: int
    seed: int
    held_out: float
    strengths: tuple[float, ...]
    shots: tuple[int, ...]
    draws: int
    neighbours: tuple[int, ...]
    temperature: float


@dataclass(frozen=True)
class Outcome:
    """A protocol's results: for the record, for a person, and the test images' scores by a single classifier."""

    record: dict
    table: Table
    log_scores: Tensor | None = None  # (N, L)


@dataclass(frozen=True)
class Protocol:
    """A protocol: its function and its choices in words, for docs/PROTOCOLS.md."""

    run: Callable[[LabelledFeatures, LabelledFeatures, Settings], Outcome]
    classifier: str
    chosen: str
    reported: str


def linear(train: LabelledFeatures, test: LabelledFeatures, settings: Settings) -> Outcome:
    """The linear probe on all training images."""
    probe = LinearProbe(train, test, settings.num_classes, settings.strengths)
    answer = probe.answer(*hold_out(train.labels, settings.held_out, settings.seed), refit=True)
    warn_of_ends([(answer.chosen, answer.held_out)], "PROBE.STRENGTHS")
    return _of_one_classifier("Linear probe", "C", answer, test)


def kshot(train: LabelledFeatures, test: LabelledFeatures, settings: Settings) -> Outcome:
    """The linear probe on k images a class, in several draws; then on all, with as many held-out parts."""
    probe = LinearProbe(train, test, settings.num_classes, settings.strengths)
    seeds = [settings.seed + draw for draw in range(settings.draws)]
    draws = {
        str(k): [probe.answer(*draw_shots(train.labels, k, seed), refit=False) for seed in seeds]
        for k in settings.shots
    }
    draws["all"] = [probe.answer(*hold_out(train.labels, settings.held_out, s), refit=True) for s in seeds]
    made = [(answer.chosen, answer.held_out) for answers in draws.values() for answer in answers]
    warn_of_ends(made, "PROBE.STRENGTHS")
    record = {}
    for shots, answers in draws.items():
        top1s = [_top1(answer.log_scores, test.labels) for answer in answers]
        record[shots] = {
            **t_interval(top1s)._asdict(),
            "top1": top1s,
            "chosen": [answer.chosen for answer in answers],
            "held_out": [answer.held_out for answer in answers],
        }
    return Outcome(record, _shots_table(record))


def knn(train: LabelledFeatures, test: LabelledFeatures, settings: Settings) -> Outcome:
    """Nearest neighbours, their number chosen on the held-out part; all training images vote on the test set."""
    fit_on, choose_by = hold_out(train.labels, settings.held_out, settings.seed)
    neighbours = [k for k in settings.neighbours if k <= len(fit_on)] or [len(fit_on)]
    rest = settings.num_classes, neighbours, settings.temperature
    features, labels = np.asarray(train.features), train.labels
    hits = dict.fromkeys(neighbours, 0)
    for block, shares in vote(features[choose_by], features[fit_on], labels[fit_on], *rest):
        for k, of_k in shares.items():
            hits[k] += int((of_k.numpy().argmax(1) == labels[choose_by][block]).sum())
    held_out = {k: 100 * right / len(choose_by) for k, right in hits.items()}
    chosen = best_of(held_out)
    warn_of_ends([(chosen, held_out)], "PROBE.NEIGHBORS", least=1)
    votes = vote(np.asarray(test.features), features, labels, settings.num_classes, [chosen], settings.temperature)
    log_scores = torch.cat([shares[chosen] for _, shares in votes]).log()
    return _of_one_classifier("Nearest neighbours", "k", Answer(log_scores, chosen, held_out), test)


PROTOCOLS = {
    "linear": Protocol(
        linear,
        "logistic regression on centred features, intercept not penalised (scikit-learn's objective)",
        "C of PROBE.STRENGTHS, on PROBE.HELD_OUT of each class of the training set; then fitted on all of it",
        "top-1, top-5, per class, calibration error; all held-out accuracies",
    ),
    "kshot": Protocol(
        kshot,
        "the same on k of PROBE.SHOTS images a class, then on all",
        "C, on min(k, 4) other training images a class, no refit; on all: as the linear probe",
        "top-1: mean, sample standard deviation and 95% t interval over PROBE.DRAWS nested draws",
    ),
    "knn": Protocol(
        knn,
        "cosine similarity, votes weighted by exp(similarity / PROBE.TEMPERATURE)",
        "k of PROBE.NEIGHBORS, on PROBE.HELD_OUT of each class; then all training images vote",
        "as the linear probe",
    ),
}


def _of_one_classifier(title: str, name: str, answer: Answer, test: LabelledFeatures) -> Outcome:
    top1 = _top1(answer.log_scores, test.labels)
    record = {"top1": top1, "chosen": answer.chosen, "held_out": answer.held_out}
    rows = [
        [Entry(f"{value:g}"), Entry(f"{held:.2f}"), Entry(f"{top1:.2f}" if value == answer.chosen else "")]
        for value, held in answer.held_out.items()
    ]
    return Outcome(record, Table(title, [name, "held-out top-1", f"top-1 on {test.name}"], rows), answer.log_scores)


def _shots_table(record: dict) -> Table:
    rows = [
        [Entry(shots), *(Entry(f"{of[key]:.2f}") for key in ("mean", "spread", "low", "high")), Entry(str(of["n"]))]
        for shots, of in record.items()
    ]
    return Table("k-shot", ["shots", "mean top-1", "spread", "95% from", "to", "draws"], rows)


def _top1(log_scores: Tensor, labels: np.ndarray) -> float:
    """Percent; of equal scores the class of the lower id counts."""
    return 100 * float((log_scores.numpy().argmax(1) == labels).mean())


def protocol_table() -> str:
    """The protocols on frozen features as Markdown rows."""
    rows = [
        [Entry(f"`{name}`"), Entry(protocol.classifier), Entry(protocol.chosen), Entry(protocol.reported)]
        for name, protocol in PROTOCOLS.items()
    ]
    table = Table("", ["Protocol", "Classifier", "Chosen", "Reported"], rows)
    return table.markdown()
