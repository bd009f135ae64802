"""The training batches of a run: made when the first is asked for, from the iteration at which the run (re)starts."""

from collections.abc import Callable, Iterable, Iterator

import torch
from detectron2.config import CfgNode
from detectron2.utils import comm

from igdet.data.build import (
    build_classification_train_loader,
    build_detection_train_loader,
    describe_training_set,
    draw_seed,
    training_images,
)
from igdet.data.draws.randomness import Stream, generator
from igdet.formats.errors import DatasetError


class TrainBatches:
    """An endless iterable of batches that can be told where to start, with which seed, until the first one is drawn.

    With each batch PyTorch's generators are seeded anew.

    Args:
        build: seed, start iteration -> the loader whose first batch belongs to that iteration.
        seed: of the draws; that of the run's beginning is kept in its checkpoints.
        contents: what the draws depend on in the training set, likewise.
    """

    def __init__(self, build: Callable[[int, int], Iterable[list[dict]]], seed: int, contents: str):
        self._build = build
        self.seed = seed
        self.contents = contents
        self.start_iter = 0
        self.last: list[dict] = []

    def __iter__(self) -> Iterator[list[dict]]:
        # A generator: Detectron2 0.6 calls iter() before it has read the checkpoint that says where to start.
        for iteration, batch in enumerate(self._build(self.seed, self.start_iter), self.start_iter):
            self.last = batch
            # What chance decides in the model, such as which proposals are trained on, depends on iteration and rank
            # alone: a resumed run decides as an unbroken one.
            number = iteration * comm.get_world_size() + comm.get_rank()
            torch.manual_seed(int(generator(self.seed, Stream.STEP, number).integers(2**63)))
            yield batch

    def check_contents(self, before: str) -> None:
        """Refuse to go on with a training set that is not what it was.

        Args:
            before: `contents` when the run began; "" of detectors before their draws were numbered.

        Raises:
            DatasetError: it has changed.
        """
        if before not in ("", self.contents):
            raise DatasetError(
                f"the training set has changed since the checkpoint was written (then {before}; now {self.contents}), "
                "so the run cannot go on with its draws; put the old set back, or start a new run in another "
                "OUTPUT_DIR with MODEL.WEIGHTS set to the checkpoint"
            )

    def last_names(self) -> list[str]:
        """The images of the batch drawn last, by file name or id."""
        return [str(record.get("file_name", record.get("image_id"))) for record in self.last]


def build_train_batches(cfg: CfgNode) -> TrainBatches:
    """The training batches of a config; a resumed run draws exactly what the unbroken run would have drawn.

    Args:
        cfg: a complete config.
    """
    seed = draw_seed(cfg)
    if cfg.MODEL.META_ARCHITECTURE == "ImageClassifier":
        batch = cfg.SOLVER.IMS_PER_BATCH
        return TrainBatches(
            lambda seed, start: build_classification_train_loader(cfg, seed, start * batch),
            seed,
            describe_training_set(cfg),
        )
    images = training_images(cfg)
    return TrainBatches(
        lambda seed, start: build_detection_train_loader(cfg, seed, start, images), seed, images.contents
    )
