"""The table of costs goes where it is asked for; what the family does not have is refused before any work."""

import sys

import pytest

from igdet.cli import analyze_model
from igdet.cli.actions import analyze_model as actions


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["analyze_model.py", *arguments])
    analyze_model.main()


def test_a_small_classifier_in_a_document(monkeypatch, tmp_path, capsys):
    document = tmp_path / "costs.md"
    document.write_text("Before\n<!-- generated: costs by hand -->\nold\n<!-- end -->\nAfter\n")
    run(monkeypatch, "X_14_8x4d", "--as", "classifier", "--repeats", "1", "--document", str(document))
    text = document.read_text()
    assert "old" not in text
    assert text.startswith("Before") and text.endswith("After\n")
    row = next(line for line in text.splitlines() if "X_14_8x4d" in line)
    assert row in capsys.readouterr().out
    # Millions: 539,728 weights of the trunk and 1,000 x (512 + 1) of the classifier.
    assert [cell.strip() for cell in row.split("|")[2:5]] == ["classifier", "224 x 224", "1.1"]


def test_an_unknown_member_is_refused(monkeypatch, capsys):
    with pytest.raises(SystemExit, match="2"):
        run(monkeypatch, "X_14_8x4d", "X_9000")
    assert "no such member: X_9000; expected some of X_50_32x4d" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--repeats", "0"), "--repeats 0: expected 1 or more"),
        (("--device", "cuda"), "--device cuda: PyTorch sees no GPU; expected cpu"),
        (("--document", "absent.md"), "absent.md cannot be read"),
        (("--document", "README.md"), "README.md: no line '<!-- generated: NAME ... -->' with NAME one of costs"),
    ],
)
def test_what_cannot_be_done_is_told_before_anything_is_measured(options, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "README.md").write_text("No place for a table.\n")
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr(actions, "cost_row", lambda *_: pytest.fail("a network was measured"))
    with pytest.raises(SystemExit, match="2"):
        run(monkeypatch, "X_14_8x4d", *options)
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("use", analyze_model.USES)
def test_every_use_has_a_config_of_the_repository(use):
    assert actions.config("X_26_8x4d", use, "cpu").MODEL.BACKBONE.NAME.startswith("X_26_8x4d")
