"""The command tag, by a classifier that gives every image the same known probabilities."""

import json
from functools import partial

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from scipy.special import expit, logit

from igdet.checkpoint import IgdetCheckpointer
from igdet.cli import tag as command
from igdet.data import register_own_datasets
from igdet.engine import Trainer, merged_config

PROBABILITIES = {"dog": 0.25, "germanshepherd": 0.2, "tabby": 0.3, "goldfish": 0.25}
CONFIG = """
_BASE_: {repository}/configs/Base-Classification.yaml
MODEL: {{DEVICE: cpu, BACKBONE: {{NAME: X_14_8x4d}}, CLASSIFIER: {{NUM_CLASSES: 4}}}}
INPUT: {{CLASSIFICATION: {{TRAIN_CROP: 32, TEST_SHORT_SIDE: 32, TEST_CROP: 32}}}}
DATASETS:
  OWN:
    posts: {{KIND: hashtag_table, ROOT: {root}, ANNOTATIONS: {root}/posts.csv, VOCABULARY: {root}/vocabulary.txt}}
    classes: {{KIND: image_folder, ROOT: {root}/target}}
  TRAIN: [posts]
  TEST: [posts]
DATALOADER: {{NUM_WORKERS: 0}}
SOLVER: {{IMS_PER_BATCH: 4}}
"""


@pytest.fixture
def images(tmp_path):
    """Twelve images, and a target of a class folder by wnid or name each: canine 2, tabby 3, zorblax 1."""
    for index in range(12):
        path = tmp_path / f"photos/{index:02}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((32, 32, 3), 20 * index, np.uint8)).save(path)
    for name, count in {"n02083346": 2, "n02123045": 3, "zorblax": 1}.items():
        for index in range(count):
            path = tmp_path / f"target/{name}/{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes((tmp_path / f"photos/{index:02}.png").read_bytes())
    return tmp_path


@pytest.fixture
def run(repository, images):
    """The folder of a run whose classifier has no weights, and the logarithms of PROBABILITIES as its biases."""
    (images / "vocabulary.txt").write_text("".join(f"{name}\n" for name in PROBABILITIES))
    tags = ["#dog #tabby", "#tabby", "#germanshepherd"]
    rows = [f"photos/{index:02}.png,{tags[index % 3]}" for index in range(12)]
    (images / "posts.csv").write_text("\n".join(["image,hashtags", *rows]) + "\n")
    (images / "config.yaml").write_text(CONFIG.format(repository=repository, root=images))
    cfg = merged_config(str(images / "config.yaml"), ["OUTPUT_DIR", str(images / "run")])
    register_own_datasets(cfg)
    model = Trainer.build_model(cfg)
    with torch.no_grad():
        model.classifier.weight.zero_()
        model.classifier.bias.copy_(torch.tensor(list(PROBABILITIES.values())).log())
    IgdetCheckpointer(model, cfg.OUTPUT_DIR, cfg=cfg).save("model_final")
    (images / "run/config.yaml").write_text(cfg.dump())
    return images / "run"


@pytest.fixture
def call(call_command):
    """Calls the command line; returns (exit code, output, errors)."""
    return partial(call_command, command)


def test_images_are_tagged_and_bad_ones_left_out_and_named(call, run, images):
    (images / "photos/03.png").write_bytes(b"no image")
    code, output, _ = call("tag", "--run", run, "--images", images / "photos", "--out", images / "out/tags.parquet")
    assert code == 0 and "Probabilities are not calibrated: `python tools/tag.py calibrate`" in output
    assert "#tabby 30.0%" in output and "11 images" in output and "1 bad ones" in output
    table = pq.read_table(images / "out/tags.parquet")
    assert table["image"].to_pylist() == [str(images / f"photos/{i:02}.png") for i in range(12) if i != 3]
    assert table["hashtags"][0].as_py() == ["tabby", "dog", "goldfish", "germanshepherd"]
    assert table["probabilities"][5].as_py() == pytest.approx([0.3, 0.25, 0.25, 0.2])
    assert "03.png" in (images / "out/bad_records.jsonl").read_text()
    assert sorted(path.name for path in run.iterdir()) == ["config.yaml", "last_checkpoint", "model_final.pth"]


def test_too_many_bad_images_leave_no_table(call, run, images):
    for path in (images / "photos").iterdir():
        path.write_bytes(b"no image")
    out = images / "out/tags.parquet"
    code, _, errors = call("tag", "--run", run, "--images", images / "photos", "--out", out)
    assert code == 2 and "12 of 12 records are bad" in errors and not out.exists()


def test_a_list_of_ones_own_restricts_the_answers(call, run, images):
    (images / "mine.txt").write_text("goldfish\nDog\ngolfish\n")
    out = images / "tags.parquet"
    arguments = ("--images", images / "photos/00.png", "--out", out, "--vocabulary", images / "mine.txt", "--top", 1)
    code, output, _ = call("tag", "--run", run, *arguments)
    assert code == 0 and "1 are not in the vocabulary: 'golfish'; did you mean 'goldfish'?" in output
    assert pq.read_table(out)["hashtags"].to_pylist() == [["goldfish"]]


