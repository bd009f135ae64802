"""What the command rate_predictions does: pages for raters, what their votes come to, a second opinion."""

from collections.abc import Sequence
from pathlib import Path

from igdet.evaluation.rating.pages import LabelledImages, set_aside_unreadable, write_rating_pages
from igdet.evaluation.rating.questions import FILE_NAME, Questions, find_disagreements
from igdet.evaluation.rating.real import real_accuracy
from igdet.evaluation.rating.rectified import describe, rectify
from igdet.evaluation.rating.votes import read_votes
from igdet.formats import published
from igdet.formats.imagenet_lists import VALIDATION_IMAGES, is_validation_image, real_labels
from igdet.formats.predictions import read_predictions
from igdet.formats.published import Published
from igdet.utils.command_lines import command_line
from igdet.utils.messages import printable

_NAMED = 10  # unreadable images on the screen


def export(folder: Path, images: LabelledImages, predictions: str, sample: int | None, seed: int) -> None:
    """Write pages for raters; `sample` and `seed` as `find_disagreements` has them."""
    answers = read_predictions(predictions)
    asked = find_disagreements(answers, images.labels, images.classes, sample, seed)
    questions = set_aside_unreadable(asked, images.read)
    pages = write_rating_pages(folder, questions, images.read, images.readable)
    questions.write(folder)
    print(f"{len(questions.disagreements):,} of {questions.images - questions.right:,} disagreements")
    if questions.unreadable:
        print(f"{len(questions.unreadable):,} images cannot be read and count as wrong; {FILE_NAME} names all:")
        print(printable("\n".join(f"  {why}" for why in questions.unreadable[:_NAMED])))
    print(f"{len(pages)} pages: rate and save {folder}/rating-*.html")
    print(f"Next: {command_line('rate_predictions')} merge {folder} ratings-*.json")


def merge(folder: Path, ratings: Sequence[str]) -> None:
    """Print plain and rectified top-1, and what is published of the same data set."""
    questions = Questions.read(folder)
    print(describe(rectify(questions, read_votes(ratings, questions))))
    for value, result in published_beside(questions):
        print(f"published: {value}, {result.what} ({result.source.title})")


def published_beside(questions: Questions) -> list[tuple[float, Published]]:
    """Return what is published of rectified top-1, in percent, where the questions are about all of the same images.

    Args:
        questions: of any data set; only of ImageNet-1k's whole validation set there is something.
    """
    asked = [row.image_id for row in questions.disagreements]
    is_imagenet = questions.images == VALIDATION_IMAGES and all(map(is_validation_image, asked))
    return published.published_for("imagenet1k_rectified", published.RECTIFIED) if is_imagenet else []


def real(predictions: str) -> None:
    """Print top-1 by ReaL labels."""
    result = real_accuracy(read_predictions(predictions), real_labels())
    print(f"top-1 {result.plain:.2%}; by ReaL {result.real:.2%} of the {result.images:,} images that have such labels")
