"""Pictures that cannot be shown to raters: passed over and counted, as an evaluation counts them as wrong."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from igdet.evaluation.rating.questions import Disagreement, Questions
from igdet.utils.bad_share import USUAL_SHARE, too_many
from igdet.utils.errors import UserError


def set_aside_unreadable(questions: Questions, read_picture: Callable[[str], np.ndarray]) -> Questions:
    """Ask only about pictures that can be read.

    Args:
        questions: what would be asked.
        read_picture: picture id -> pixels; raises UserError where there is nothing that can be shown.

    Returns:
        the same without the pictures that cannot be read, which are named in `unreadable`.

    Raises:
        UserError: no picture can be read, or too many cannot: by the share that an evaluation allows.
    """
    kept: list[Disagreement] = []
    unreadable: list[str] = []
    for row in questions.disagreements:
        try:
            read_picture(row.image_id)
        except UserError as error:
            unreadable.append(str(error))
        else:
            kept.append(row)
    # The pictures of the data set that these disagreements stand for: all, unless they are a sample.
    seen = questions.pictures * len(questions.disagreements) // (questions.pictures - questions.right)
    if not kept or too_many(len(unreadable), seen, USUAL_SHARE):
        raise UserError(
            f"{len(unreadable)} of {len(questions.disagreements)} pictures to be rated cannot be read, the last one "
            f"{unreadable[-1]}; mend them, or take them out of the data set, and evaluate again"
        )
    return replace(questions, disagreements=kept, unreadable=unreadable)
