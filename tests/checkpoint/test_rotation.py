"""Which checkpoints of a folder stay."""

from igdet.checkpoint.writing import drop_halves, drop_old, numbered_checkpoints


def fill(folder, *names):
    for name in names:
        (folder / name).touch()


def test_numbered_checkpoints_the_last_first(tmp_path):
    fill(tmp_path, "model_0000009.pth", "model_0000010.pth", "model_final.pth", "model_best.pth", "model_12.pth")
    assert [path.name for path in numbered_checkpoints(tmp_path)] == ["model_0000010.pth", "model_0000009.pth"]
    assert numbered_checkpoints(tmp_path / "none") == []


def test_old_ones_go_and_later_ones_which_a_fallback_has_left_stay(tmp_path):
    fill(tmp_path, *(f"model_000000{i}.pth" for i in (1, 3, 5, 9)), "model_final.pth")
    assert [path.name for path in drop_old(tmp_path / "model_0000005.pth", 2)] == ["model_0000001.pth"]
    assert [path.name for path in numbered_checkpoints(tmp_path)] == [f"model_000000{i}.pth" for i in (9, 5, 3)]


def test_the_final_one_replaces_none(tmp_path):
    fill(tmp_path, "model_0000001.pth", "model_final.pth")
    assert list(drop_old(tmp_path / "model_final.pth", 1)) == []


def test_half_a_checkpoint_goes(tmp_path):
    fill(tmp_path, ".model_0000003.pth.ab12cd", "model_0000003.pth", ".hidden")
    assert [path.name for path in drop_halves(tmp_path)] == [".model_0000003.pth.ab12cd"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hidden", "model_0000003.pth"]
