"""Model cards, read back by the hub's own client."""

import json

import pytest
from huggingface_hub import ModelCard

from igdet.benchmark.model_card import model_card, read_runs
from igdet.utils.errors import UserError

COMMIT = "0123456789" * 4


@pytest.fixture
def run(tmp_path):
    """Writes the results.json of a run; returns its folder."""

    def write(name, top1=50.0, seed=0, train="cub2011_train", **entries):
        config = {
            "SEED": seed,
            "OUTPUT_DIR": name,
            "MODEL": {"META_ARCHITECTURE": "ImageClassifier", "BACKBONE": {"NAME": "R_18"}} | entries.pop("model", {}),
            "DATASETS": {"TRAIN": [train], "TEST": ["cub2011_test"]},
            "SOLVER": {"BASE_LR": entries.pop("rate", 0.1)},
        }
        scores = {"classification": {"top1": top1, "ece": 3.25, "top1-a bird": 9.0}}
        record = {"weights": "", "images_seen": 1200, "versions": {"igdet": "0.2.0"}, "config": config}
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "results.json").write_text(
            json.dumps(record | {"results": {"cub2011_test": scores}} | entries)
        )
        return tmp_path / name

    return write


def card_of(*folders, licences=None):
    text = model_card(read_runs(folders), "birds", "cc-by-nc-4.0", licences or {})
    return text, ModelCard(text).data


def test_what_the_hub_reads(run):
    text, data = card_of(run("a"))
    assert (data.license, data.model_name, data.datasets) == ("cc-by-nc-4.0", "birds", ["cub2011_train"])
    assert data.tags == ["igdet", "detectron2", "image-classification"]
    found = {(one.task_type, one.dataset_name, one.metric_type): one.metric_value for one in data.eval_results}
    task = ("image-classification", "cub2011_test")
    assert found == {(*task, "accuracy"): 50.0, (*task, "ece"): 3.25}  # no class of its own
    assert data.base_model is None and data.metrics == ["accuracy", "ece"]
    assert "Began from random numbers." in text and "how much the figures vary with the seed is unknown" in text
    assert "cub2011_test (" in text  # by title


def test_repetitions_have_means_and_intervals(run):
    text, data = card_of(*(run(f"seed{seed}/a", top1, seed) for seed, top1 in enumerate((49.0, 50.0, 54.0))))
    assert data.eval_results[0].metric_value == 51.0
    # t(0.975, 2) = 4.3027; s = sqrt((4 + 1 + 9) / 2) = 2.6458; 4.3027 x 2.6458 / sqrt(3) = 6.5724
    assert "| cub2011_test/classification/top1  | 51      | 44.43 to 57.57 |" in text


def test_where_the_weights_come_from(run, tmp_path):
    pretraining = run("first", train="photos", weights=f"hf://owner/net@{COMMIT}/model.safetensors", images_seen=10**6)
    text, data = card_of(run("then", weights=str(pretraining / "model_final.pth")))
    assert data.datasets == ["cub2011_train", "photos"] and data.base_model == "owner/net"
    assert "Before that, trained on photos: 1,000,000 images seen" in text and COMMIT in text

    text, data = card_of(run("named", weights="igdet://x"), licences={"igdet://x": "CC BY-NC 4.0"})
    assert "Began from `igdet://x`, whose licence is CC BY-NC 4.0." in text
    text, data = card_of(run("unknown", weights="secret/place/model.pth"))
    assert "a file `model.pth`, of which no record is there" in text and "secret" not in text
    own = str(tmp_path / "own/model_final.pth")
    assert card_of(run("own", weights=own))[1].datasets == ["cub2011_train"]  # its own weights: no endless way back


@pytest.mark.parametrize(
    ("backbone", "said"),
    [("timm", "timm's convnext_tiny, trained"), ("timm_FPN", "timm's convnext_tiny + FPN, trained")],
)
def test_a_network_of_another_library_is_called_by_its_name_there(run, backbone, said):
    model = {"BACKBONE": {"NAME": backbone}, "TIMM": {"NAME": "convnext_tiny"}, "TORCHVISION": {"NAME": ""}}
    text, _ = card_of(run("a", model=model))
    assert said in text and "| MODEL.TIMM.NAME" in text and "TORCHVISION" not in text


def test_what_the_record_says_against_the_figures(run):
    change = {"iteration": 1500, "key": "SOLVER.BASE_LR", "was": 0.1, "now": 0.2}
    text, _ = card_of(run("a", changes=[change], posts_per_hashtag=[7, 3, 1200], lost_foreground=20))
    assert "After 1,500 iterations SOLVER.BASE_LR was changed to 0.2." in text
    assert "the rarest of 3 hashtags has 3 posts" in text and "From iteration 20 on" in text


def test_runs_that_are_no_repetitions_are_refused(run):
    first = run("a")
    with pytest.raises(UserError, match=r"b differs from .*a in more than the seed"):
        read_runs([first, run("b", seed=1, rate=0.2)])
    with pytest.raises(UserError, match=r"the seeds are \[0, 0\]: give each run once"):
        read_runs([first, run("c")])


@pytest.mark.parametrize("entries", [{"results": []}, {"config": 3}, {"weights": 3}, {"images_seen": "many"}])
def test_damaged_records_are_named(run, entries):
    with pytest.raises(UserError, match=rf"results\.json: its {next(iter(entries))} is "):
        read_runs([run("a", **entries)])


def test_a_run_that_is_not_finished(tmp_path):
    with pytest.raises(UserError, match="there is no such file"):
        read_runs([tmp_path])


@pytest.mark.parametrize("license_id", ["", "CC BY-NC 4.0", "mit\nevil: 1"])
def test_a_licence_that_the_hub_does_not_know_how_to_read(run, license_id):
    with pytest.raises(UserError, match="expected the hub's short name"):
        model_card(read_runs([run("a")]), "birds", license_id, {})
