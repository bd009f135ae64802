"""Looking into checkpoints."""

import hashlib
import shutil
from pathlib import Path

import pytest
import torch

from igdet.checkpoint import IgdetCheckpointer, inspect_weights
from igdet.formats.catalog import WEIGHTS, Publication, Weights


def facts(text):
    return dict(line.split(":", 1) for line in text.split("\n\n")[0].splitlines())


def test_a_checkpoint_of_igdet(make_model, tmp_path):
    model, cfg = make_model("detector")
    IgdetCheckpointer(model, str(tmp_path), cfg=cfg).save("model_final", iteration=3)
    text = inspect_weights(str(tmp_path / "model_final.pth"))
    found = {what: said.strip() for what, said in facts(text).items()}
    assert found["format"] == "Detectron2" and found["network"] == "X_14_8x4d"
    assert found["images"] == "RGB, mean 123.675 116.28 103.53, std 58.395 57.12 57.375, stride in the 3x3"
    assert found["classifier"] == "none" and found["classes"] == "unknown" and found["also"] == "iteration"
    numbers = sum(p.numel() for p in model.backbone.bottom_up.parameters())
    norms = sum(b.numel() for n, b in model.backbone.bottom_up.named_buffers() if "num_batches" not in n)
    (trunk,) = [line.split() for line in text.splitlines() if line.startswith("trunk")]
    assert trunk[-1] == f"{numbers + norms:,}"


@pytest.mark.parametrize("shape", [(), (5,)])
def test_a_classifier_of_another_shape_is_none(shape, torchvision_weights, tmp_path):
    torch.save(torchvision_weights | {"fc.weight": torch.ones(shape)}, tmp_path / "w.pth")
    found = facts(inspect_weights(str(tmp_path / "w.pth")))["classifier"].strip()
    assert found == f"none: classifier.weight has the shape {list(shape)}, not classes x features"


def test_a_published_file_comes_with_its_licence(torchvision_file, tmp_path, monkeypatch):
    digits = hashlib.sha256(Path(torchvision_file).read_bytes()).hexdigest()[:8]
    publication = Publication("https://nowhere", "some images", "somebody", "CC BY-NC 4.0")
    monkeypatch.setitem(WEIGHTS, "small", Weights(f"small-{digits}.pth", "X_14_8x4d", publication, {"top-1": 50}))
    monkeypatch.setenv("IGDET_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    shutil.copy(torchvision_file, tmp_path / f"cache/small-{digits}.pth")
    for name in ("small", "igdet://small"):
        found = {what: said.strip() for what, said in facts(inspect_weights(name)).items()}
        assert (found["licence"], found["hash"]) == ("CC BY-NC 4.0", f"sha256 {digits}")
        assert (found["published"], found["classifier"]) == ("top-1 50", "5 classes, 512 features")
