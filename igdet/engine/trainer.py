"""igdet's trainer: Detectron2's, with its own loaders, evaluators, checkpoints and watch over the loss."""

import logging
import weakref
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import torch
from detectron2.config import CfgNode
from detectron2.data import MetadataCatalog
from detectron2.engine import DefaultTrainer, HookBase, TrainerBase, hooks
from detectron2.evaluation import DatasetEvaluator, DatasetEvaluators
from detectron2.modeling import GeneralizedRCNNWithTTA
from detectron2.utils import comm
from detectron2.utils.events import CommonMetricPrinter, EventWriter, JSONWriter, TensorboardXWriter
from fvcore.common.history_buffer import HistoryBuffer
from torch import nn

from igdet.checkpoint.checkpointer import IgdetCheckpointer
from igdet.checkpoint.sharded import optimizer_in_pieces
from igdet.data.build import build_classification_test_loader, build_detection_test_loader
from igdet.data.detection import detection_tasks
from igdet.data.workers import is_death
from igdet.engine.averages import PreciseStatistics, SharedStatistics, WeightAverage
from igdet.engine.batches import TrainBatches, build_train_batches
from igdet.engine.hooks import FiniteWeights, ImagesSeen, LostForeground, StartedLate, ThroughputPrinter, forget_metrics
from igdet.engine.optimizer import build_optimizer, continued_state, parameter_names
from igdet.engine.preemption import StopOnRequest
from igdet.engine.probe_in_training import probe_in_training, probe_period
from igdet.engine.results import METRICS
from igdet.engine.sharding import share_model, whole_weights
from igdet.engine.step import NonFiniteLoss, build_step
from igdet.engine.trackers import TrackerWriter
from igdet.evaluation.classification import ClassificationEvaluator
from igdet.evaluation.coco import CocoTransferEvaluator
from igdet.evaluation.hashtags import HashtagEvaluator
from igdet.evaluation.panoptic import PanopticEvaluator
from igdet.evaluation.segmentation import SegmentationEvaluator
from igdet.modeling import apply_execution
from igdet.utils.errors import UserError

HISTORY = 1000  # values of a scalar that are kept: writers look at 20 steps, each with one a micro-batch


