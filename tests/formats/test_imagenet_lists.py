"""timm's lists against timm itself."""

from importlib.metadata import PackageNotFoundError

import pytest

from igdet.formats import imagenet_lists
from igdet.formats.imagenet_lists import SYNSET_FILES, is_wnid, lemmas, real_labels, synsets, validation_number
from igdet.utils.errors import UserError


@pytest.mark.parametrize("name", ["imagenet-1k", "imagenet-12k", "imagenet-22k"])
def test_synsets_and_lemmas_are_timms(name):
    timm = pytest.importorskip("timm.data")
    info = timm.ImageNetInfo(name)
    assert synsets(name) == info.label_names()
    words = lemmas()
    assert [words[wnid] for wnid in synsets(name)] == info.label_descriptions()


def test_subsets_are_of_the_thousand():
    pytest.importorskip("timm")
    thousand = synsets("imagenet-1k")
    assert thousand == sorted(thousand)
    for name in ("imagenet-a", "imagenet-r"):
        assert len(synsets(name)) == 200
        assert set(synsets(name)) < set(thousand)


def test_wordnet_ids():
    assert is_wnid("n02084071")
    assert not any(map(is_wnid, ["dog", "n2084071", "n02084071 dog", "v02084071", ""]))


def test_an_unknown_list_is_named():
    with pytest.raises(UserError, match=r"no list of synsets 'imagenet1k'.*did you mean 'imagenet-1k'"):
        synsets("imagenet1k")


@pytest.mark.parametrize("read", [real_labels, lemmas, lambda: synsets(next(iter(SYNSET_FILES)))])
def test_without_timm(monkeypatch, read):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(imagenet_lists, "distribution", missing)
    with pytest.raises(UserError, match="pip install timm"):
        read()


def test_numbers_of_validation_images():
    assert validation_number("n01440764/ILSVRC2012_val_00000293.JPEG") == 293
    for other in ("ILSVRC2012_val_00050001.JPEG", "ILSVRC2012_val_00000000.JPEG", "n01440764_10026.JPEG"):
        with pytest.raises(UserError, match=other):
            validation_number(other)
