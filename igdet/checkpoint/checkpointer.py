"""igdet's checkpointer: Detectron2's interface, safe reading, strict fitting, atomic writing."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from detectron2.checkpoint import DetectionCheckpointer
from detectron2.config import CfgNode
from torch import nn

from igdet.checkpoint.download import check_allowed, find_weights
from igdet.checkpoint.fit import Fit, fit_tensors, summarise_fit
from igdet.checkpoint.names import is_classifier
from igdet.checkpoint.origin import ABOUT, check_class_names, check_fed, check_mixture, class_names, describe_model
from igdet.checkpoint.sharded import in_pieces, whole
from igdet.checkpoint.weights_file import WeightsFile, open_weights
from igdet.checkpoint.writing import LAST_CHECKPOINT, drop_old, numbered_checkpoints, write_checkpoint
from igdet.config.defaults import FPN_SUFFIX
from igdet.formats.catalog import is_published
from igdet.formats.errors import UnreadableWeights, WeightsError
from igdet.formats.imagenet_lists import is_wnid, synsets
from igdet.modeling.trunk import family_of_member
from igdet.utils.errors import UserError
from igdet.utils.files import atomic_write

logger = logging.getLogger(__name__)


class IgdetCheckpointer(DetectionCheckpointer):
    """Loads weights of any known kind into classifiers and detectors, and refuses what does not fit the config."""

    def __init__(
        self,
        model: nn.Module,
        save_dir: str = "",
        *,
        cfg: CfgNode,
        save_to_disk: bool | None = None,
        saved_weights: Callable[[], AbstractContextManager] = nullcontext,
        **checkpointables: Any,
    ):
        """Prepare for one model.

        Args:
            model: it may be wrapped for distributed training.
            save_dir: where checkpoints go; "" saves none.
            cfg: the config that the model was built from.
            save_to_disk: whether this process saves; None: the main one does.
            saved_weights: puts the weights that are to be saved into the model, where it is trained with others.
            **checkpointables: what else is saved and restored; each has `state_dict` and `load_state_dict`.
        """
        super().__init__(model, save_dir, save_to_disk=save_to_disk, **checkpointables)
        self.cfg = cfg
        self._saved_weights = saved_weights

    def load(self, path: str, checkpointables: list[str] | None = None) -> dict[str, Any]:
        """Continue from a checkpoint of this very model, or start a new training from the weights of another.

        Args:
            path: a file, or any name that Detectron2's PathManager knows, such as igdet://... or hf://...; "" loads
                nothing.
            checkpointables: None restores the whole model and everything else this checkpointer saves. A list starts
                over: the trunk must fit, heads are loaded where they fit, of the rest what the list names is restored.

        Returns:
            What else the file holds.

        Raises:
            WeightsError: the file cannot be read, or does not fit the model or the config.
        """
        if not path:
            logger.info("MODEL.WEIGHTS is empty: the model starts from random numbers")
            return {}
        file = self._open(path)
        self._fill_model(file, complete=checkpointables is None)
        for key in self.checkpointables if checkpointables is None else checkpointables:
            if key not in file.rest:
                raise WeightsError(
                    f"{path} has no state of the {key!r} to continue from: start again, without --resume"
                )
            self.checkpointables[key].load_state_dict(file.rest.pop(key))
        return file.rest

    def resume_or_load(self, path: str, *, resume: bool = True) -> dict[str, Any]:
        """Continue the run in `save_dir` where it has a checkpoint, else start from other weights.

        Args:
            path: as for `load`.
            resume: whether to look for a checkpoint.

        Returns:
            What else the file holds.

        Raises:
            WeightsError: as for `load`, or no checkpoint of the run can be read.
        """
        checkpoints = self._checkpoints() if resume else []
        return self._load_newest(checkpoints) if checkpoints else self.load(path, checkpointables=[])

    def has_checkpoint(self) -> bool:
        """Whether there is a checkpoint in `save_dir` to continue from."""
        return bool(self._checkpoints())

    def load_for_evaluation(self, path: str) -> WeightsFile:
        """Load the whole model, heads included, and nothing else.

        Args:
            path: as for `load`, not empty.

        Returns:
            What the file holds.

        Raises:
            WeightsError: as for `load`, or a part of the model is not in the file.
        """
        file = self._open(path)
        self._fill_model(file, complete=True)
        return file

    def save(self, name: str, **kwargs: Any) -> None:
        """Write the model and the rest to <save_dir>/<name>.pth, and note it as the last checkpoint.

        Where the model is spread over ranks (SOLVER.FSDP), all of them call this, and one of them writes.

        Args:
            name: of the file, without its ending.
            **kwargs: more to save.

        Raises:
            WeightsError: it could not be written; the last checkpoint is unharmed.
        """
        if not self.save_dir:
            return
        with self._saved_weights():
            states = {key: checkpointable.state_dict() for key, checkpointable in self.checkpointables.items()}
            content = {"model": self.model.state_dict(), **states, **kwargs, ABOUT: describe_model(self.cfg)}
            self._write(whole(content, keep=self.save_to_disk), Path(self.save_dir, f"{name}.pth"))

    def _write(self, content: dict, path: Path) -> None:
        if not self.save_to_disk:
            return
        logger.info(f"Saving {path}")
        write_checkpoint(content, path)
        self.tag_last_checkpoint(path.name)
        for gone in drop_old(path, self.cfg.SOLVER.CHECKPOINTS_KEPT) if self.cfg.SOLVER.CHECKPOINTS_KEPT else ():
            logger.info(f"Deleted {gone}: SOLVER.CHECKPOINTS_KEPT is {self.cfg.SOLVER.CHECKPOINTS_KEPT}")

    def tag_last_checkpoint(self, last_filename_basename: str) -> None:
        """Note a file of `save_dir` as the last checkpoint."""
        with atomic_write(Path(self.save_dir, LAST_CHECKPOINT), "w") as file:
            file.write(last_filename_basename)

    def _checkpoints(self) -> list[Path]:
        """The run's checkpoints: that which was tagged as the last one, then the others, the newest first."""
        if not self.save_dir:
            return []
        tag, numbered = Path(self.save_dir, LAST_CHECKPOINT), numbered_checkpoints(self.save_dir)
        last = [tag.with_name(tag.read_text(encoding="utf-8").strip())] if tag.is_file() else []
        return list(dict.fromkeys([*last, *numbered]))

    def _load_newest(self, checkpoints: list[Path]) -> dict[str, Any]:
        """Load the first that can be read; that another cannot is said loudly, for its iterations are done again."""
        broken = []
        for path in checkpoints:
            try:
                rest = self.load(str(path))
            except UnreadableWeights as error:
                logger.error(f"The checkpoint {path.name} is broken, the one before it is tried: {error}")
                broken.append(path.name)
                continue
            if broken:
                logger.error(
                    f"The run goes on from {path.name} instead of {broken[0]}, and does again what came between"
                )
            return rest
        raise WeightsError(
            f"{self.save_dir}: none of its checkpoints can be read ({', '.join(broken)}). Put a whole one there, or "
            "begin again without --resume"
        )

    def _open(self, path: str) -> WeightsFile:
        if is_published(path):
            check_published(path, self.cfg.MODEL.BACKBONE.NAME)
        file = open_weights(path, self.cfg.MODEL.WEIGHTS_KEY if path == self.cfg.MODEL.WEIGHTS else "")
        if is_published(path):
            file = replace(file, class_names=_published_classes(path, class_names(self.cfg)))
        check_fed(path, file.origin, self.cfg)
        if file.origin is None:
            logger.warning(f"{path} does not tell which images it expects: check INPUT.FORMAT and MODEL.PIXEL_*")
        return file

    def _fill_model(self, file: WeightsFile, complete: bool) -> None:
        reset = self.cfg.MODEL.CLASSIFIER.RESET and not complete
        try:
            fit = fit_tensors(self.model.state_dict(), file.tensors, new_classifier=reset)
            check_mixture(file.mixture, self.cfg)
            if complete:
                _check_complete(fit)
            if complete or any(map(is_classifier, fit.loaded)):
                check_class_names(file.class_names, class_names(self.cfg))
        except WeightsError as error:
            raise WeightsError(f"{file.path}: {error}") from error
        # Not strict: counters may be absent.
        self.model.load_state_dict(in_pieces(fit.loaded, self.model.state_dict()), strict=False)
        logger.info(f"Weights from {file.path} ({file.naming} names, {file.said_of_copies()}):\n{summarise_fit(fit)}")


