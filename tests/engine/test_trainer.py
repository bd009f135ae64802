"""What igdet's trainer adds to Detectron2's: hooks, batches, evaluators, and the message of a broken loss."""

from itertools import islice
from types import SimpleNamespace

import pytest
import torch
from detectron2.data import MetadataCatalog

from igdet.engine import Trainer, setup_config
from igdet.engine.batches import TrainBatches
from igdet.engine.hooks import AtTheEnd, FiniteWeights
from igdet.evaluation import ClassificationEvaluator, HashtagEvaluator


def test_batches_start_where_they_are_told_after_they_were_asked_for():
    batches = TrainBatches(lambda _seed, start: ([{"image_id": f"image {i}"}] for i in range(start, 100)), 0, "images")
    iterator = iter(batches)
    batches.start_iter = 40
    assert next(iterator) == [{"image_id": "image 40"}]
    assert batches.last_names() == ["image 40"]


def test_what_a_model_leaves_to_chance_depends_on_the_iteration_alone():
    def chances(start, count):
        batches = TrainBatches(lambda _seed, start: ([{}] for _ in range(start, 100)), 5, "images")
        batches.start_iter = start
        return [torch.rand(3) for _ in islice(batches, count)]

    whole = chances(0, 6)
    torch.rand(7)  # such as an evaluation between
    torch.testing.assert_close(chances(4, 2), whole[4:])
    assert not torch.equal(whole[0], whole[1])


def test_broken_loss_names_the_images_and_takes_no_step(command, monkeypatch):
    trainer = Trainer(setup_config(command()))
    before = {name: weight.clone() for name, weight in trainer.model.named_parameters()}
    loss = lambda _: {"loss_cls": trainer.model.classifier.weight.sum() * float("nan")}  # noqa: E731
    monkeypatch.setattr(trainer.model, "forward", loss)
    with pytest.raises(FloatingPointError, match=r"loss_cls[\s\S]*batch: .*\.png[\s\S]*No step was taken"):
        trainer.train()
    assert all(torch.equal(weight, before[name]) for name, weight in trainer.model.named_parameters())


def test_scalars_of_long_ago_are_forgotten(command, monkeypatch):
    monkeypatch.setattr("igdet.engine.trainer.HISTORY", 2)
    trainer = Trainer(setup_config(command()))
    trainer.resume_or_load(resume=False)
    trainer.train()
    assert [iteration for _, iteration in trainer.storage.history("total_loss").values()] == [4, 5]


@pytest.mark.parametrize(("iteration", "stops"), [(3, False), (4, True), (9, True)])
def test_weights_are_checked_when_a_checkpoint_is_due(iteration, stops):
    model = torch.nn.Linear(2, 1)
    model.bias.data.fill_(float("inf"))
    hook = FiniteWeights(period=5)
    hook.trainer = SimpleNamespace(iter=iteration, max_iter=10, model=model)
    if stops:
        with pytest.raises(FloatingPointError, match=r"1 weights are not finite after iteration \d, bias"):
            hook.after_step()
    else:
        hook.after_step()


@pytest.mark.parametrize(("iteration", "called"), [(10, 1), (9, 0)])
def test_the_end_is_not_a_break(iteration, called):
    calls = []
    hook = AtTheEnd(lambda: calls.append(1))
    hook.trainer = SimpleNamespace(iter=iteration, max_iter=10)
    hook.after_train()
    assert len(calls) == called


@pytest.mark.parametrize(
    ("evaluator_type", "expected"), [("classification", ClassificationEvaluator), ("hashtags", HashtagEvaluator)]
)
def test_the_data_set_chooses_its_evaluator(command, evaluator_type, expected):
    cfg = setup_config(command())
    MetadataCatalog.get(f"trainer_{evaluator_type}").set(evaluator_type=evaluator_type, thing_classes=["a", "b"])
    assert isinstance(Trainer.build_evaluator(cfg, f"trainer_{evaluator_type}"), expected)


def test_only_classes_of_the_data_set_can_be_answers(command):
    """The classifier prefers green; the data set has no green."""
    cfg = setup_config(command())
    some = MetadataCatalog.get("trainer_some")
    some.set(evaluator_type="classification", thing_classes=["blue", "green", "red"], answers=[0, 2])
    evaluator = Trainer.build_evaluator(cfg, "trainer_some")
    logits = torch.tensor([1.0, 9.0, 2.0])
    evaluator.process([{"image_id": "a", "gt_classes": torch.tensor([2])}], [{"pred_class_logits": logits}])
    assert evaluator.evaluate()["classification"]["top1"] == 100