class Trainer(DefaultTrainer):
    """Trains any config of igdet: hashtag pretraining, classification, probes, boxes, masks, keypoints, pixels."""

    def __init__(self, cfg: CfgNode):
        """Build all parts of a run.

        Detectron2's own constructor is not called: it would wrap any model in DistributedDataParallel, on GPUs.

        Args:
            cfg: the frozen config.
        """
        TrainerBase.__init__(self)
        self.cfg = cfg = self.auto_scale_workers(cfg, comm.get_world_size())
        solver = cfg.SOLVER
        model = share_model(self.build_model(cfg), solver.FSDP)
        # After the model is shared: the optimizer then works on this rank's part of each weight.
        optimizer = self.build_optimizer(cfg, model)
        self._trainer = build_step(cfg, model, self.build_train_loader(cfg), optimizer)
        self.scheduler = self.build_lr_scheduler(cfg, optimizer)
        self._average = WeightAverage(solver.EMA_HALF_LIFE, solver.IMS_PER_BATCH) if solver.EMA_HALF_LIFE else None
        self._evaluated_weights = self._average.in_place if self._average else nullcontext
        self.checkpointer = IgdetCheckpointer(
            model, cfg.OUTPUT_DIR, cfg=cfg, saved_weights=self._evaluated_weights, trainer=weakref.proxy(self)
        )
        self.progress = ImagesSeen(solver.IMS_PER_BATCH)
        self.foreground = LostForeground(f"now {solver.BASE_LR:g} and {solver.WARMUP_ITERS} iterations")
        self.start_iter, self.max_iter = 0, solver.MAX_ITER
        self.register_hooks(self.build_hooks())

    def build_hooks(self) -> list[HookBase]:
        """All hooks, in the order in which they act after a step."""
        solver, test = self.cfg.SOLVER, self.cfg.TEST
        finite = FiniteWeights(solver.CHECKPOINT_PERIOD)
        return [
            *([self._average] if self._average else []),
            self.progress,
            finite,
            self.foreground,
            hooks.IterationTimer(),
            hooks.LRScheduler(),
            *([self._precise_statistics()] if test.PRECISE_BN.ENABLED else []),
            SharedStatistics((solver.CHECKPOINT_PERIOD, test.EVAL_PERIOD), self._evaluated_weights),
            # Saved before the evaluation, which may fail. On all ranks: they may hold the weights in pieces.
            hooks.PeriodicCheckpointer(self.checkpointer, solver.CHECKPOINT_PERIOD),
            hooks.EvalHook(test.EVAL_PERIOD, self._evaluate),
            *([hooks.EvalHook(period, self._probe)] if (period := probe_period(self.cfg)) else []),
            # Written after it, with its metrics.
            *([hooks.PeriodicWriter(self.build_writers(), period=20)] if comm.is_main_process() else []),
            StopOnRequest(finite.check),
        ]

    def _precise_statistics(self) -> PreciseStatistics:
        cfg = self.cfg.clone()
        cfg.defrost()
        cfg.DATALOADER.NUM_WORKERS = 0  # rarely used: not worth processes of its own
        batches, settings = self.build_train_loader(cfg), cfg.TEST
        return PreciseStatistics(
            settings.EVAL_PERIOD, self.model, batches, settings.PRECISE_BN.NUM_ITER, self._evaluated_weights
        )

    def _evaluate(self) -> Mapping:
        with self._evaluated_weights():
            self._last_eval_results = self.test(self.cfg, self.model)
        return self._last_eval_results

    def _probe(self) -> Mapping:
        with self._evaluated_weights(), whole_weights(self.model):
            return probe_in_training(self.cfg, self.model) if comm.is_main_process() else {}

    def build_writers(self) -> list[EventWriter]:
        """Detectron2's writers and the line of images seen."""
        folder, solver = Path(self.cfg.OUTPUT_DIR), self.cfg.SOLVER
        folder.mkdir(parents=True, exist_ok=True)
        return [
            CommonMetricPrinter(self.max_iter),
            StartedLate(lambda: JSONWriter(str(folder / METRICS))),
            # TensorBoard itself forgets what an earlier process wrote from there on.
            StartedLate(lambda: TensorboardXWriter(str(folder), purge_step=self.start_iter)),
            *(StartedLate(partial(self._open_tracker, name)) for name in self.cfg.TRACKERS),
            ThroughputPrinter(self.max_iter, solver.IMS_PER_BATCH),
        ]

    def _open_tracker(self, name: str) -> TrackerWriter:
        return TrackerWriter(name, self.cfg, self.start_iter)

    def resume_or_load(self, resume: bool = True) -> None:
        """Load the last checkpoint, or MODEL.WEIGHTS, and let the training batches start where the checkpoint stopped.

        Args:
            resume: whether to continue the run in OUTPUT_DIR, where it has a checkpoint.
        """
        super().resume_or_load(resume)
        self.data_loader.start_iter = self.start_iter
        if comm.is_main_process():
            forget_metrics(Path(self.cfg.OUTPUT_DIR, METRICS), self.start_iter)

    def train(self) -> Mapping:
        """Detectron2's loop; the processes that load data end with it."""
        loop = logging.getLogger(TrainerBase.__module__)
        loop.addFilter(_in_one_line)
        try:
            return super().train()
        finally:
            loop.removeFilter(_in_one_line)
            self._trainer._data_loader_iter.close()

    def before_train(self) -> None:
        """Begin all hooks; the storage forgets what no writer looks back at, where Detectron2's grows 1 kB a step."""
        self.storage._history.default_factory = partial(HistoryBuffer, max_length=HISTORY)
        super().before_train()

    def run_step(self) -> None:
        """One step; a loss that is not finite stops the run, on every rank, before the weights change.

        Raises:
            FloatingPointError: naming the loss, the images it came from and the checkpoint to go back to.
        """
        try:
            super().run_step()
        except NonFiniteLoss as error:
            shares = comm.all_gather(self.data_loader.last_names())
            images = ", ".join(name for rank in error.ranks for name in shares[rank])
            where = f" on rank {', '.join(map(str, error.ranks))}" if len(shares) > 1 else ""
            good = self.checkpointer.get_checkpoint_file() if self.checkpointer.has_checkpoint() else "none yet"
            raise FloatingPointError(
                f"{error}, at iteration {self.iter}\nImages of the batch{where}: {images}\n"
                f"No step was taken. Last good checkpoint: {good}. If the images are sound, lower SOLVER.BASE_LR "
                f"({self.cfg.SOLVER.BASE_LR:g}) or lengthen the warm-up, and continue with --resume"
            ) from error

    def state_dict(self) -> dict:
        """Iteration, hooks, what the draws depend on, and the optimizer, which Detectron2 0.6 alone would forget."""
        draws = {"seed": self.data_loader.seed, "training_set": self.data_loader.contents}
        names = parameter_names(self._trainer.optimizer, self.model)
        return {**super().state_dict(), "_trainer": self._trainer.state_dict(), "parameters": names, **draws}

    def load_state_dict(self, state_dict: dict) -> None:
        """Take up progress, not settings: those are the config's; a training set that has changed since is refused."""
        self.data_loader.check_contents(state_dict["training_set"])
        step, optimizer, hooks_state = state_dict["_trainer"], self._trainer.optimizer, state_dict["hooks"]
        moments = continued_state(step["optimizer"], state_dict.get("parameters"), optimizer, self.model)
        step = {**step, "optimizer": optimizer_in_pieces(moments, optimizer)}
        schedule = {"last_epoch": hooks_state["LRScheduler"]["last_epoch"]}  # without the rates that it multiplies
        hooks_state = {**hooks_state, "LRScheduler": schedule}
        super().load_state_dict({**state_dict, "_trainer": step, "hooks": hooks_state})
        self._trainer.load_state_dict(step)
        for group, rate in zip(optimizer.param_groups, self.scheduler.get_lr(), strict=True):
            group["lr"] = rate
        self.data_loader.seed = state_dict["seed"]

    @classmethod
    def test(cls, cfg: CfgNode, model: nn.Module, evaluators: list[DatasetEvaluator] | None = None) -> Mapping:
        """Detectron2's evaluation; ranks need not have the same number of batches, however the model is shared.

        With TEST.AUG.ENABLED the results of each task with test-time augmentation stand beside it, as "bbox_TTA".
        """
        with whole_weights(model):
            results = super().test(cfg, model, evaluators)
            if cfg.TEST.AUG.ENABLED:
                augmented = [cls.build_evaluator(cfg, name, "inference_TTA") for name in cfg.DATASETS.TEST]
                results = _beside(results, super().test(cfg, GeneralizedRCNNWithTTA(cfg, model), augmented))
        return results

    @classmethod
    def build_optimizer(cls, cfg: CfgNode, model: nn.Module) -> torch.optim.Optimizer:
        """The optimizer of a config."""
        return build_optimizer(cfg, model)

    @classmethod
    def build_model(cls, cfg: CfgNode) -> nn.Module:
        """The model of a config, run in the way that the config asks for."""
        model = super().build_model(cfg)
        apply_execution(model, cfg)
        return model

    @property
    def last_results(self) -> Mapping:
        """What the last evaluation of this run gave, as `DefaultTrainer.test` returns it."""
        return self._last_eval_results

    @classmethod
    def build_train_loader(cls, cfg: CfgNode) -> TrainBatches:
        """The training batches of a config."""
        return build_train_batches(cfg)

    @classmethod
    def build_test_loader(cls, cfg: CfgNode, dataset_name: str) -> Iterable[list[dict]]:
        """The evaluation batches of one data set."""
        build, _ = EVALUATIONS[MetadataCatalog.get(dataset_name).evaluator_type]
        return build(cfg, dataset_name)

    @classmethod
    def build_evaluator(cls, cfg: CfgNode, dataset_name: str, folder: str = "inference") -> DatasetEvaluator:
        """The evaluator of one data set; its files go to OUTPUT_DIR/<folder>/<data set>."""
        _, build = EVALUATIONS[MetadataCatalog.get(dataset_name).evaluator_type]
        return build(cfg, dataset_name, str(Path(cfg.OUTPUT_DIR, folder, dataset_name)))