def test_a_calibration_is_written_beside_the_weights_and_used(call, run, images):
    code, output, _ = call("calibrate", "--run", run)
    assert code == 0 and "Fitted to 6 posts of posts, measured on 6 others" in output
    record = json.loads((run / "model_final.calibration.json").read_text())
    assert record["before"]["ece_top1"] != record["after"]["ece_top1"]
    out = images / "tags.parquet"
    code, output, _ = call("tag", "--run", run, "--images", images / "photos/00.png", "--out", out)
    assert code == 0 and "Probabilities are calibrated by" in output
    expected = expit(record["slope"] * logit(np.array([0.3, 0.25, 0.25, 0.2])) + record["intercept"])
    assert pq.read_table(out)["probabilities"][0].as_py() == pytest.approx(expected)


def test_classes_are_scored_by_their_names_and_by_what_is_below_them(call, run, images):
    code, output, _ = call("zero-shot", "--run", run, "--target", images / "target", "--out", images / "out")
    assert code == 0
    record = json.loads((images / "out/zero_shot.json").read_text())
    # leaf: the tabby alone has a hashtag, and all of the score. hypernym: the canine has 0.25 + 0.2 of 0.75.
    half, third = 100 * 3 / 6, 100 * 2 / 6
    leaf, hypernym = record["results"]["leaf"], record["results"]["hypernym"]
    assert leaf == pytest.approx({"top1": half, "top5": half, "ece": 50, "top1_covered": 100})
    assert hypernym == pytest.approx({"top1": third, "top5": 500 / 6, "ece": 60 - third, "top1_covered": 40})
    assert record["not_covered"] == {"leaf": ["n02083346", "zorblax"], "hypernym": ["zorblax"]}
    assert record["chance"] == pytest.approx(third)
    assert "No hashtag for 1 classes by hypernym sums: zorblax" in output
    answers = pq.read_table(images / "out/hypernym.parquet")
    assert answers["top_classes"].to_pylist() == [[0, 1]] * 6


def test_a_config_with_weights_is_a_classifier_too(call, run, images):
    weights = ("MODEL.WEIGHTS", run / "model_final.pth")
    (images / "vocabulary.txt").unlink()  # the weights know the names
    arguments = ("--target", images / "target", "--out", images / "out", "--config-file", images / "config.yaml")
    assert call("zero-shot", *arguments, *weights)[0] == 0
    code, _, errors = call("zero-shot", *arguments)
    assert code == 2 and "config.yaml has no MODEL.WEIGHTS" in errors


def test_what_is_no_hashtag_classifier_is_refused(call, run, images):
    arguments = ("--images", images / "photos", "--out", images / "tags.parquet")
    code, _, errors = call("tag", "--run", run, *arguments, "MODEL.META_ARCHITECTURE", "GeneralizedRCNN")
    assert code == 2 and "MODEL.META_ARCHITECTURE is GeneralizedRCNN, which has no hashtags" in errors
    content = torch.load(run / "model_final.pth")
    torch.save({**content, "igdet": {**content["igdet"], "class_names": None}}, run / "model_final.pth")
    assert call("tag", "--run", run, *arguments)[0] == 0  # by the vocabulary of its posts
    (images / "vocabulary.txt").unlink()
    code, _, errors = call("tag", "--run", run, *arguments)
    assert code == 2 and "does not say which hashtags its 4 outputs stand for" in errors
    torch.save({**content, "igdet": {**content["igdet"], "class_names": [*"abc", "a b"]}}, run / "model_final.pth")
    code, _, errors = call("tag", "--run", run, *arguments)
    assert code == 2 and "its outputs are no hashtags" in errors
    (run / "model_final.pth").unlink()
    code, _, errors = call("tag", "--run", run, *arguments)
    assert code == 2 and "model_final.pth cannot be opened" in errors


def test_what_cannot_be_tagged_calibrated_or_scored_is_refused(call, run, images):
    out = ("--out", images / "out")
    (images / "empty").mkdir()
    code, _, errors = call("tag", "--run", run, "--images", images / "empty", "--out", images / "tags.parquet")
    assert code == 2 and "empty holds no images" in errors
    code, _, errors = call("tag", "--run", run, "--images", images / "photos", *out)
    assert code == 2 and "expected a .parquet file" in errors
    code, _, errors = call("tag", "--run", run, "--images", "x", *out, "--top", 0)
    assert code == 2 and "--top is 0" in errors
    code, _, errors = call("calibrate", "--run", run, "DATASETS.TEST", "('classes',)")
    assert code == 2 and "calibration needs one set of posts" in errors
    (images / "target/n02123045").rename(images / "target/qwfp")
    (images / "target/n02083346").rename(images / "target/qwfpg")
    code, _, errors = call("zero-shot", "--run", run, "--target", images / "target", *out)
    assert code == 2 and "none of its 3 classes (qwfp, qwfpg, zorblax) is covered" in errors
    (images / "other.txt").write_text("a\nb\nc\ntabby\n")
    posts = (images / "config.yaml").read_text().replace("vocabulary.txt", "other.txt")
    (images / "config.yaml").write_text(posts)
    weights = ("MODEL.WEIGHTS", run / "model_final.pth")
    code, _, errors = call("calibrate", "--config-file", images / "config.yaml", *weights)
    assert code == 2 and "its outputs stand for other classes" in errors