def check_published(path: str, backbone: str) -> None:
    """Refuse published weights that cannot be had, or of another network than one of igdet's, before any work.

    Args:
        path: igdet://...
        backbone: MODEL.BACKBONE.NAME.

    Raises:
        WeightsError: there are no such weights, they may not be downloaded, or they are of another network.
    """
    weights = find_weights(path)
    fits, given = (name.removesuffix(FPN_SUFFIX) for name in (weights.backbone, backbone))
    if given != fits and family_of_member(given):
        needed = fits + backbone.removeprefix(given) if family_of_member(fits) else fits
        raise WeightsError(
            f"MODEL.WEIGHTS {path} are of {fits}, but MODEL.BACKBONE.NAME is {backbone}: "
            f"set it to {needed}, or name other weights"
        )
    check_allowed(weights)


def _published_classes(path: str, ours: list[str] | None) -> list[str] | None:
    """What published outputs stand for, in names that can be compared with the config's; None where there are none."""
    source = find_weights(path).publication.classes
    if not source or not ours or not all(map(is_wnid, ours)):
        return None
    try:
        return synsets(source)
    except UserError as error:
        logger.warning(f"{path}: not checked whether its outputs stand for the data's classes. {error}")
        return None


def _check_complete(fit: Fit) -> None:
    if fit.initialised:
        raise WeightsError(
            f"{len(fit.initialised)} tensors of the model are not in the file, or in another shape: "
            f"{', '.join(fit.initialised[:5])}. To evaluate or continue, the whole model is needed: give a checkpoint "
            "of this very model, or train it from these weights first"
        )