def _in_one_line(record: logging.LogRecord) -> bool:
    """Take the traceback from what Detectron2 logs when a training ends on something that its user can fix."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, UserError | OSError | FloatingPointError) or (error and is_death(error)):
        record.msg = f"{record.msg} {type(error).__name__}: {error}"
        record.exc_info = record.exc_text = None
    return True


def _beside(results: Mapping, augmented: Mapping) -> dict:
    """Join results with augmented ones; those of one data set are by task, of several by data set and task."""
    if any(name in MetadataCatalog.list() for name in results):
        return {name: _beside(of_set, augmented[name]) for name, of_set in results.items()}
    return {**results, **{f"{task}_TTA": metrics for task, metrics in augmented.items()}}


def _classifier_evaluator(kind: type) -> Callable[[CfgNode, str, str], DatasetEvaluator]:
    def build(cfg: CfgNode, name: str, output_dir: str) -> DatasetEvaluator:
        metadata = MetadataCatalog.get(name)
        return kind(metadata.thing_classes, output_dir, metadata.get("answers"))

    return build


def _coco_evaluator(cfg: CfgNode, name: str, output_dir: str, lvis: bool = False) -> CocoTransferEvaluator:
    return CocoTransferEvaluator(name, detection_tasks(cfg), output_dir, tuple(cfg.TEST.KEYPOINT_OKS_SIGMAS), lvis)


def _segmentation_evaluator(cfg: CfgNode, name: str, output_dir: str) -> SegmentationEvaluator:
    metadata = MetadataCatalog.get(name)
    return SegmentationEvaluator(metadata.stuff_classes, metadata.ignore_label, output_dir)


def _panoptic_evaluator(cfg: CfgNode, name: str, output_dir: str) -> DatasetEvaluators:
    parts = (_coco_evaluator, _segmentation_evaluator)
    return DatasetEvaluators([*(build(cfg, name, output_dir) for build in parts), PanopticEvaluator(name, output_dir)])


# Detectron2's `evaluator_type` of a data set -> (builder of its loader, builder of its evaluator).
EVALUATIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "hashtags": (build_classification_test_loader, _classifier_evaluator(HashtagEvaluator)),
    "classification": (build_classification_test_loader, _classifier_evaluator(ClassificationEvaluator)),
    "coco": (build_detection_test_loader, _coco_evaluator),
    "lvis": (build_detection_test_loader, partial(_coco_evaluator, lvis=True)),
    "sem_seg": (build_detection_test_loader, _segmentation_evaluator),
    "coco_panoptic_seg": (build_detection_test_loader, _panoptic_evaluator),
}