TINY_CLIP = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}


@pytest.fixture
def clip(tmp_path):
    """The folder of a tiny CLIP model with random weights, as open_clip lays them out."""
    open_clip = pytest.importorskip("open_clip")
    folder = tmp_path / "clip"
    folder.mkdir()
    card = {"mean": [0.5, 0.4, 0.3], "std": [0.3, 0.2, 0.1], "size": 32, "resize_mode": "shortest"}
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": TINY_CLIP, "preprocess_cfg": card}))
    torch.manual_seed(0)
    torch.save(open_clip.CLIP(**TINY_CLIP).state_dict(), folder / "open_clip_pytorch_model.bin")
    return folder


def test_clip_scores_classes_by_their_names_as_open_clip_does(call, images, clip):
    import open_clip

    model, _, show = open_clip.create_model_and_transforms(f"local-dir:{clip}")
    tokenize = open_clip.get_tokenizer(f"local-dir:{clip}")
    names, prompts = ["canine", "tabby cat", "zorblax"], open_clip.OPENAI_IMAGENET_TEMPLATES
    texts = open_clip.build_zero_shot_classifier(model, tokenize, names, prompts)
    paths = sorted((images / "target").glob("*/*.png"))
    with torch.no_grad():
        shown = torch.stack([show(Image.open(path)) for path in paths])
        expected = (model.logit_scale.exp() * model.encode_image(shown, normalize=True) @ texts).softmax(1)
    out = images / "out"
    code, output, _ = call("zero-shot", "--clip", f"local-dir:{clip}", "--target", images / "target", "--out", out)
    assert code == 0 and "CLIP's texts" in output and "3 of 3" in output
    answers = pq.read_table(out / "texts.parquet")
    assert answers["image_id"].to_pylist() == [str(path.relative_to(images / "target")) for path in paths]
    best = expected.sort(1, descending=True)
    assert answers["top_classes"].to_pylist() == best.indices.tolist()
    assert np.array(answers["top_scores"].to_pylist()) == pytest.approx(best.values.numpy(), rel=1e-4)
    record = json.loads((out / "zero_shot.json").read_text())
    right = 100 * float((best.indices[:, 0] == torch.tensor([0, 0, 1, 1, 1, 2])).float().mean())
    assert record["results"]["texts"]["top1"] == pytest.approx(right)


def test_clip_models_that_cannot_be_used_are_refused(call, images, clip, monkeypatch):
    def errors_of(name):
        code, _, errors = call("zero-shot", "--clip", name, "--target", images / "target", "--out", images / "out")
        assert code == 2
        return errors

    assert "open_clip has no model 'ViT-B16'; did you mean 'ViT-B-16'?" in errors_of("ViT-B16:openai")
    assert "no weights 'openia' of ViT-B-16, and there is no such file" in errors_of("ViT-B-16:openia")
    assert "a file or one of openai, laion400m_e31" in errors_of("ViT-B-16")
    (images / "broken.bin").write_bytes(b"no weights")
    assert "open_clip cannot load ViT-B-32" in errors_of(f"ViT-B-32:{images}/broken.bin")
    monkeypatch.setenv("IGDET_OFFLINE", "1")
    assert "IGDET_OFFLINE forbids downloads: name a file" in errors_of("ViT-B-16:openai")
    card = json.loads((clip / "open_clip_config.json").read_text())
    card["preprocess_cfg"]["resize_mode"] = "squash"
    (clip / "open_clip_config.json").write_text(json.dumps(card))
    assert "wants images of 32 x 32 pixels, resized as 'squash'" in errors_of(f"local-dir:{clip}")


@pytest.mark.parametrize(("weights", "quick"), [("openai", True), ("laion400m_e31", False)])
def test_clip_weights_get_the_activation_that_they_were_trained_with(call, images, monkeypatch, weights, quick):
    open_clip = pytest.importorskip("open_clip")
    asked = {}

    def create(*_args, **named):
        asked.update(named)
        raise RuntimeError("enough")

    monkeypatch.setattr(open_clip, "create_model", create)
    arguments = ("--target", images / "target", "--out", images / "out")
    assert call("zero-shot", "--clip", f"ViT-B-16:{weights}", *arguments)[0] == 2
    assert asked["force_quick_gelu"] is quick
